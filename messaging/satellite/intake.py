"""Hands one packet to the router: each message in it, or why it can never be one. All kinds of networks share it."""

import logging
from collections.abc import Sequence

from messaging.errors import Rejected
from messaging.message import (
    Address,
    Beacon,
    Emit,
    Message,
    Network,
    Undeliverable,
    message_id,
)
from messaging.satellite.network import Packet
from messaging.satellite.payload import Text, Undecodable, decode

log = logging.getLogger(__name__)

Offer = Message | Beacon | Undeliverable


async def hand_over(packet: Packet, via: str, emit: Emit) -> int:
    """Return when everything in `packet` is on disk, as messages or as undeliverable: then it may be acknowledged.

    What it says of the device goes first, so that an emergency waits for nothing. Messages go one after another, so
    that they keep their order; one that fails does not keep back the others. Returns how many were undeliverable.
    Raises the first failure that is not final (Unavailable, or a bug): then the packet must be offered again, and what
    was committed is recognised by its id.
    """
    failures: list[Exception] = []
    undeliverable = 0
    for offer in offers(packet, via):
        try:
            if not await _taken(offer, packet, emit):
                undeliverable += 1
        except Exception as error:
            failures.append(error)
    if failures:
        raise failures[0]
    return undeliverable


def offers(packet: Packet, via: str) -> list[Offer]:
    """Return what is in `packet`; ids depend on `via`, the packet's id and the position in it alone. Pure."""
    contents = _contents(packet)
    found: list[Offer] = [_offer(packet, via, number, one) for number, one in enumerate(contents)]
    said = (packet.position, packet.battery_percent, packet.sos)
    if any(one is not None for one in said):
        found.insert(0, _beacon(packet, via, contents))
    return found


def _contents(packet: Packet) -> Sequence[Text | Undecodable]:
    if packet.texts is not None:
        return packet.texts
    try:
        if packet.payload is None:
            raise Undecodable("the network's wrapping of the packet cannot be read")
        return decode(packet.payload)
    except Undecodable as error:
        return [error]


def _beacon(packet: Packet, via: str, contents: Sequence[Text | Undecodable]) -> Beacon:
    return Beacon(
        id=message_id(via, packet.id, "beacon"),
        sender=Address(Network.SATELLITE, packet.serial),
        via=via,
        at=packet.sent_at,
        position=packet.position,
        battery_percent=packet.battery_percent,
        sos=packet.sos,
        text=packet.remark or "\n".join(one.text for one in contents if isinstance(one, Text)),
    )


def _offer(packet: Packet, via: str, number: int, content: Text | Undecodable) -> Offer:
    identity = message_id(via, packet.id, str(number))
    sender = Address(Network.SATELLITE, packet.serial)
    if isinstance(content, Undecodable):
        return Undeliverable(
            id=identity, sender=sender, via=via, raw=packet.raw, reason=content.reason
        )
    return Message(
        id=identity,
        sender=sender,
        recipient=content.to,
        text=content.text,
        via=via,
        position=packet.position,
        battery_percent=packet.battery_percent,
        sos=packet.sos,
    )


async def _taken(offer: Offer, packet: Packet, emit: Emit) -> bool:
    """Return whether `offer` was taken as what it is; False when it was stored as undeliverable."""
    if not isinstance(offer, Undeliverable):
        try:
            await emit(offer)
            return True
        except Rejected as refusal:
            offer = _refused(offer, packet, refusal)
    log.info("undeliverable: %s", offer.reason, extra={"message_id": offer.id})
    await emit(offer)
    return False


def _refused(offer: Message | Beacon, packet: Packet, refusal: Rejected) -> Undeliverable:
    return Undeliverable(
        id=offer.id,
        sender=offer.sender,
        via=offer.via,
        raw=packet.raw,
        reason=refusal.reason,
    )
