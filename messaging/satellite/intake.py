"""Hands one packet over to the router: each message in it, or why it can never be one. Polls and webhooks share it."""

import logging

from messaging.errors import Rejected
from messaging.message import Address, Emit, Message, Network, Undeliverable, message_id
from messaging.satellite.network import Packet
from messaging.satellite.payload import Text, Undecodable, decode

log = logging.getLogger(__name__)


async def hand_over(packet: Packet, via: str, emit: Emit) -> int:
    """Return when everything in `packet` is on disk, as messages or as undeliverable: then it may be acknowledged.

    Messages go one after another, so that they keep their order; one that fails does not keep back the others.
    Returns how many were undeliverable. Raises the first failure that is not final (Unavailable, or a bug): then the
    packet must be offered again, and what was committed is recognised by its id.
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


def offers(packet: Packet, via: str) -> list[Message | Undeliverable]:
    """Return what is in `packet`; ids depend on `via`, the packet's id and the position in it alone. Pure."""
    contents: list[Text | Undecodable]
    try:
        contents = decode(_payload(packet))
    except Undecodable as error:
        contents = [error]
    return [_offer(packet, via, position, content) for position, content in enumerate(contents)]


def _payload(packet: Packet) -> bytes:
    if packet.payload is None:
        raise Undecodable("the network's wrapping of the packet cannot be read")
    return packet.payload


def _offer(
    packet: Packet, via: str, position: int, content: Text | Undecodable
) -> Message | Undeliverable:
    identity = message_id(via, packet.id, str(position))
    sender = Address(Network.SATELLITE, packet.serial)
    if isinstance(content, Undecodable):
        return Undeliverable(
            id=identity, sender=sender, via=via, raw=packet.raw, reason=content.reason
        )
    return Message(id=identity, sender=sender, recipient=content.to, text=content.text, via=via)


async def _taken(offer: Message | Undeliverable, packet: Packet, emit: Emit) -> bool:
    """Return whether `offer` was taken as a message; False when it was stored as undeliverable."""
    if isinstance(offer, Message):
        try:
            await emit(offer)
            return True
        except Rejected as refusal:
            offer = _refused(offer, packet, refusal)
    log.info("undeliverable: %s", offer.reason, extra={"message_id": offer.id})
    await emit(offer)
    return False


def _refused(message: Message, packet: Packet, refusal: Rejected) -> Undeliverable:
    return Undeliverable(
        id=message.id,
        sender=message.sender,
        via=message.via,
        raw=packet.raw,
        reason=refusal.reason,
    )
