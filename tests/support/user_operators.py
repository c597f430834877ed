"""Steps as a gateway's owner might write them, good and bad."""

from dataclasses import replace

from messaging.errors import Rejected
from messaging.model.message import Address, Message, Network


def shout(message: Message) -> Message:
    return replace(message, text=message.text.upper())


def refuse_spam(message: Message) -> Message | None:
    return None if "spam" in message.text else message


def refuse_with_reason(message: Message) -> Message:
    raise Rejected("no pirates")


def crash(message: Message) -> Message:
    raise RuntimeError(message.text)


def hijack(message: Message) -> Message:
    other = Address(Network.EMAIL, "mallory@example.net")
    return replace(message, recipient=other, id="0" * 32, via="other", text="mine\0")


def nonsense(message: Message) -> Message:
    return replace(message, text=7)  # type: ignore[arg-type]


NOT_A_FUNCTION = 7
