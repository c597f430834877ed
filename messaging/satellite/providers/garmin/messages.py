"""Writes messages for inReach devices as IPC Inbound v2 takes them. Pure. Guide "IPC Inbound" 3.1.1.

A packet is a message of the API in JSON, without its device and its time, which are not known before it is sent.
"""

import json
from base64 import b64encode
from typing import Any, Final

from messaging.errors import Rejected
from messaging.model.message import Message
from messaging.satellite.codecs.limit import Limit
from messaging.satellite.codecs.protobuf import clean, packets
from messaging.satellite.providers.garmin.addresses import shown_sender
from messaging.sending.split import split

GENERIC_BINARY: Final = 1


def text_packets(message: Message, domain: str, limit: Limit, max_parts: int) -> list[bytes]:
    """Return the texts that carry `message`, in order: its subject is the first line. Raises Rejected without text."""
    lines = [line for line in (message.subject, message.text) if line.strip()]
    text = clean("\n".join(lines)).strip()
    if not text:
        raise Rejected("the message is empty, which this network does not carry")
    sender = shown_sender(message.sender, domain)
    parts = split(text, limit.size, limit.most, max_parts)
    return [_written({"Sender": sender, "Message": part}) for part in parts]


def binary_packets(message: Message, max_bytes: int, max_parts: int) -> list[bytes]:
    """Return the packets in the devices' own format that carry `message`, in order. Raises Rejected."""
    return [
        _written({"Type": GENERIC_BINARY, "Payload": b64encode(packet).decode()})
        for packet in packets(message, max_bytes, max_parts)
    ]


def is_binary(packet: bytes) -> bool:
    """Whether a packet is for `/Messaging/Binary`; the others are for `/Messaging/Message`."""
    return "Payload" in json.loads(packet)


def request_of(packet: bytes, imei: str, milliseconds: int) -> dict[str, Any]:
    """Return the body of the request that sends a packet, dated so many milliseconds after the epoch."""
    message = {"Recipients": [imei], **json.loads(packet)}
    if "Payload" not in message:
        message["Timestamp"] = f"/Date({milliseconds})/"
    return {"Messages": [message]}


def _written(message: dict[str, Any]) -> bytes:
    return json.dumps(message, ensure_ascii=False).encode()
