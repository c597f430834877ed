"""What the webhooks of Ground Control share, RockBLOCK's and Cloudloop's: flat fields, a secret in the path. Pure.

Ground Control's pages "Receiving MO messages via HTTP webhook" and "Push API" (the flat fields).
"""

import hmac
import json
import re
from binascii import unhexlify
from collections.abc import Mapping
from datetime import UTC, datetime
from math import ceil, isfinite
from typing import Annotated, Any
from urllib.parse import parse_qsl

from pydantic import AfterValidator, SecretStr

from messaging.model.message import message_id
from messaging.model.position import Position
from messaging.model.webhook import Webhook
from messaging.satellite.account import Packet

MAX_FIELDS = 200
MIN_SECRET_CHARACTERS = 16
_UNRESERVED = re.compile(
    r"[A-Za-z0-9._~-]+"
)  # RFC 3986 section 2.3: nobody on the way encodes these
_IDENTIFIER = re.compile(r"[A-Za-z0-9_-]{1,64}")


def _path_secret(secret: SecretStr) -> SecretStr:
    text = secret.get_secret_value()
    if len(text) < MIN_SECRET_CHARACTERS or not _UNRESERVED.fullmatch(text):
        raise ValueError(f"must be {MIN_SECRET_CHARACTERS} or more letters, digits, - or _")
    return secret


PathSecret = Annotated[SecretStr, AfterValidator(_path_secret)]
"""A setting that holds what stands last in the path of a webhook that carries no other proof."""


def has_secret(webhook: Webhook, secret: SecretStr) -> bool:
    """Whether the last part of the path is `secret`; takes the same time whatever it is."""
    last = webhook.path.rstrip("/").rpartition("/")[2]
    return hmac.compare_digest(last.encode("utf-8", "replace"), secret.get_secret_value().encode())


def fields_of(webhook: Webhook) -> Mapping[str, Any]:
    """Return the fields of a JSON object or a form, by what the body looks like; none when it is neither."""
    try:
        text = webhook.body.decode("utf-8").strip()
        if text.startswith(("{", "[")):
            found = json.loads(text)
            return found if isinstance(found, dict) else {}
        return dict(parse_qsl(text, keep_blank_values=True, max_num_fields=MAX_FIELDS))
    except (ValueError, RecursionError):
        return {}


def flat_packet(fields: Mapping[str, Any], body: bytes, max_error_km: float) -> Packet:
    """Return what flat fields say: one packet, without a payload when they cannot be read, never an error.

    Without an `id` of the platform's own the packet is named by device, sequence number and time: the number alone
    wraps after 65535, and starts again in a new modem. No data is a mailbox check, which is about the device only.
    """
    imei = identifier(fields.get("imei"))
    names = [fields.get("id")] if fields.get("id") else [fields.get("momsn"), _time_text(fields)]
    if not imei or any(name in (None, "") for name in names):
        return unreadable(imei, body)
    payload = _hex(fields.get("data"))
    return Packet(
        id=" ".join([imei, *map(str, names)]),
        serial=imei,
        payload=payload,
        raw=body if payload is None else payload,
        texts=() if not fields.get("data") else None,
        sent_at=moment(fields.get("at")) or moment(_time_text(fields)),
        position=_position(fields, max_error_km),
        battery_percent=_percent(fields.get("battery")),
    )


def unreadable(serial: str, body: bytes) -> Packet:
    """Return the packet that stands for a webhook that makes no sense, so that people can look at it."""
    return Packet(id=message_id("unreadable", body), serial=serial, payload=None, raw=body)


def identifier(value: Any) -> str:
    """Return an IMEI or another id of the platform's; empty when it is none."""
    text = str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
    return text if _IDENTIFIER.fullmatch(text) else ""


def moment(value: Any) -> datetime | None:
    """Read a time, which is UTC: `21-10-31 10:41:50` (year first), or ISO 8601; None when it is neither."""
    for read in (_short_time, datetime.fromisoformat):
        try:
            found = read(str(value))
            return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
        except (ValueError, OverflowError):
            continue
    return None


def place(latitude: Any, longitude: Any, **more: Any) -> Position | None:
    """Return a position, None when there is no such place; 0, 0 is what devices say that do not know."""
    try:
        position = Position(latitude=float(latitude), longitude=float(longitude), **more)
    except (TypeError, ValueError):
        return None
    return None if position.latitude == position.longitude == 0 else position


def number(value: Any) -> float | None:
    """Return a number, None when it is none or has no end."""
    try:
        found = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return found if isfinite(found) else None


def estimated(
    latitude: Any, longitude: Any, error_km: Any, max_error_km: float, at: datetime | None
) -> Position | None:
    """Return where the satellites think that a modem was; None when they do not, or may be more than that wrong."""
    known = number(error_km)
    if known is None or not 0 <= known <= max_error_km:
        return None
    return place(latitude, longitude, accuracy_meters=known * 1000, at=at)


def credits_for(packet_bytes: int, credit_bytes: int) -> int:
    """Return what a packet costs: one credit for each `credit_bytes` that it begins."""
    return max(1, ceil(packet_bytes / credit_bytes))


def _short_time(text: str) -> datetime:
    return datetime.strptime(text, "%y-%m-%d %H:%M:%S")


def _time_text(fields: Mapping[str, Any]) -> Any:
    return fields.get("transmit_time") or fields.get("txAt")


def _hex(value: Any) -> bytes | None:
    """Return the bytes of a hexadecimal text, with or without spaces in it."""
    try:
        return unhexlify("".join(value.split())) or None
    except (AttributeError, ValueError):
        return None


def _position(fields: Mapping[str, Any], max_error_km: float) -> Position | None:
    """Return where the device says that it was, else where the satellites think so if they are sure enough."""
    said = place(
        fields.get("lat"),
        fields.get("lon"),
        altitude_meters=number(fields.get("alt")),
        at=moment(fields.get("at")),
    )
    if said is not None:
        return said
    return estimated(
        fields.get("iridium_latitude"),
        fields.get("iridium_longitude"),
        fields.get("iridium_cep", fields.get("cep")),
        max_error_km,
        moment(_time_text(fields)),
    )


def _percent(value: Any) -> int | None:
    known = number(value)
    return round(known) if known is not None and 0 <= known <= 100 else None
