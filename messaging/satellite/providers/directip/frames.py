"""The frames of Iridium's DirectIP: a revision, a length, and information elements. Pure.

Iridium SBD developer guide 3.0, chapter on DirectIP: big endian throughout; the same framing in both directions.
"""

import re
import struct
from collections.abc import Mapping
from typing import Final

REVISION: Final = 1
START_BYTES: Final = 3
_START: Final = struct.Struct(">BH")
_ELEMENT: Final = struct.Struct(">BH")
_IMEI: Final = re.compile(r"[0-9]{15}")


class Malformed(Exception):
    """These bytes are no DirectIP frame; the text is the reason in plain words."""


def is_imei(serial: str) -> bool:
    """Whether DirectIP can carry this serial: 15 digits."""
    return _IMEI.fullmatch(serial) is not None


def body_bytes(start: bytes) -> int:
    """Return the number of bytes after the first three of a frame. Raises Malformed."""
    try:
        revision, length = _START.unpack(start)
    except struct.error:
        raise Malformed("the frame ends before it begins") from None
    if revision != REVISION:
        raise Malformed(f"the frame has the unknown revision {revision}")
    return int(length)


def frame_of(*elements: tuple[int, bytes]) -> bytes:
    """Return a frame of (id, content) pairs."""
    body = b"".join(_ELEMENT.pack(id, len(content)) + content for id, content in elements)
    return _START.pack(REVISION, len(body)) + body


def elements_of(body: bytes) -> Mapping[int, bytes]:
    """Return the elements of a frame's body by id; of two with the same id, the first.

    Raises Malformed when an element extends beyond the end.
    """
    found: dict[int, bytes] = {}
    at = 0
    while at < len(body):
        if at + _ELEMENT.size > len(body):
            raise Malformed("an element of the frame is cut off")
        id, length = _ELEMENT.unpack_from(body, at)
        at += _ELEMENT.size
        if at + length > len(body):
            raise Malformed("an element of the frame is longer than the frame")
        found.setdefault(id, body[at : at + length])
        at += length
    return found
