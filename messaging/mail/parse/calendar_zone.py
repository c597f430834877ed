"""Reads the time zones that a calendar defines itself (RFC 5545 section 3.6.5). Pure.

Outlook names its zones by names of its own, such as `W. Europe Standard Time`.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone, tzinfo
from typing import Final

_OFFSET: Final = re.compile(r"([+-])(\d\d)(\d\d)(?:\d\d)?")
_START: Final = re.compile(r"(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z?")
_BY_DAY: Final = re.compile(r"([+-]?[1-5])(MO|TU|WE|TH|FR|SA|SU)")
_WEEKDAYS: Final = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
MAX_RULES: Final = 100


@dataclass(frozen=True, slots=True)
class ZoneRule:
    """A time from which a zone has an offset from UTC: once, or every year on the `nth` weekday of a month."""

    offset: timedelta
    start: datetime
    month: int = 0
    nth: int = 0
    weekday: int = 0

    def last_before(self, time: datetime) -> datetime | None:
        """Return the last moment up to a local time at which the offset begins to hold; None before the first one."""
        if not self.month:
            return self.start if self.start <= time else None
        years = (year for year in (time.year, time.year - 1) if year >= max(1, self.start.year))
        return next((one for year in years if (one := self._in_year(year)) <= time), None)

    def _in_year(self, year: int) -> datetime:
        first = self.start.replace(year=year, month=self.month, day=1)
        day = 1 + (self.weekday - first.weekday()) % 7 + 7 * (max(self.nth, 1) - 1)
        if self.nth < 0:
            after = first.replace(day=28) + timedelta(days=4)
            last = (after - timedelta(days=after.day)).day
            back = (first.replace(day=last).weekday() - self.weekday) % 7
            day = last - back + 7 * (self.nth + 1)
        return first.replace(day=day)


def read_rule(fields: Mapping[str, str]) -> ZoneRule | None:
    """Return the rule in the fields of a STANDARD or DAYLIGHT component; None for one of another kind."""
    offset = _OFFSET.fullmatch(fields.get("TZOFFSETTO", "").strip())
    start = _START.match(fields.get("DTSTART", "").strip())
    if offset is None or start is None:
        return None
    size = timedelta(hours=int(offset[2]), minutes=int(offset[3]))
    parts = dict(
        part.split("=", 1) for part in fields.get("RRULE", "").upper().split(";") if "=" in part
    )
    by_day = _BY_DAY.fullmatch(parts.get("BYDAY", ""))
    month = parts.get("BYMONTH", "")
    try:
        moment = datetime.strptime("".join(start.groups()), "%Y%m%d%H%M%S")
        rule = ZoneRule(size if offset[1] == "+" else -size, moment)
        timezone(rule.offset)
        if by_day is None or not month.isdecimal():
            return rule
        yearly = ZoneRule(
            rule.offset,
            rule.start.replace(day=1),
            int(month),
            int(by_day[1]),
            _WEEKDAYS.index(by_day[2]),
        )
        yearly.last_before(rule.start)
    except ValueError:
        return None
    return yearly


def zone_at(rules: Sequence[ZoneRule], time: datetime) -> tzinfo | None:
    """Return the offset that holds at a local time; None without rules."""
    try:
        onsets = [(onset, rule) for rule in rules if (onset := rule.last_before(time))]
    except ValueError:  # the fifth Sunday of a month with four
        return None
    if not onsets:
        return timezone(rules[0].offset) if rules else None
    return timezone(max(onsets, key=lambda one: one[0])[1].offset)
