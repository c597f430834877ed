"""Frames of DirectIP for a message to a device and its answer. Pure.

Iridium SBD developer guide 3.0, "MT DirectIP".
"""

import struct
from enum import IntFlag
from typing import Final

from messaging.errors import Uncertain
from messaging.satellite.providers.directip.errors import UNREADABLE
from messaging.satellite.providers.directip.frames import (
    START_BYTES,
    Malformed,
    body_bytes,
    elements_of,
    frame_of,
)

HEADER: Final = 0x41
PAYLOAD: Final = 0x42
CONFIRMATION: Final = 0x44
PRIORITY: Final = 0x46
_HEADER: Final = struct.Struct(">I15sH")
_PRIORITY: Final = struct.Struct(">H")
_CONFIRMATION: Final = struct.Struct(">I15sIh")


class Flags(IntFlag):
    """Options of a message."""

    FLUSH = 1
    RING_ALERT_ONLY = 2
    UPDATE_LOCATION = 8
    USE_PRIORITY = 16
    NUMBER_IS_OURS = 32


def request(
    client_id: int,
    imei: str,
    payload: bytes,
    flags: Flags = Flags(0),  # noqa: B008 (a frozen value)
    priority: int | None = None,
) -> bytes:
    """Return the frame of one message. An empty payload has no element; a `priority` sets its flag."""
    if priority is not None:
        flags |= Flags.USE_PRIORITY
    header = _HEADER.pack(client_id, imei.encode("ascii"), flags)
    elements = [(HEADER, header)]
    if payload:
        elements.append((PAYLOAD, payload))
    if priority is not None:
        elements.append((PRIORITY, _PRIORITY.pack(priority)))
    return frame_of(*elements)


def status_of(frame: bytes, client_id: int, imei: str) -> tuple[int, int]:
    """Return the gateway's id for a message, and its status. Raises Uncertain unless the frame answers this message.

    The header is the same in all answers, but an error has no id (0).
    """
    try:
        if body_bytes(frame[:START_BYTES]) != len(frame) - START_BYTES:
            raise Malformed("the frame has another length than it says")
        content = elements_of(frame[START_BYTES:])[CONFIRMATION]
        echoed, echoed_imei, auto_id, status = _CONFIRMATION.unpack(content)
    except (Malformed, KeyError, struct.error):
        raise Uncertain(UNREADABLE) from None
    if (echoed, echoed_imei) != (client_id, imei.encode("ascii")):
        raise Uncertain("the satellite network's answer is to another message")
    return int(auto_id), int(status)
