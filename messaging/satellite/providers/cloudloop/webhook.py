"""Reads Cloudloop's webhooks: LingoMO, the two older formats, and reports of delivery. Pure.

Cloudloop's pages "LingoMO", "HTTP Webhook" and "AWS SQS" (the reports).
"""

import base64
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

from messaging.model.message import Receipt, ReceiptState
from messaging.satellite.account import Packet
from messaging.satellite.providers.iridium import (
    estimated,
    flat_packet,
    identifier,
    unreadable,
)

_REPORTS: Final[Mapping[str, ReceiptState]] = {
    "DELIVERY_SUBMITTED": ReceiptState.ON_ITS_WAY,
    "DELIVERY_ERROR": ReceiptState.FAILED,
}
_ERRORS: Final[Mapping[str, str]] = {
    "DELIVERY_ERROR_UNKNOWN": "the satellite network could not deliver it",
    "DELIVERY_ERROR_INVALID_IDENTIFIER": "the satellite network does not know this device",
    "DELIVERY_ERROR_INVALID_MESSAGE": "the satellite network calls the packet invalid",
}

_TIME_PARTS: Final = ("year", "month", "day", "hour", "minute", "second")


def read(
    fields: Mapping[str, Any],
    body: bytes,
    *,
    via: str,
    things: Mapping[str, str],
    max_error_km: float,
) -> Packet | Receipt:
    """Return what an authentic webhook brings, never an error. `things` are the devices by IMEI.

    LingoMO names the thing; the older formats only the modem, by its IMEI, which is taken as it is when `things` has
    no entry for it.
    """
    state = _REPORTS.get(str(fields.get("status")))
    if state and identifier(fields.get("id")):
        return _receipt(fields, state, via)
    if isinstance(fields.get("identity"), dict):
        return _lingo(fields, body, max_error_km)
    packet = flat_packet(fields, body, max_error_km)
    return replace(packet, serial=things.get(packet.serial, packet.serial))


def status_of(answer: Mapping[str, Any]) -> str:
    """Return the status in the answer to a look-up, a word or a number, in capitals; empty without one."""
    value = answer.get("mtMessageStatus", answer.get("status"))
    return str(value).strip().upper() if isinstance(value, str | int) else ""


def _receipt(fields: Mapping[str, Any], state: ReceiptState, via: str) -> Receipt:
    reason = _ERRORS.get(str(fields.get("error")), _ERRORS["DELIVERY_ERROR_UNKNOWN"])
    return Receipt(
        via=via,
        network_id=identifier(fields.get("id")),
        state=state,
        reason=reason if state is ReceiptState.FAILED else "",
        at=_moment(fields.get("at")),
    )


def _lingo(fields: Mapping[str, Any], body: bytes, max_error_km: float) -> Packet:
    """Read a LingoMO. Its header is named after the bearer: `sbd` has a place and a time, `imt` and others may not."""
    header = _object(fields, "sbd")
    serial, name = _serial(fields["identity"]), identifier(fields.get("id"))
    if not serial or not name:
        return unreadable(serial, body)
    payload = _base64(fields.get("message"))
    sent_at = _moment(header.get("sessionAt")) or _moment(fields.get("receivedAt"))
    where = _object(header, "location")
    return Packet(
        id=name,
        serial=serial,
        payload=payload,
        raw=body if payload is None else payload,
        texts=() if not fields.get("message") else None,
        sent_at=sent_at,
        position=estimated(
            where.get("latitude"), where.get("longitude"), where.get("cep"), max_error_km, sent_at
        ),
    )


def _serial(identity: Mapping[str, Any]) -> str:
    """Return what to send to: the thing, and without one what the device is called otherwise."""
    names = (identity.get("thingId"), identity.get("identifier"))
    return next((name for name in map(identifier, names) if name), "")


def _object(fields: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = fields.get(name)
    return found if isinstance(found, dict) else {}


def _base64(value: Any) -> bytes | None:
    try:
        return base64.b64decode(value, validate=True) or None
    except (TypeError, ValueError):
        return None


def _moment(value: Any) -> datetime | None:
    """Read `{"year": 2023, "month": 10, …}`, which is UTC."""
    try:
        return datetime(*(value[part] for part in _TIME_PARTS)).replace(tzinfo=UTC)
    except (TypeError, KeyError, ValueError, OverflowError):
        return None
