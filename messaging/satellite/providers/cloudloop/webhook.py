"""Cloudloop's webhooks: LingoMO, the two older formats, and reports of delivery. Pure.

Cloudloop's pages "LingoMO", "HTTP Webhook" and "AWS SQS" (the reports).
"""

import base64
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

from messaging.model.message import Receipt, ReceiptState
from messaging.satellite.account import Packet
from messaging.satellite.providers.cloudloop.errors import DELIVERY_ERRORS, NOT_DELIVERED
from messaging.satellite.providers.iridium import estimate, flat_packet, identifier
from messaging.satellite.unreadable import unreadable

_REPORTS: Final[Mapping[str, ReceiptState]] = {
    "DELIVERY_SUBMITTED": ReceiptState.ON_ITS_WAY,
    "DELIVERY_ERROR": ReceiptState.FAILED,
}
_TIME_PARTS: Final = ("year", "month", "day", "hour", "minute", "second")


def read_webhook(
    fields: Mapping[str, Any],
    body: bytes,
    *,
    via: str,
    things: Mapping[str, str],
    max_error_km: float,
) -> Packet | Receipt:
    """Return the content of an authentic webhook, never an error. `things` maps IMEIs to things.

    LingoMO names the thing. The older formats name the IMEI of the modem; without an entry in `things` the IMEI is
    the serial.
    """
    state = _REPORTS.get(str(fields.get("status")))
    if state and identifier(fields.get("id")):
        return _receipt(fields, state, via)
    if isinstance(fields.get("identity"), dict):
        return _lingo(fields, body, max_error_km)
    packet = flat_packet(fields, body, max_error_km)
    return replace(packet, serial=things.get(packet.serial, packet.serial))


def _receipt(fields: Mapping[str, Any], state: ReceiptState, via: str) -> Receipt:
    reason = DELIVERY_ERRORS.get(str(fields.get("error")), NOT_DELIVERED)
    return Receipt(
        via=via,
        network_id=identifier(fields.get("id")),
        state=state,
        reason=reason if state is ReceiptState.FAILED else "",
        at=_moment(fields.get("at")),
    )


def _lingo(fields: Mapping[str, Any], body: bytes, max_error_km: float) -> Packet:
    """Read a LingoMO. The service names its header: `sbd` has a place and a time, `imt` and others may have none."""
    header = _object(fields, "sbd")
    # Messages to the device go to its thing, or without one to its identifier.
    identity = fields["identity"]
    serial = identifier(identity.get("thingId")) or identifier(identity.get("identifier"))
    name = identifier(fields.get("id"))
    if not serial or not name:
        return unreadable(serial, body)
    try:
        payload = base64.b64decode(fields["message"], validate=True) or None
    except (KeyError, TypeError, ValueError):
        payload = None
    sent_at = _moment(header.get("sessionAt")) or _moment(fields.get("receivedAt"))
    where = _object(header, "location")
    return Packet(
        id=name,
        serial=serial,
        payload=payload,
        raw=body if payload is None else payload,
        texts=() if not fields.get("message") else None,
        sent_at=sent_at,
        position=estimate(
            where.get("latitude"), where.get("longitude"), where.get("cep"), max_error_km, sent_at
        ),
    )


def _object(fields: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = fields.get(name)
    return found if isinstance(found, dict) else {}


def _moment(value: Any) -> datetime | None:
    """Read `{"year": 2023, "month": 10, …}`, which is UTC."""
    try:
        return datetime(*(value[part] for part in _TIME_PARTS)).replace(tzinfo=UTC)
    except (TypeError, KeyError, ValueError, OverflowError):
        return None
