"""Reads what Garmin posts about its devices (IPC Outbound, versions 2, 3 and 4). Pure; never raises.

Guide "IPC Outbound" 2.0.8. Depending on the version and on encryption a property that has no value is null or not
there, so all but the device and the message code may be missing.
"""

import json
import logging
import re
from base64 import b64decode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import isfinite
from typing import Any, Final

from messaging.model.message import message_id
from messaging.model.position import Position
from messaging.satellite.account import Packet
from messaging.satellite.codecs.protobuf import Text, Undecodable, clean
from messaging.satellite.providers.garmin.addresses import recipient
from messaging.satellite.providers.garmin.codes import MEANINGS, UNKNOWN, Act, Meaning

log = logging.getLogger(__name__)

LOW_BATTERY: Final = "The battery of the device is low."
NOBODY: Final = "the message names nobody to deliver it to"
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_IMEI: Final = re.compile(r"[0-9]{15}")
_WHOLE: Final = re.compile(r"[0-9]{1,15}")
UNDATED_WINDOW_SECONDS: Final = 600.0
"""For how long an event without a time counts as the same again: longer than Garmin's ladder of repeats."""

Event = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How an account reads events: its own mail domain, the region of short phone numbers, texts of buttons.

    `received_at` is when the post came, which tells events apart that have no time of their own.
    """

    domain: str = ""
    region: str | None = None
    predefined: Mapping[int, str]
    received_at: datetime = _EPOCH


def packets_of(body: bytes, reading: Reading) -> list[Packet]:
    """Return what a post brings, emergencies first and else event by event; what cannot be read is kept as a packet.

    Emergencies first: nothing else in the post, be it slow to store, keeps them back.
    """
    try:
        events = json.loads(body)["Events"]
        if not isinstance(events, list):
            raise TypeError
    except (ValueError, RecursionError, TypeError, KeyError):
        return [_unreadable("", body)]
    packets = [packet for event in events for packet in _of_event(event, reading)]
    return sorted(packets, key=lambda packet: packet.sos is None)


def _of_event(event: Any, reading: Reading) -> list[Packet]:
    try:
        return list(_packets(event, reading))
    except RecursionError:
        return [_unreadable("", b"an event of too many levels")]


def _packets(event: Any, reading: Reading) -> Iterator[Packet]:
    """Yield one packet for each device of an event: a list of them, with commas, has been seen."""
    raw = json.dumps(event).encode()
    known = event if isinstance(event, Mapping) else {}
    code = _code(known)
    if code is None:
        yield _unreadable(_serial(known.get("imei")), raw)
        return
    meaning = MEANINGS.get(code, UNKNOWN)
    if meaning.act is Act.NOTE or meaning is UNKNOWN:
        log.info("an inReach event with code %d: %s", code, meaning.name)
    for imei in str(known.get("imei")).split(","):
        serial = _serial(imei)
        if serial or meaning.act is Act.ALARM:
            yield _packet(serial, known, meaning, raw, reading)
        else:
            yield _unreadable("", raw)


def _packet(serial: str, event: Event, meaning: Meaning, raw: bytes, reading: Reading) -> Packet:
    payload = _bytes(event.get("payload")) if meaning.act is Act.DECODE else None
    sent_at = _moment(event.get("timeStamp"))
    return Packet(
        id=_identity(serial, event, sent_at, reading.received_at),
        serial=serial or "unknown",
        payload=payload,
        raw=raw if payload is None else payload,
        texts=None if payload else tuple(_texts(event, meaning, reading)),
        sent_at=sent_at,
        position=_position(event.get("point"), sent_at),
        sos=meaning.sos,
        remark=_remark(event) if meaning.sos else "",
    )


def _identity(serial: str, event: Event, sent_at: datetime | None, received_at: datetime) -> str:
    """Name an event, which has no id of its own, so that it is known again when it is posted again.

    Without a time two calls for help would look alike for ever, and so would two equal messages; so they are the same
    only when they come within one window.
    """
    facts = ("timeStamp", "messageCode", "freeText", "payload", "mediaId")
    said = [event.get(fact) for fact in facts]
    if sent_at is None:
        said.append(received_at.timestamp() // UNDATED_WINDOW_SECONDS)
    return f"{serial} {message_id(serial, json.dumps(said))}"


def _texts(event: Event, meaning: Meaning, reading: Reading) -> Iterator[Text | Undecodable]:
    if meaning.act in (Act.DECODE, Act.HOLD):
        yield Undecodable(f"the gateway cannot read this: {meaning.name}")
        return
    text = _said(event) or _button(event, meaning, reading)
    addresses = list(_addresses(event.get("addresses")))
    if not text:
        return
    if not addresses and meaning.act is not Act.ALARM:
        yield Undecodable(NOBODY)
    for typed in addresses:
        try:
            to = recipient(typed, reading.domain, reading.region)
        except Undecodable as error:
            yield error
        else:
            if to is not None:
                yield Text(text, to)


def _button(event: Event, meaning: Meaning, reading: Reading) -> str:
    """Return what a button or an entry of a list says, as the operator wrote it down, where the event does not."""
    return reading.predefined.get(_code(event) or 0, meaning.says)


def _said(event: Event) -> str:
    lines = [_string(event.get("freeText")), _string(event.get("transcription")), _media(event)]
    return "\n".join(line for line in lines if line.strip())


def _media(event: Event) -> str:
    kind = _string(event.get("mediaType"))
    if not kind:
        return ""
    noun = {"image": "picture", "audio": "recording"}.get(kind.partition("/")[0], "attachment")
    return f"[1 {noun} left out]"


def _remark(event: Event) -> str:
    status = event.get("status")
    is_low = isinstance(status, Mapping) and status.get("lowBattery") == 1
    return "\n".join(line for line in (_said(event), LOW_BATTERY if is_low else "") if line)


def _addresses(value: Any) -> Iterator[str]:
    for one in value if isinstance(value, list) else ():
        typed = one.get("address") if isinstance(one, Mapping) else one
        if typed not in (None, ""):
            yield clean(str(typed))


def _position(point: Any, at: datetime | None) -> Position | None:
    """Return where the device was. All zeros mean that it does not know: only with a fix they are a place.

    Without a fix anything else may be where it last was, which is better than nothing.
    """
    if not isinstance(point, Mapping):
        return None
    latitude, longitude = _number(point.get("latitude")), _number(point.get("longitude"))
    if latitude is None or longitude is None or not (point.get("gpsFix") or latitude or longitude):
        return None
    try:
        return Position(
            latitude=latitude,
            longitude=longitude,
            altitude_meters=_number(point.get("altitude")),
            at=at,
        )
    except ValueError:
        return None


def _unreadable(serial: str, raw: bytes) -> Packet:
    return Packet(id=message_id("unreadable", raw), serial=serial, payload=None, raw=raw)


def _serial(imei: Any) -> str:
    text = str(imei).strip()
    return text if _IMEI.fullmatch(text) else ""


def _moment(milliseconds: Any) -> datetime | None:
    is_text = isinstance(milliseconds, str) and _WHOLE.fullmatch(milliseconds)
    number = _number(int(milliseconds) if is_text else milliseconds)
    try:
        return _EPOCH + timedelta(milliseconds=number) if number else None
    except OverflowError:
        return None


def _code(event: Event) -> int | None:
    """Return the message code, also when it is written as a text: a call for help must not be lost over that."""
    value = event.get("messageCode")
    if isinstance(value, str) and _WHOLE.fullmatch(value.strip()):
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _number(value: Any) -> float | None:
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    try:
        return float(value) if isfinite(value) else None
    except OverflowError:
        return None


def _string(value: Any) -> str:
    return clean(value) if isinstance(value, str) else ""


def _bytes(value: Any) -> bytes | None:
    try:
        return b64decode(value, validate=True)
    except (TypeError, ValueError):
        return None
