"""Bytes of a satellite packet ↔ texts, in the format of `message_data.proto`. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from google.protobuf.message import DecodeError

from messaging.errors import Rejected
from messaging.model.address_syntax import mailbox as written_mailbox
from messaging.model.address_syntax import phone_number as written_number
from messaging.model.message import Address, Message, Network
from messaging.satellite.codecs.message_data_pb2 import (
    LenientMessage,
    LenientMessageData,
    MessageDataPB,
)
from messaging.satellite.codecs.message_data_pb2 import Message as WireMessage
from messaging.sending.split import split

VERSION = 1
_PROTOCOLS = {Network.EMAIL: WireMessage.EMAIL, Network.SMS: WireMessage.SMS}


class Undecodable(Rejected):
    """These bytes can never become a message; says why in plain words."""


@dataclass(frozen=True, slots=True)
class Text:
    """One text in a packet. `to` is whom it is for (up) or from (down)."""

    text: str
    to: Address


def decode(payload: bytes) -> list[Text | Undecodable]:
    """Return what a device sent, in order: per message its text, or why that one cannot be read.

    Addresses come normalised (E.164, domain in lower case). Letters broken on the way are shown as U+FFFD. Raises
    Undecodable when the packet as a whole is no packet of this format; never raises anything else.
    """
    return [_read_one(raw) for raw in _messages(payload)]


def shown(payload: bytes) -> list[tuple[str, str]]:
    """Return what a device shows for a downlink: (from, text) per message, with nothing checked or normalised.

    Raises Undecodable like `decode`, and also when one message in it is broken.
    """
    messages = [_parsed(raw) for raw in _messages(payload)]
    return [(_letters(m.to), _letters(m.text)) for m in messages]


def encode(texts: Sequence[Text], *, from_device: bool) -> bytes:
    """Return one packet that carries `texts`. Lone surrogates and NUL, which no device can show, are replaced."""
    data = MessageDataPB(version=VERSION, from_device=from_device)
    for text in texts:
        protocol = _PROTOCOLS.get(text.to.network, WireMessage.UNKNOWN)
        data.message.add(text=clean(text.text), to=clean(text.to.value), protocol=protocol)
    return data.SerializeToString()


def packets(message: Message, max_packet_bytes: int, max_parts: int) -> list[bytes]:
    """Return the downlink packets that carry `message` to its device, in order; the same for the same arguments.

    The subject is the first line; the sender stands where the device looks for whom to answer. Raises Rejected when
    the sender's address leaves no room for text.
    """

    def packet(part: str) -> bytes:
        return encode([Text(part, message.sender)], from_device=False)

    lines = [line for line in (message.subject, message.text) if line]
    parts = split(clean("\n".join(lines)), lambda p: len(packet(p)), max_packet_bytes, max_parts)
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


def _parsed(raw: bytes) -> LenientMessage:
    message = LenientMessage()
    try:
        message.ParseFromString(raw)
    except DecodeError:
        raise Undecodable("the message is garbled") from None
    return message


def _read_one(raw: bytes) -> Text | Undecodable:
    try:
        message = _parsed(raw)
        if not message.HasField("text"):
            raise Undecodable("the message has no text")
        return Text(clean(_letters(message.text)), _recipient(message))
    except Undecodable as error:
        return error


def _recipient(message: LenientMessage) -> Address:
    to = _letters(message.to).strip()
    # A protocol that this format does not name parses as "not there", and must not pass for UNKNOWN.
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
    found = written_mailbox(text)
    if found is None:
        raise Undecodable("the recipient is not a mail address")
    return found


def phone_number(text: str, region: str | None = None) -> str:
    """Return the E.164 form. A number without a country code is one of `region` (ISO 3166, such as US).

    Without a region nobody knows whose number that is. Raises Undecodable.
    """
    found = written_number(text, region)
    if found is None:
        raise Undecodable("the recipient is not a phone number with its country code")
    return found


def _letters(raw: bytes) -> str:
    return raw.decode("utf-8", "replace")


def clean(text: str) -> str:
    """Return `text` without what no device and no store can hold: lone surrogates and NUL."""
    return text.encode("utf-8", "replace").decode().replace("\0", "")
