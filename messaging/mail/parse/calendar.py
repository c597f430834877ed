"""Describes a calendar invitation in words: the event, its times and its place (RFC 5545). Pure."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Final
from zoneinfo import ZoneInfo

MAX_CALENDAR_CHARS: Final = 100_000
MAX_VALUE_CHARS: Final = 300
_FOLD: Final = re.compile(r"\r?\n[ \t]")
_LINE: Final = re.compile(r"([A-Za-z-]{1,40})((?:;[^:\n\"]*(?:\"[^\"\n]*\"[^:\n\"]*)*)?):(.*)")
_ESCAPE: Final = re.compile(r"\\(.)")
_STAMP: Final = re.compile(r"(\d{4})(\d\d)(\d\d)(?:T(\d\d)(\d\d)\d\d(Z?))?")
_HEADINGS: Final = {"CANCEL": "Cancelled", "REPLY": "Answer", "COUNTER": "Proposal"}


@dataclass(frozen=True, slots=True)
class Invitation:
    """The first event of a calendar. `start` and `end` are in words."""

    summary: str
    start: str
    end: str
    place: str
    method: str

    def describe(self) -> str:
        """Return the invitation in one line for each fact."""
        heading = _HEADINGS.get(self.method, "Invitation")
        times = f"{self.start} - {self.end}" if self.end else self.start
        lines = [f"{heading}: {self.summary}" if self.summary else heading]
        lines += [line for line in (times, self.place) if line]
        return "\n".join(lines)

    def is_told_by(self, text: str) -> bool:
        """Whether a text says the same already, by its title or its place."""
        folded = " ".join(text.casefold().split())
        return any(fact and fact.casefold() in folded for fact in (self.summary, self.place))


def read_invitation(text: str, zone: tzinfo = UTC) -> Invitation | None:
    """Return the first event, its times in `zone`; None when there is none. Never raises."""
    fields: dict[str, tuple[str, str]] = {}
    depth: list[str] = []
    method = ""
    for line in _FOLD.sub("", text[:MAX_CALENDAR_CHARS]).splitlines():
        match = _LINE.fullmatch(line)
        if match is None:
            continue
        name, parameters, value = match[1].upper(), match[2], match[3][:MAX_VALUE_CHARS]
        if name == "BEGIN":
            depth.append(value.strip().upper())
        elif name == "END":
            if depth and depth.pop() == "VEVENT":
                break
        elif name == "METHOD":
            method = value.strip().upper()
        elif depth[-1:] == ["VEVENT"]:
            fields.setdefault(name, (parameters, value))
    if "DTSTART" not in fields and "SUMMARY" not in fields:
        return None
    start = _time_in_words(*fields.get("DTSTART", ("", "")), zone)
    end = _time_in_words(*fields.get("DTEND", ("", "")), zone)
    # On the same day only the time of the end is news.
    if end[:10] == start[:10]:
        end = end[11:].partition(" ")[0]
        start, _, name_of_zone = start.rpartition(" ") if end else (start, "", "")
        end = f"{end} {name_of_zone}".strip()
    status = fields.get("STATUS", ("", ""))[1].strip().upper()
    return Invitation(
        _plain(fields.get("SUMMARY", ("", ""))[1]),
        start,
        end,
        _plain(fields.get("LOCATION", ("", ""))[1]),
        "CANCEL" if status == "CANCELLED" else method,
    )


def _plain(value: str) -> str:
    unescaped = _ESCAPE.sub(lambda match: " " if match[1] in "nN" else match[1], value)
    return " ".join(unescaped.split())


def _time_in_words(parameters: str, value: str, zone: tzinfo) -> str:
    """Return `2026-12-01 12:00 UTC`; a time without a known zone keeps the name of its zone."""
    match = _STAMP.match(value.strip())
    if match is None:
        return ""
    year, month, day, hour, minute, is_utc = match.groups()
    if hour is None:
        return f"{year}-{month}-{day}"
    name = ""
    for parameter in parameters.split(";"):
        key, _, text = parameter.partition("=")
        if key.strip().upper() == "TZID":
            name = text.strip('" ')
    try:
        own = UTC if is_utc else ZoneInfo(name)
        stamp = f"{year}-{month}-{day}T{hour}:{minute}"
        time = datetime.fromisoformat(stamp).replace(tzinfo=own).astimezone(zone)
    except (ValueError, OSError, OverflowError, KeyError):
        return f"{year}-{month}-{day} {hour}:{minute} {name}".rstrip()
    return f"{time:%Y-%m-%d %H:%M} {time.tzname() or ''}".rstrip()
