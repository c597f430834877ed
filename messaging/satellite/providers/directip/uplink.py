"""Frames of DirectIP for a message from a device, read into packets, and our answer. Pure.

Iridium SBD developer guide 3.0, "MO DirectIP".
"""

import struct
from datetime import UTC, datetime
from typing import Final

from messaging.satellite.account import Packet, Position
from messaging.satellite.providers.directip.frames import (
    Malformed,
    elements_of,
    frame_of,
    is_imei,
)
from messaging.satellite.providers.iridium import estimate
from messaging.satellite.unreadable import unreadable

HEADER: Final = 0x01
PAYLOAD: Final = 0x02
LOCATION: Final = 0x03
CONFIRMATION: Final = 0x05
_HEADER: Final = struct.Struct(">I15sBHHI")
_LOCATION: Final = struct.Struct(">BBHBHI")
_SOUTH: Final = 2
_WEST: Final = 1
_THOUSANDTHS_OF_MINUTES: Final = 60_000


def packet_of(body: bytes, max_error_km: float) -> Packet:
    """Return the packet in the body of a frame; an unreadable body gives a packet without a payload, never an error.

    The id consists of the device, the session and the gateway's own unique reference, so that a repetition has the
    same id. A session without a payload (a mailbox check, a failed session) is about the device only. The satellites'
    estimate of the position is used when its error is at most `max_error_km`.
    """
    try:
        elements = elements_of(body)
        reference, imei, _, momsn, _, seconds = _HEADER.unpack(elements[HEADER])
    except (Malformed, KeyError, struct.error):
        return unreadable("", body)
    serial = imei.decode("ascii", "replace")
    if not is_imei(serial):
        return unreadable("", body)
    payload = elements.get(PAYLOAD) or None
    sent_at = datetime.fromtimestamp(seconds, UTC)
    return Packet(
        id=f"{serial} {momsn} {seconds} {reference}",
        serial=serial,
        payload=payload,
        raw=payload or body,
        texts=() if payload is None else None,
        sent_at=sent_at,
        position=_position(elements.get(LOCATION, b""), max_error_km, sent_at),
    )


def confirmation(stored: bool) -> bytes:
    """Return the answer to the gateway, which deletes a message that is `stored`."""
    return frame_of((CONFIRMATION, bytes([stored])))


def _position(content: bytes, max_error_km: float, at: datetime) -> Position | None:
    """Read the first 11 bytes of a location (the guide prints other lengths); None for an impossible place."""
    if len(content) < _LOCATION.size:
        return None
    flags, north, north_minutes, east, east_minutes, error_km = _LOCATION.unpack_from(content)
    latitude = north + north_minutes / _THOUSANDTHS_OF_MINUTES
    longitude = east + east_minutes / _THOUSANDTHS_OF_MINUTES
    return estimate(
        -latitude if flags & _SOUTH else latitude,
        -longitude if flags & _WEST else longitude,
        error_km,
        max_error_km,
        at,
    )
