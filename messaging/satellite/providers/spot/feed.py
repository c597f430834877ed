"""Reads the pages of a SPOT feed. Pure.

SPOT's page "API support" (findmespot.com) and what its readers have met: one message alone is no list, and a feed
without messages answers with an error.
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

NO_MESSAGES: Final = "E-0195"
CANCEL: Final = "-CANCEL"
LOW_BATTERY: Final = "The battery of the device is low."
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_CODE: Final = re.compile(r"E-[0-9]{1,6}")
_SERIAL: Final = re.compile(r"[A-Za-z0-9-]{1,40}")

Item = Mapping[str, Any]


class FeedError(Unavailable):
    """The feed answers with an error of its own: it is not known, or its password is wrong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How an account reads items: who gets the texts, what types are texts and emergencies, and since when.

    What was sent before `since` is about the device only: it is no news to anybody.
    """

    recipients: tuple[Address, ...]
    message_types: frozenset[str]
    emergency_types: frozenset[str]
    since: datetime


def page_of(answer: Any, reading: Reading) -> list[Packet]:
    """Return the packets of a page, in its order (the newest first).

    An item that cannot be read is a packet to be kept. Raises FeedError, or Unavailable when it is no page.
    """
    response = answer.get("response") if isinstance(answer, Mapping) else None
    if not isinstance(response, Mapping):
        raise Unavailable("the satellite network's feed cannot be read")
    if "errors" in response:
        return _empty(response["errors"])
    return [_packet(item, reading) for item in _items(response.get("feedMessageResponse"))]


def _empty(errors: Any) -> list[Packet]:
    """Return no packets when that is all the error says. Raises FeedError."""
    code = _CODE.search(json.dumps(errors))
    if code and code[0] == NO_MESSAGES:
        return []
    raise FeedError(f"the feed cannot be had ({code[0] if code else 'no code'})")


def _items(page: Any) -> list[Any]:
    messages = page.get("messages") if isinstance(page, Mapping) else None
    found = messages.get("message") if isinstance(messages, Mapping) else None
    if isinstance(found, Mapping):
        return [found]
    if not isinstance(found, list):
        raise Unavailable("the satellite network's feed cannot be read")
    return found


def _packet(item: Any, reading: Reading) -> Packet:
    raw = json.dumps(item).encode()
    known = item if isinstance(item, Mapping) else {}
    serial, number = str(known.get("messengerId", "")), known.get("id")
    if not isinstance(number, int) or isinstance(number, bool) or not _SERIAL.fullmatch(serial):
        return Packet(id=message_id("unreadable", raw), serial="", payload=None, raw=raw)
    kind = str(known.get("messageType")).strip().upper()
    sos, sent_at = _sos(kind, reading), _moment(known)
    return Packet(
        id=str(number),
        serial=serial,
        payload=None,
        raw=raw,
        texts=() if sos else _texts(known, kind, sent_at, reading),
        sent_at=sent_at,
        position=_position(known, sent_at),
        sos=sos,
        remark=_remark(known, kind) if sos else "",
    )


def _sos(kind: str, reading: Reading) -> Sos | None:
    if kind.removesuffix(CANCEL) not in reading.emergency_types:
        return None
    return Sos.CANCELLED if kind.endswith(CANCEL) else Sos.DECLARED


def _texts(item: Item, kind: str, sent_at: datetime | None, reading: Reading) -> tuple[Text, ...]:
    """Return what goes to everybody: the text of the button, or what it is called."""
    text = _content(item) or (kind if kind in reading.message_types else "")
    if not text or (sent_at is not None and sent_at < reading.since):
        return ()
    return tuple(Text(text, to) for to in reading.recipients)


def _remark(item: Item, kind: str) -> str:
    battery = LOW_BATTERY if item.get("batteryState") == "LOW" else ""
    return "\n".join(line for line in (_content(item) or kind, battery) if line)


def _content(item: Item) -> str:
    content = item.get("messageContent")
    return clean(content).strip() if isinstance(content, str) else ""


def _moment(item: Item) -> datetime | None:
    """Return when it was sent: in seconds since the epoch, else as a text."""
    seconds = item.get("unixTime")
    try:
        if isinstance(seconds, int | float) and not isinstance(seconds, bool):
            return _EPOCH + timedelta(seconds=seconds)
        found = datetime.fromisoformat(str(item.get("dateTime")))
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _position(item: Item, at: datetime | None) -> Position | None:
    """Return where it was; a device that does not know says something that is no place, or 0, 0."""
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
