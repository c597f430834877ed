"""A message to a device over DirectIP, and what Iridium's gateway answers: bytes both ways, and what it means. Pure.

Iridium SBD developer guide 3.0, "MT DirectIP".
"""

import struct
from collections.abc import Mapping
from enum import IntFlag
from typing import Final

from messaging.errors import GatewayError, Rejected, Unavailable, Uncertain
from messaging.satellite.providers.directip.frames import (
    START_BYTES,
    Malformed,
    body_bytes,
    elements_of,
    framed,
)

HEADER: Final = 0x41
PAYLOAD: Final = 0x42
CONFIRMATION: Final = 0x44
PRIORITY: Final = 0x46
_HEADER: Final = struct.Struct(">I15sH")
_PRIORITY: Final = struct.Struct(">H")
_CONFIRMATION: Final = struct.Struct(">I15sIh")

_NEVER: Final[Mapping[int, str]] = {
    -1: "the device's serial is not an IMEI that the satellite network can read",
    -2: "the satellite network does not know this device",
    -3: "the packet is too long for the satellite network",
    -4: "the packet is empty",
    -7: "the satellite network cannot read the packet",
    -8: "the device takes no ring alerts",
    -11: "the satellite network refuses the number of the packet",
}
_LATER: Final[Mapping[int, str]] = {
    -5: "too many messages wait for the device at the satellite network",
    -6: "the satellite network has no room for the packet now",
    -9: "the device is not attached to the satellite network",
    -10: "the satellite network refuses our address",
    -12: "the satellite network refuses our certificate",
}
_REFUSES_US: Final = frozenset({-10, -12})
_OVERLOADED: Final = -6
_WAITS_FOR_OTHERS: Final = _REFUSES_US | {-5, -9}
"""What passes only when the device, or somebody, does something."""

UNREADABLE: Final = "the satellite network's answer cannot be read"


class Flags(IntFlag):
    """What the gateway is asked to do with a message."""

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
    """Return the frame of one message; no element for an empty payload. A `priority` sets its flag."""
    if priority is not None:
        flags |= Flags.USE_PRIORITY
    header = _HEADER.pack(client_id, imei.encode("ascii"), flags)
    elements = [(HEADER, header)]
    if payload:
        elements.append((PAYLOAD, payload))
    if priority is not None:
        elements.append((PRIORITY, _PRIORITY.pack(priority)))
    return framed(*elements)


def status_of(frame: bytes, client_id: int, imei: str) -> tuple[int, int]:
    """Return the gateway's id for a message and its status. Raises Uncertain when it is no answer to this message.

    The header is the same in all answers, errors included, but an error has no id (0).
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


def failure_of(status: int, hold_seconds: float) -> GatewayError | None:
    """Return what a status means; None when the message is queued (its place there, or 0).

    What waits for the device or for people (a full queue, a refused address) asks to wait `hold_seconds`.
    """
    if status >= 0:
        return None
    if status in _NEVER:
        return Rejected(_NEVER[status])
    # A status of tomorrow says that nothing was queued, and not that it never will be.
    words = _LATER.get(status, "the satellite network did not take the packet")
    return Unavailable(words, hold_seconds if status in _WAITS_FOR_OTHERS else None)


def probe_failure(status: int) -> GatewayError | None:
    """Return what is wrong when a message without a payload to no device is answered so; None when all is well."""
    if status in _REFUSES_US or status == _OVERLOADED:
        return Unavailable(_LATER[status])
    return None
