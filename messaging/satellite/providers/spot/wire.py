"""The pages of SPOT's feeds. Pure.

SPOT's page "API support" (findmespot.com), and reports of its users: a single message is no list, and a feed without
messages answers with an error.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from messaging.errors import Unavailable
from messaging.model.message import Address, message_id
from messaging.model.position import Position
from messaging.satellite.account import Packet, Sos
from messaging.satellite.codecs.protobuf import Text, clean
from messaging.satellite.providers.spot.errors import check_errors

CANCEL: Final = "-CANCEL"
LOW_BATTERY: Final = "The battery of the device is low."
MAX_ID_DIGITS: Final = 18
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_SERIAL: Final = re.compile(r"[A-Za-z0-9-]{1,40}")

Item = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemContext:
    """Options for reading items: recipients of texts, types of texts and emergencies, and a time.

    Items sent before `since` are about the device only; their texts are too old to deliver.
    """

    recipients: tuple[Address, ...]
    message_types: frozenset[str]
    emergency_types: frozenset[str]
    since: datetime


def packets_of(answer: Any, context: ItemContext) -> list[Packet]:
    """Return the packets of a page, in its order (the newest first).

    An unreadable item gives a packet without a payload. Raises FeedError, or Unavailable for an unreadable page.
    """
    response = answer.get("response") if isinstance(answer, Mapping) else None
    if not isinstance(response, Mapping):
        raise Unavailable("the satellite network's feed cannot be read")
    if "errors" in response:
        check_errors(response["errors"])
        return []
    return [_packet(item, context) for item in _items(response.get("feedMessageResponse"))]


def _items(page: Any) -> list[Any]:
    messages = page.get("messages") if isinstance(page, Mapping) else None
    found = messages.get("message") if isinstance(messages, Mapping) else None
    if isinstance(found, Mapping):
        return [found]
    if not isinstance(found, list):
        raise Unavailable("the satellite network's feed cannot be read")
    return found


def _packet(item: Any, context: ItemContext) -> Packet:
    raw = json.dumps(item).encode()
    known = item if isinstance(item, Mapping) else {}
    serial, number = str(known.get("messengerId", "")), known.get("id")
    if isinstance(number, str) and number.isascii() and number.isdecimal():
        number = int(number[:MAX_ID_DIGITS])
    if not isinstance(number, int) or isinstance(number, bool) or not _SERIAL.fullmatch(serial):
        return Packet(id=message_id("unreadable", raw), serial="", payload=None, raw=raw)
    kind = str(known.get("messageType")).strip().upper()
    sent_at = _moment(known)
    content = known.get("messageContent")
    text = clean(content).strip() if isinstance(content, str) else ""
    sos = None
    if kind.removesuffix(CANCEL) in context.emergency_types:
        sos = Sos.CANCELLED if kind.endswith(CANCEL) else Sos.DECLARED
    is_low = known.get("batteryState") == "LOW"
    battery = LOW_BATTERY if is_low else ""
    return Packet(
        id=str(number),
        serial=serial,
        payload=None,
        raw=raw,
        texts=() if sos else _texts(text, kind, sent_at, context),
        sent_at=sent_at,
        position=_position(known, sent_at),
        battery_low=is_low or None,
        sos=sos,
        remark="\n".join(line for line in (text or kind, battery) if line) if sos else "",
    )


def _texts(
    content: str, kind: str, sent_at: datetime | None, context: ItemContext
) -> tuple[Text, ...]:
    """Return one text for each recipient: that of the button, or the name of its type."""
    text = content or (kind if kind in context.message_types else "")
    if not text or (sent_at is not None and sent_at < context.since):
        return ()
    return tuple(Text(text, to) for to in context.recipients)


def _moment(item: Item) -> datetime | None:
    """Return the time of sending, from seconds since the epoch, else from a text."""
    seconds = item.get("unixTime")
    try:
        if isinstance(seconds, int | float) and not isinstance(seconds, bool):
            return _EPOCH + timedelta(seconds=seconds)
        found = datetime.fromisoformat(str(item.get("dateTime")))
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _position(item: Item, at: datetime | None) -> Position | None:
    """Return the position; devices without a fix report an impossible place, or 0, 0."""
    try:
        latitude, longitude = float(item["latitude"]), float(item["longitude"])
        altitude = float(item.get("altitude") or 0)
        place = Position(
            latitude=latitude,
            longitude=longitude,
            altitude_meters=altitude if abs(altitude) < 1e5 and altitude else None,
            at=at,
        )
    except (KeyError, TypeError, ValueError, OverflowError):
        return None
    return None if latitude == longitude == 0 else place
