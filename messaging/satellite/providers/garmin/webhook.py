"""Events of inReach devices, as Garmin posts them (IPC Outbound, versions 2, 3 and 4). Pure; never raises.

Guide "IPC Outbound" 2.0.8. Depending on version and encryption, a property without a value is null or missing. So all
properties but the device and the message code are optional.
"""

import json
import logging
import re
from base64 import b64decode
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import isfinite
from typing import Any, Final

from messaging.model.message import message_id
from messaging.model.position import Position
from messaging.satellite.account import Packet
from messaging.satellite.codecs.protobuf import Text, Undecodable, clean
from messaging.satellite.providers.garmin.addresses import recipient
from messaging.satellite.providers.garmin.event_codes import (
    MEANINGS,
    UNKNOWN,
    EventKind,
    EventMeaning,
)
from messaging.satellite.unreadable import unreadable

log = logging.getLogger(__name__)

LOW_BATTERY: Final = "The battery of the device is low."
NO_RECIPIENT: Final = "the message names no recipient"
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_IMEI: Final = re.compile(r"[0-9]{15}")
_WHOLE: Final = re.compile(r"[0-9]{1,15}")
UNDATED_WINDOW_SECONDS: Final = 600.0
"""Equal events without a time are repetitions within this window, which is longer than Garmin's waits."""

Event = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class EventContext:
    """Options for reading events: own mail domain, region of short phone numbers, texts of buttons.

    `received_at` is the time of the post. It distinguishes events that have no time of their own.
    """

    domain: str = ""
    region: str | None = None
    predefined: Mapping[int, str]
    received_at: datetime = _EPOCH


def packets_of(body: bytes, context: EventContext) -> list[Packet]:
    """Return the packets of a post: emergencies first, so that no other event delays them, else in order.

    An unreadable post or event gives a packet without a payload.
    """
    try:
        events = json.loads(body)["Events"]
        if not isinstance(events, list):
            raise TypeError
    except (ValueError, RecursionError, TypeError, KeyError):
        return [unreadable("", body)]
    packets: list[Packet] = []
    for event in events:
        try:
            packets += _packets(event, context)
        except RecursionError:
            packets.append(unreadable("", b"an event of too many levels"))
        except Exception as error:
            # One event that a bug cannot read must not hide an emergency among the others.
            log.error("an inReach event cannot be read (%s); it is kept", type(error).__name__)
            packets.append(unreadable("", json.dumps(event).encode()))
    return sorted(packets, key=lambda packet: packet.sos is None)


def _packets(event: Any, context: EventContext) -> list[Packet]:
    """Return one packet for each device of an event; lists with commas have been reported."""
    raw = json.dumps(event).encode()
    known = event if isinstance(event, Mapping) else {}
    code = _code(known)
    if code is None:
        return [unreadable(_serial(known.get("imei")), raw)]
    meaning = MEANINGS.get(code, UNKNOWN)
    if meaning.kind is EventKind.NOTE or meaning is UNKNOWN:
        log.info("an inReach event with code %d: %s", code, meaning.name)
    return [
        _packet(serial, known, meaning, raw, context)
        if serial or meaning.kind is EventKind.ALARM
        else unreadable("", raw)
        for serial in map(_serial, str(known.get("imei")).split(","))
    ]


def _packet(
    serial: str, event: Event, meaning: EventMeaning, raw: bytes, context: EventContext
) -> Packet:
    payload = None
    if meaning.kind is EventKind.DECODE:
        with suppress(KeyError, TypeError, ValueError):
            payload = b64decode(event["payload"], validate=True)
    status = event.get("status")
    is_low = isinstance(status, Mapping) and status.get("lowBattery") == 1
    remark = ""
    if meaning.sos:
        remark = "\n".join(line for line in (_text(event), LOW_BATTERY if is_low else "") if line)
    sent_at = _moment(event.get("timeStamp"))
    return Packet(
        id=_identity(serial, event, sent_at, context.received_at),
        serial=serial or "unknown",
        payload=payload,
        raw=raw if payload is None else payload,
        texts=None if payload else tuple(_texts(event, meaning, context)),
        sent_at=sent_at,
        position=_position(event.get("point"), sent_at),
        battery_low=is_low or None,
        sos=meaning.sos,
        remark=remark,
    )


def _identity(serial: str, event: Event, sent_at: datetime | None, received_at: datetime) -> str:
    """Return an id for an event, which has none of its own; a repetition has the same id.

    Without a time, two emergencies or two equal messages would have the same id for ever. So they have the same id only
    within one window.
    """
    names = ("timeStamp", "messageCode", "freeText", "payload", "mediaId")
    values = [event.get(name) for name in names]
    if sent_at is None:
        values.append(received_at.timestamp() // UNDATED_WINDOW_SECONDS)
    return f"{serial} {message_id(serial, json.dumps(values))}"


def _texts(
    event: Event, meaning: EventMeaning, context: EventContext
) -> Iterator[Text | Undecodable]:
    if meaning.kind in (EventKind.DECODE, EventKind.UNREADABLE):
        yield Undecodable(f"the gateway cannot read this: {meaning.name}")
        return
    # An event of a button or a list may have no text; the operator's own text comes before ours.
    text = _text(event) or context.predefined.get(_code(event) or 0, meaning.text)
    if not text:
        return
    entries = event.get("addresses")
    addresses = []
    for entry in entries if isinstance(entries, list) else ():
        address = entry.get("address") if isinstance(entry, Mapping) else entry
        if address not in (None, ""):
            addresses.append(clean(str(address)))
    if not addresses and meaning.kind is not EventKind.ALARM:
        yield Undecodable(NO_RECIPIENT)
    known: set[str] = set()
    for address in addresses:
        try:
            to = recipient(address, context.domain, context.region)
        except Undecodable as error:
            yield error
        else:
            # Mail servers take a local part in any case: one person, one mail.
            if to is not None and to.value.lower() not in known:
                known.add(to.value.lower())
                yield Text(text, to)


def _text(event: Event) -> str:
    lines = [_string(event.get("freeText")), _string(event.get("transcription")), _media(event)]
    return "\n".join(line for line in lines if line.strip())


def _media(event: Event) -> str:
    kind = _string(event.get("mediaType"))
    if not kind:
        return ""
    noun = {"image": "picture", "audio": "recording"}.get(kind.partition("/")[0], "attachment")
    return f"[1 {noun} left out]"


def _position(point: Any, at: datetime | None) -> Position | None:
    """Return the position of the device. All zeros without a fix mean that the position is unknown.

    Other values without a fix may be the last known position, so they are used.
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
    """Return the message code, also from a text, so that no emergency is lost over its type."""
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
