"""Tells the author of a typed text that it was not understood, or goes nowhere: in a few words, once. Pure."""

from messaging.model.message import Address, Codec, DeviceText, Message, Network
from messaging.store.accept.context import SenderDevice
from messaging.store.accept.policy import PlannedDelivery, Policy, Route
from messaging.store.notices.notices import VIA, notice_id

MAX_HINT_CHARACTERS = 120
"""Fits one packet of every network that there is, also where a character takes several bytes."""


def device_reply(
    typed: DeviceText, reason: str, author: SenderDevice, policy: Policy
) -> tuple[Message, Route] | None:
    """Return what to tell the device, None when its network is off. From nobody, so that nobody can be answered."""
    if not policy.is_on(typed.via):
        return None
    nobody = Address(Network.EMAIL, "")
    message = Message(
        id=notice_id(typed.id),
        sender=nobody,
        recipient=typed.sender,
        text=_short(f"Not sent: {reason}"),
        via=VIA,
    )
    leg = PlannedDelivery(typed.via, nobody, typed.sender, author.device_id, Codec.TEXT)
    return message, Route(author.owner.id, (leg,))


def _short(text: str) -> str:
    if len(text) <= MAX_HINT_CHARACTERS:
        return text
    return text[: MAX_HINT_CHARACTERS - 1] + "…"
