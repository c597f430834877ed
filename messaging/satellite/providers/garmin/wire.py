"""Bodies of IPC Inbound v2: messages to inReach devices, answers and error codes. Pure. Guide "IPC Inbound" 3.1.1.

A packet is a message of the API in JSON, without its device and its date, which `request_of` adds.
"""

import json
from base64 import b64decode, b64encode
from typing import Any, Final

import httpx

from messaging.errors import Rejected, Unavailable, Uncertain
from messaging.model.message import Message
from messaging.satellite.codecs.plain_text import Limit
from messaging.satellite.codecs.protobuf import clean, packets
from messaging.satellite.http_client import json_of
from messaging.satellite.providers.garmin.addresses import sender_address
from messaging.sending.split import split
from messaging.words.subject import lines_to_show

GENERIC_BINARY: Final = 1


def text_packets(message: Message, domain: str, limit: Limit, max_parts: int) -> list[bytes]:
    """Return the texts that carry `message`, in order, below a subject that is news. Raises Rejected without text."""
    text = clean(lines_to_show(message.subject.strip(), message.text.strip()))
    if not text:
        raise Rejected("the message is empty, which this network does not carry")
    sender = sender_address(message.sender, domain)
    parts = split(text, limit.size, limit.most, max_parts, message.rest_characters)
    return [_json({"Sender": sender, "Message": part}) for part in parts]


def binary_packets(message: Message, max_bytes: int, max_parts: int) -> list[bytes]:
    """Return the packets in the devices' own format that carry `message`, in order. Raises Rejected."""
    return [
        _json({"Type": GENERIC_BINARY, "Payload": b64encode(packet).decode()})
        for packet in packets(message, max_bytes, max_parts)
    ]


def content_of(packet: bytes) -> bytes:
    """Return the text of a packet, or its payload in the devices' own format."""
    fields = json.loads(packet)
    return b64decode(fields["Payload"]) if "Payload" in fields else str(fields["Message"]).encode()


def is_binary(packet: bytes) -> bool:
    """Whether a packet goes to `/Messaging/Binary`; the others go to `/Messaging/Message`."""
    return "Payload" in json.loads(packet)


def request_of(packet: bytes, imei: str, milliseconds: int) -> dict[str, Any]:
    """Return the body of the request that sends a packet, dated `milliseconds` after the epoch."""
    message = {"Recipients": [imei], **json.loads(packet)}
    if "Payload" not in message:
        message["Timestamp"] = f"/Date({milliseconds})/"
    return {"Messages": [message]}


def error_code(response: httpx.Response) -> int | None:
    """Return the error code in an answer; None without one."""
    answer = json_of(response)
    code = answer.get("Code") if isinstance(answer, dict) and not response.is_success else None
    return code if isinstance(code, int) and not isinstance(code, bool) else None


def read_count(answer: Any) -> int:
    """Return the number of accepted messages. Raises Uncertain when the answer makes no sense, Unavailable for 0."""
    count = answer.get("count") if isinstance(answer, dict) else None
    if not isinstance(count, int) or isinstance(count, bool) or count < 0:
        raise Uncertain("the satellite network's answer cannot be read")
    if count == 0:
        raise Unavailable("the satellite network took no message")
    return count


def _json(message: dict[str, Any]) -> bytes:
    return json.dumps(message, ensure_ascii=False).encode()
