"""Reads a calendar invitation (RFC 5545): the event, its times and its place. Pure."""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from zoneinfo import ZoneInfo

from messaging.mail.parse.calendar_zone import MAX_RULES, ZoneRule, read_rule, zone_at
from messaging.model.invitation import EventTime, Invitation

MAX_CALENDAR_CHARS: Final = 100_000
MAX_VALUE_CHARS: Final = 300
MAX_ZONE_CHARS: Final = 60
_RULES: Final = ("STANDARD", "DAYLIGHT")
_FOLD: Final = re.compile(r"\r?\n[ \t]")
_LINE: Final = re.compile(r"([A-Za-z-]{1,40})((?:;[^:\n\"]*(?:\"[^\"\n]*\"[^:\n\"]*)*)?):(.*)")
_ESCAPE: Final = re.compile(r"\\(.)")
_STAMP: Final = re.compile(r"(\d{4})(\d\d)(\d\d)(?:T(\d\d)(\d\d)\d\d(Z?))?")


@dataclass(frozen=True, slots=True)
class _Property:
    """A line of a calendar; `number` tells two components of one kind apart."""

    component: str
    number: int
    name: str
    parameters: str
    value: str


_NO_PROPERTY: Final = _Property("", 0, "", "", "")


def read_invitation(text: str) -> Invitation | None:
    """Return the first event; None when there is none. Never raises."""
    properties = list(_read_properties(text))
    of_events = [one for one in properties if one.component == "VEVENT"]
    first = [one for one in of_events if one.number == of_events[0].number]
    fields = {one.name: one for one in reversed(first)}
    if "DTSTART" not in fields and "SUMMARY" not in fields:
        return None
    zones = _read_zones(properties)
    methods = (one.value for one in properties if one.name == "METHOD")
    is_cancelled = fields.get("STATUS", _NO_PROPERTY).value.strip().upper() == "CANCELLED"
    return Invitation(
        _plain(fields.get("SUMMARY", _NO_PROPERTY).value),
        _read_time(fields.get("DTSTART", _NO_PROPERTY), zones),
        _read_time(fields.get("DTEND", _NO_PROPERTY), zones),
        _plain(fields.get("LOCATION", _NO_PROPERTY).value),
        "CANCEL" if is_cancelled else next(methods, "").strip().upper(),
    )


def _read_properties(text: str) -> Iterator[_Property]:
    components = [("", 0)]
    number = 0
    for line in _FOLD.sub("", text[:MAX_CALENDAR_CHARS]).splitlines():
        match = _LINE.fullmatch(line)
        if match is None:
            continue
        name, value = match[1].upper(), match[3][:MAX_VALUE_CHARS]
        if name == "BEGIN":
            number += 1
            components.append((value.strip().upper(), number))
        elif name == "END":
            components = components[:-1] or [("", 0)]
        else:
            yield _Property(*components[-1], name, match[2], value)


def _read_zones(properties: Sequence[_Property]) -> dict[str, list[ZoneRule]]:
    """Return the rules of the zones that the calendar defines, by their names."""
    rules: dict[tuple[str, int], dict[str, str]] = defaultdict(dict)
    name = ""
    for one in properties:
        if one.component == "VTIMEZONE" and one.name == "TZID":
            name = _zone_name(one.value)
        elif one.component in _RULES and len(rules) < MAX_RULES:
            rules[name, one.number][one.name] = one.value
    zones: dict[str, list[ZoneRule]] = defaultdict(list)
    for (zone, _), fields in rules.items():
        if rule := read_rule(fields):
            zones[zone].append(rule)
    return zones


def _plain(value: str) -> str:
    unescaped = _ESCAPE.sub(lambda match: " " if match[1] in "nN" else match[1], value)
    return " ".join(unescaped.split())


def _zone_name(text: str) -> str:
    return " ".join(text.strip('" ').split())[:MAX_ZONE_CHARS]


def _read_time(property: _Property, zones: Mapping[str, Sequence[ZoneRule]]) -> EventTime | None:
    match = _STAMP.match(property.value.strip())
    if match is None:
        return None
    year, month, day, hour, minute, is_utc = match.groups()
    try:
        time = datetime(int(year), int(month), int(day), int(hour or 0), int(minute or 0))
    except ValueError:
        return None
    if hour is None:
        return EventTime(time, is_day=True)
    name = ""
    for parameter in property.parameters.split(";"):
        key, _, text = parameter.partition("=")
        if key.strip().upper() == "TZID":
            name = _zone_name(text)
    try:
        return EventTime(time.replace(tzinfo=UTC if is_utc else ZoneInfo(name)))
    except (ValueError, OSError, KeyError):
        zone = zone_at(zones.get(name, ()), time)
    return EventTime(time.replace(tzinfo=zone)) if zone else EventTime(time, name)
