"""Parts of the Iridium providers: flat webhook fields (RockBLOCK, Cloudloop), positions and credits. Pure.

Ground Control's pages "Receiving MO messages via HTTP webhook" and "Push API" (the flat fields).
"""

import json
import re
from binascii import unhexlify
from collections.abc import Mapping
from datetime import UTC, datetime
from math import ceil, isfinite
from typing import Any
from urllib.parse import parse_qsl

from messaging.model.position import Position
from messaging.model.webhook import Webhook
from messaging.satellite.account import Packet
from messaging.satellite.unreadable import unreadable

MAX_FIELDS = 200
_IDENTIFIER = re.compile(r"[A-Za-z0-9_-]{1,64}")


def fields_of(webhook: Webhook) -> Mapping[str, Any]:
    """Return the fields of a body that is a JSON object or a form; no fields for any other body."""
    try:
        text = webhook.body.decode("utf-8").strip()
        if text.startswith(("{", "[")):
            found = json.loads(text)
            return found if isinstance(found, dict) else {}
        return dict(parse_qsl(text, keep_blank_values=True, max_num_fields=MAX_FIELDS))
    except (ValueError, RecursionError):
        return {}


def flat_packet(fields: Mapping[str, Any], body: bytes, max_error_km: float) -> Packet:
    """Return the packet of flat fields. Fields that cannot be read give a packet without a payload, never an error.

    A webhook without an `id` gets one from device, sequence number and time. The number alone is not unique: it wraps
    after 65535, and starts again in a new modem. A webhook without data is a mailbox check; its packet has no texts.
    """
    imei = identifier(fields.get("imei"))
    time_text = fields.get("transmit_time") or fields.get("txAt")
    names = [fields.get("id")] if fields.get("id") else [fields.get("momsn"), time_text]
    if not imei or any(name in (None, "") for name in names):
        return unreadable(imei, body)
    try:
        payload = unhexlify("".join(fields["data"].split())) or None
    except (KeyError, AttributeError, ValueError):
        payload = None
    battery = number(fields.get("battery"))
    return Packet(
        id=" ".join([imei, *map(str, names)]),
        serial=imei,
        payload=payload,
        raw=body if payload is None else payload,
        texts=() if not fields.get("data") else None,
        sent_at=moment(fields.get("at")) or moment(time_text),
        position=_position(fields, moment(time_text), max_error_km),
        battery_percent=round(battery) if battery is not None and 0 <= battery <= 100 else None,
    )


def identifier(value: Any) -> str:
    """Return an IMEI or another id of the platform's; empty for any other value."""
    text = str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
    return text if _IDENTIFIER.fullmatch(text) else ""


def moment(value: Any) -> datetime | None:
    """Read a UTC time, written `21-10-31 10:41:50` (year first) or in ISO 8601; None for any other value."""
    text = str(value)
    try:
        return datetime.strptime(text, "%y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
    except ValueError:
        pass
    try:
        found = datetime.fromisoformat(text)
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def position_at(latitude: Any, longitude: Any, **more: Any) -> Position | None:
    """Return a position; None for an impossible place and for 0, 0, which devices report without a fix."""
    north, east = number(latitude), number(longitude)
    if north is None or east is None or north == east == 0:
        return None
    try:
        return Position(latitude=north, longitude=east, **more)
    except ValueError:
        return None


def number(value: Any) -> float | None:
    """Return a finite number; None for any other value."""
    try:
        found = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return found if isfinite(found) else None


def estimate(
    latitude: Any, longitude: Any, error_km: Any, max_error_km: float, at: datetime | None
) -> Position | None:
    """Return the satellites' estimate of a modem's position; None when its error is unknown or above `max_error_km`."""
    known = number(error_km)
    if known is None or not 0 <= known <= max_error_km:
        return None
    return position_at(latitude, longitude, accuracy_meters=known * 1000, at=at)


def credits_for(packet_bytes: int, credit_bytes: int) -> int:
    """Return the price of a packet: one credit for each started block of `credit_bytes`, and at least one."""
    return max(1, ceil(packet_bytes / credit_bytes))


def _position(
    fields: Mapping[str, Any], sent_at: datetime | None, max_error_km: float
) -> Position | None:
    """Return the device's own position, else the satellites' estimate if it is accurate enough."""
    own = position_at(
        fields.get("lat"),
        fields.get("lon"),
        altitude_meters=number(fields.get("alt")),
        at=moment(fields.get("at")),
    )
    if own is not None:
        return own
    return estimate(
        fields.get("iridium_latitude"),
        fields.get("iridium_longitude"),
        fields.get("iridium_cep", fields.get("cep")),
        max_error_km,
        sent_at,
    )
