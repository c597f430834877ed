"""Payloads in the devices' own message format, written by hand from its field numbers.

Independent of the gateway's codec, so that each checks the other.
"""

from collections.abc import Iterable, Mapping

_PROTOCOLS = {"unknown": 0, "email": 1, "sms": 2, "twitter": 3}


def device_payload(texts: Iterable[Mapping[str, str]]) -> bytes:
    """Return the payload of a device for texts with `text`, `to` and `protocol` (email, sms, unknown, twitter).

    Raises KeyError for a missing field or an unknown protocol.
    """
    messages = b""
    for text in texts:
        protocol = _PROTOCOLS[text.get("protocol", "unknown")]
        fields = _field(1, text["text"].encode()) + _field(3, text["to"].encode())
        messages += _field(2, fields + bytes([5 << 3, protocol]))
    return b"\x08\x01" + messages + b"\x18\x01"


def _field(number: int, content: bytes) -> bytes:
    return bytes([number << 3 | 2]) + _varint(len(content)) + content


def _varint(number: int) -> bytes:
    low, rest = number & 0x7F, number >> 7
    return bytes([low | 0x80]) + _varint(rest) if rest else bytes([low])
