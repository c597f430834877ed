"""Bytes of a satellite packet ↔ texts, in the format of `message_data.proto`. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from google.protobuf.message import DecodeError

from messaging.errors import Rejected
from messaging.model import address_syntax
from messaging.model.message import Address, Message, Network
from messaging.satellite.codecs.message_data_pb2 import (
    LenientMessage,
    LenientMessageData,
    MessageDataPB,
)
from messaging.satellite.codecs.message_data_pb2 import Message as WireMessage
from messaging.sending.split import split
from messaging.words.subject import lines_to_show

VERSION = 1
_PROTOCOLS = {Network.EMAIL: WireMessage.EMAIL, Network.SMS: WireMessage.SMS}


class Undecodable(Rejected):
    """These bytes can never become a message; the text is the reason in plain words."""


@dataclass(frozen=True, slots=True)
class Text:
    """One text in a packet. `to` is its recipient (up) or its sender (down)."""

    text: str
    to: Address


def decode(payload: bytes) -> list[Text | Undecodable]:
    """Return the messages from a device, in order: the text of each, or the reason why it cannot be read.

    Addresses are normalised (E.164, domain in lower case). Broken characters become U+FFFD. Raises Undecodable for a
    packet that is not in this format; raises nothing else.
    """
    return [_read_one(raw) for raw in _messages(payload)]


def display_of(payload: bytes) -> list[tuple[str, str]]:
    """Return the display of a device for a downlink: (from, text) per message, unchecked and not normalised.

    Raises Undecodable as `decode` does, and also for one broken message.
    """
    messages = [_parse(raw) for raw in _messages(payload)]
    return [(_decode_text(m.to), _decode_text(m.text)) for m in messages]


def encode(texts: Sequence[Text], *, from_device: bool) -> bytes:
    """Return one packet that carries `texts`. Lone surrogates and NUL, which no device can display, are replaced."""
    data = MessageDataPB(version=VERSION, from_device=from_device)
    for text in texts:
        protocol = _PROTOCOLS.get(text.to.network, WireMessage.UNKNOWN)
        data.message.add(text=clean(text.text), to=clean(text.to.value), protocol=protocol)
    return data.SerializeToString()


def packets(message: Message, max_packet_bytes: int, max_parts: int) -> list[bytes]:
    """Return the downlink packets that carry `message` to its device, in order; the same for the same arguments.

    A subject that is news is the first line. The sender is in the field that the device answers to. Raises Rejected
    when the sender's address leaves no room for text.
    """

    def packet(part: str) -> bytes:
        return encode([Text(part, message.sender)], from_device=False)

    text = clean(lines_to_show(message.subject, message.text))
    rest = message.rest_characters
    parts = split(text, lambda p: len(packet(p)), max_packet_bytes, max_parts, rest)
    return [packet(part) for part in parts]


def _messages(payload: bytes) -> list[bytes]:
    data = LenientMessageData()
    try:
        data.ParseFromString(payload)
    except DecodeError:
        raise Undecodable("the packet is not in the devices' message format") from None
    if data.version != VERSION:
        raise Undecodable("the packet is in an unknown version of the devices' message format")
    if not data.message:
        raise Undecodable("the packet holds no message")
    return list(data.message)


def _parse(raw: bytes) -> LenientMessage:
    message = LenientMessage()
    try:
        message.ParseFromString(raw)
    except DecodeError:
        raise Undecodable("the message is garbled") from None
    return message


def _read_one(raw: bytes) -> Text | Undecodable:
    try:
        message = _parse(raw)
        if not message.HasField("text"):
            raise Undecodable("the message has no text")
        return Text(clean(_decode_text(message.text)), _recipient(message))
    except Undecodable as error:
        return error


def _recipient(message: LenientMessage) -> Address:
    to = _decode_text(message.to).strip()
    # A protocol that is not in this format parses as absent, and must not pass for UNKNOWN.
    if not message.HasField("protocol") or message.protocol == WireMessage.TWITTER:
        raise Undecodable("the message asks for a network that is not served")
    if message.protocol == WireMessage.EMAIL:
        return Address(Network.EMAIL, mailbox(to))
    if message.protocol == WireMessage.SMS:
        return Address(Network.SMS, phone_number(to))
    if "@" in to:
        return Address(Network.EMAIL, mailbox(to))
    return Address(Network.SMS, phone_number(to))


def mailbox(text: str) -> str:
    """Check a mail address and put its domain in lower case. Raises Undecodable."""
    found = address_syntax.mailbox(text)
    if found is None:
        raise Undecodable("the recipient is not a mail address")
    return found


def phone_number(text: str, region: str | None = None) -> str:
    """Return the E.164 form. A number without a country code belongs to `region` (ISO 3166, such as US).

    Raises Undecodable, also for a number without a country code when there is no region.
    """
    found = address_syntax.phone_number(text, region)
    if found is None:
        raise Undecodable("the recipient is not a phone number with its country code")
    return found


def _decode_text(raw: bytes) -> str:
    return raw.decode("utf-8", "replace")


def clean(text: str) -> str:
    """Return `text` without lone surrogates and NUL, which no device and no store can hold."""
    return text.encode("utf-8", "replace").decode().replace("\0", "")
