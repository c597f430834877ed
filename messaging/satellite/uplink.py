"""Offers the content of a packet to the router: a device report, messages, dead letters. All providers share it."""

import asyncio
import logging
import re
from collections.abc import Sequence
from typing import Any, Final

from messaging.errors import Rejected
from messaging.logs.records import details
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
from messaging.satellite.codecs.plain_text import text_of
from messaging.satellite.codecs.protobuf import Text, Undecodable, decode

log = logging.getLogger(__name__)

Offer = Message | DeviceText | DeviceReport | DeadLetter

Content = Text | str | Undecodable
"""A text with its address, a plain text as typed on the device, or the reason why there is neither."""

# Parts of stored ids, so they must never change.
_REPORT_SEED = "beacon"
_REST_SEED = "rest"
MAX_TEXTS: Final = 10
_CALL: Final = re.compile(r"\W*(SOS|MAYDAY)\b", re.IGNORECASE)


async def offer_packet(packet: Packet, via: str, emit: Emit, max_texts: int = MAX_TEXTS) -> int:
    """Return the number of dead letters, when the whole packet is on disk and may be acknowledged.

    Of more than `max_texts` texts the others are one dead letter. The device report comes first, then the messages in
    their order. No offer waits for the one before it: the router keeps the order, and one failure does not delay the
    others. Raises the first failure that is not final (Unavailable, or a bug); then the packet must be offered again,
    and the router recognises the committed records by their ids.
    """
    found = _offers_or_dead_letter(packet, via, max_texts)
    has_content = any(not isinstance(offer, DeviceReport) for offer in found)
    calls = (_offer_one(offer, packet, emit, has_content) for offer in found)
    results = await asyncio.gather(*calls, return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result
    return results.count(False)


def _offers_or_dead_letter(packet: Packet, via: str, max_texts: int) -> Sequence[Offer]:
    """Return the records in `packet`; after a bug in reading it, a dead letter, so that no provider repeats it."""
    try:
        return offers(packet, via, max_texts)
    except Exception as error:
        # The type only: the text may quote the packet.
        log.error("%s: a packet cannot be read (%s); it is kept", via, type(error).__name__)
        dead = DeadLetter(
            id=message_id(via, packet.id, "0"),
            sender=Address(Network.SATELLITE, packet.serial),
            via=via,
            raw=packet.raw,
            reason="the gateway cannot read this packet",
        )
        return [dead]


def offers(packet: Packet, via: str, max_texts: int = MAX_TEXTS) -> list[Offer]:
    """Return the records in `packet`. Pure: ids depend on `via`, the packet's id and the position in it alone.

    Of more than `max_texts` texts the first ones are taken, those that begin with SOS or MAYDAY before the others.
    """
    contents = _contents(packet)
    numbered = list(enumerate(contents))
    if len(contents) > max_texts:
        calls = {
            number
            for number, one in numbered
            if not isinstance(one, Undecodable) and _CALL.match(_text(one))
        }
        first = sorted(numbered, key=lambda one: one[0] not in calls)[:max_texts]
        numbered = sorted(first, key=lambda one: one[0])
    found: list[Offer] = [_offer(packet, via, number, one) for number, one in numbered]
    if len(contents) > max_texts:
        found.append(_rest_of(packet, via, len(contents), max_texts))
    reported = (packet.position, packet.battery_percent, packet.battery_low, packet.sos)
    if any(one is not None for one in reported):
        found.insert(0, _report(packet, via, contents[:max_texts]))
    return found


def _contents(packet: Packet) -> Sequence[Content]:
    """Return the contents of a packet. The payload itself shows its format, so the device's codec is not needed."""
    if packet.texts is not None:
        return packet.texts
    try:
        if packet.payload is None:
            raise Undecodable("the network's wrapping of the packet cannot be read")
        text = text_of(packet.payload)
        return decode(packet.payload) if text is None else [text]
    except Undecodable as error:
        return [error]


def _report(packet: Packet, via: str, contents: Sequence[Content]) -> DeviceReport:
    texts = [_text(one) for one in contents if not isinstance(one, Undecodable)]
    return DeviceReport(
        id=message_id(via, packet.id, _REPORT_SEED),
        sender=Address(Network.SATELLITE, packet.serial),
        via=via,
        at=packet.sent_at,
        position=packet.position,
        battery_percent=packet.battery_percent,
        battery_low=packet.battery_low,
        sos=packet.sos,
        text=packet.remark or "\n".join(texts),
    )


def _rest_of(packet: Packet, via: str, number: int, max_texts: int) -> DeadLetter:
    return DeadLetter(
        id=message_id(via, packet.id, _REST_SEED),
        sender=Address(Network.SATELLITE, packet.serial),
        via=via,
        raw=packet.raw,
        reason=f"the packet holds {number} texts; {max_texts} of them are delivered",
    )


def _text(content: Text | str) -> str:
    return content if isinstance(content, str) else content.text


def _offer(packet: Packet, via: str, number: int, content: Content) -> Offer:
    identity = message_id(via, packet.id, str(number))
    sender = Address(Network.SATELLITE, packet.serial)
    if isinstance(content, Undecodable):
        return DeadLetter(
            id=identity, sender=sender, via=via, raw=packet.raw, reason=content.reason
        )
    fields: dict[str, Any] = {
        "id": identity,
        "sender": sender,
        "text": _text(content),
        "via": via,
        "position": packet.position,
        "battery_percent": packet.battery_percent,
        "sos": packet.sos,
    }
    if isinstance(content, str):
        return DeviceText(**fields)
    return Message(recipient=content.to, **fields)


async def _offer_one(offer: Offer, packet: Packet, emit: Emit, has_content: bool) -> bool:
    """Emit `offer`, or a dead letter when the router rejects it; return False for a dead letter.

    A rejected report leaves none if its packet `has_content`, which is kept.
    """
    if not isinstance(offer, DeadLetter):
        try:
            await emit(offer)
            return True
        except Rejected as refusal:
            if has_content and isinstance(offer, DeviceReport):
                return True
            offer = DeadLetter(
                id=offer.id,
                sender=offer.sender,
                via=offer.via,
                raw=packet.raw,
                reason=refusal.reason,
                recipient=offer.recipient if isinstance(offer, Message) else None,
                text=offer.text,
            )
    kind = f"undeliverable by {offer.via}: {offer.reason}"
    log.info("undeliverable: %s", offer.reason, extra=details(kind=kind, message_id=offer.id))
    await emit(offer)
    return False
