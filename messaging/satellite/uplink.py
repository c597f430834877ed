"""Hands one packet to the router: each message in it, or why it can never be one. All kinds of networks share it."""

import asyncio
import logging
from collections.abc import Sequence
from typing import Any

from messaging.errors import Rejected
from messaging.model.message import (
    Address,
    DeadLetter,
    DeviceReport,
    DeviceText,
    Emit,
    Message,
    Network,
    message_id,
)
from messaging.satellite.account import Packet
from messaging.satellite.codecs.plain_text import typed_text
from messaging.satellite.codecs.protobuf import Text, Undecodable, decode

log = logging.getLogger(__name__)

Offer = Message | DeviceText | DeviceReport | DeadLetter

Content = Text | str | Undecodable
"""A text with its address, a text as it was typed, or why there is neither."""


async def offer_packet(packet: Packet, via: str, emit: Emit) -> int:
    """Return when everything in `packet` is on disk, as messages or as undeliverable: then it may be acknowledged.

    What it says of the device is offered first, then its messages in their order, without waiting for each other: what
    is offered in turn is handed over in turn, and one that fails does not keep back the others. Returns how many were
    undeliverable. Raises the first failure that is not final (Unavailable, or a bug): then the packet must be offered
    again, and what was committed is recognised by its id.
    """
    going = (_taken(offer, packet, emit) for offer in offers(packet, via))
    done = await asyncio.gather(*going, return_exceptions=True)
    for outcome in done:
        if isinstance(outcome, BaseException):
            raise outcome
    return done.count(False)


def offers(packet: Packet, via: str) -> list[Offer]:
    """Return what is in `packet`; ids depend on `via`, the packet's id and the position in it alone. Pure."""
    contents = _contents(packet)
    found: list[Offer] = [_offer(packet, via, number, one) for number, one in enumerate(contents)]
    said = (packet.position, packet.battery_percent, packet.sos)
    if any(one is not None for one in said):
        found.insert(0, _beacon(packet, via, contents))
    return found


def _contents(packet: Packet) -> Sequence[Content]:
    """Return what is in a packet. The formats tell themselves apart, so nobody has to know the device's codec here."""
    if packet.texts is not None:
        return packet.texts
    try:
        if packet.payload is None:
            raise Undecodable("the network's wrapping of the packet cannot be read")
        typed = typed_text(packet.payload)
        return decode(packet.payload) if typed is None else [typed]
    except Undecodable as error:
        return [error]


def _beacon(packet: Packet, via: str, contents: Sequence[Content]) -> DeviceReport:
    said = [_words(one) for one in contents if not isinstance(one, Undecodable)]
    return DeviceReport(
        id=message_id(via, packet.id, "beacon"),
        sender=Address(Network.SATELLITE, packet.serial),
        via=via,
        at=packet.sent_at,
        position=packet.position,
        battery_percent=packet.battery_percent,
        sos=packet.sos,
        text=packet.remark or "\n".join(said),
    )


def _words(content: Text | str) -> str:
    return content if isinstance(content, str) else content.text


def _offer(packet: Packet, via: str, number: int, content: Content) -> Offer:
    identity = message_id(via, packet.id, str(number))
    sender = Address(Network.SATELLITE, packet.serial)
    if isinstance(content, Undecodable):
        return DeadLetter(
            id=identity, sender=sender, via=via, raw=packet.raw, reason=content.reason
        )
    said: dict[str, Any] = {
        "id": identity,
        "sender": sender,
        "text": _words(content),
        "via": via,
        "position": packet.position,
        "battery_percent": packet.battery_percent,
        "sos": packet.sos,
    }
    return DeviceText(**said) if isinstance(content, str) else Message(recipient=content.to, **said)


async def _taken(offer: Offer, packet: Packet, emit: Emit) -> bool:
    """Return whether `offer` was taken as what it is; False when it was stored as undeliverable."""
    if not isinstance(offer, DeadLetter):
        try:
            await emit(offer)
            return True
        except Rejected as refusal:
            offer = _refused(offer, packet, refusal)
    log.info("undeliverable: %s", offer.reason, extra={"message_id": offer.id})
    await emit(offer)
    return False


def _refused(
    offer: Message | DeviceText | DeviceReport, packet: Packet, refusal: Rejected
) -> DeadLetter:
    return DeadLetter(
        id=offer.id,
        sender=offer.sender,
        via=offer.via,
        raw=packet.raw,
        reason=refusal.reason,
    )
