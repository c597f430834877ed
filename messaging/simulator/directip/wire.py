"""The frames of Iridium's gateway over DirectIP, for its simulator. Pure.

Iridium SBD developer guide 3.0, chapter on DirectIP.
"""

import struct
from dataclasses import dataclass
from datetime import UTC, datetime
from math import floor
from typing import Final

REVISION: Final = 1
OK: Final = 0
MO_HEADER, MO_PAYLOAD, MO_LOCATION, MO_CONFIRMATION = 0x01, 0x02, 0x03, 0x05
MT_HEADER, MT_PAYLOAD, MT_CONFIRMATION, MT_PRIORITY = 0x41, 0x42, 0x44, 0x46
FLUSH, RING_ALERT_ONLY, NUMBER_IS_OURS = 1, 2, 32
LOWEST_PRIORITY: Final = 5
_MINUTE_THOUSANDTHS: Final = 60_000


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectIpSession:
    """One session of a modem, as the gateway reports it. `cep_km` is the error of the position; 0: no position."""

    reference: int
    imei: str
    momsn: int
    at: datetime
    payload: bytes = b""
    status: int = OK
    mtmsn: int = 0
    latitude: float = 0.0
    longitude: float = 0.0
    cep_km: int = 0
    location_bytes: int = 11
    unknown: bytes = b""

    def frame(self) -> bytes:
        """Return its frame. `unknown` is the content of an element that is in no guide."""
        seconds = int(self.at.astimezone(UTC).timestamp())
        numbers = (self.status, self.momsn, self.mtmsn, seconds)
        header = struct.pack(">I15sBHHI", self.reference, self.imei.encode(), *numbers)
        parts = [_element(MO_HEADER, header)]
        if self.unknown:
            parts.append(_element(0x7E, self.unknown))
        if self.cep_km:
            flags = (2 if self.latitude < 0 else 0) + (1 if self.longitude < 0 else 0)
            place = (*_degrees(self.latitude), *_degrees(self.longitude))
            location = struct.pack(">BBHBHI", flags, *place, self.cep_km)
            parts.append(_element(MO_LOCATION, location.ljust(self.location_bytes, b"\0")))
        if self.payload:
            parts.append(_element(MO_PAYLOAD, self.payload))
        return _frame(b"".join(parts))


@dataclass(frozen=True, slots=True)
class DirectIpRequest:
    """The request to queue a message to a modem."""

    client_id: bytes
    imei: bytes
    flags: int
    payload: bytes
    priority: int

    def answer(self, reference: int, status: int) -> bytes:
        """Return the frame of the answer."""
        content = self.client_id + self.imei + struct.pack(">Ih", reference, status)
        return _frame(_element(MT_CONFIRMATION, content))


def request_of(frame: bytes) -> DirectIpRequest | None:
    """Read a request; None for any other frame."""
    try:
        revision, length = struct.unpack_from(">BH", frame)
        found = _elements(frame[3:])
        client_id, imei, flags = struct.unpack(">4s15sH", found[MT_HEADER])
        content = found.get(MT_PRIORITY, bytes([0, LOWEST_PRIORITY]))
        (priority,) = struct.unpack(">H", content)
    except (struct.error, KeyError):
        return None
    if (revision, length) != (REVISION, len(frame) - 3):
        return None
    if not 1 <= priority <= LOWEST_PRIORITY:
        priority = LOWEST_PRIORITY
    return DirectIpRequest(client_id, imei, flags, found.get(MT_PAYLOAD, b""), priority)


def is_yes(answer: bytes) -> bool:
    """Whether an answer confirms a message from a modem."""
    return answer == _frame(_element(MO_CONFIRMATION, b"\x01"))


def _element(id: int, content: bytes) -> bytes:
    return struct.pack(">BH", id, len(content)) + content


def _frame(body: bytes) -> bytes:
    return struct.pack(">BH", REVISION, len(body)) + body


def _elements(body: bytes) -> dict[int, bytes]:
    found = {}
    while body:
        id, length = struct.unpack_from(">BH", body)
        content, body = body[3 : 3 + length], body[3 + length :]
        if len(content) < length:
            raise struct.error("cut off")
        found[id] = content
    return found


def _degrees(angle: float) -> tuple[int, int]:
    whole = floor(abs(angle))
    return whole, min(round((abs(angle) - whole) * _MINUTE_THOUSANDTHS), _MINUTE_THOUSANDTHS - 1)
