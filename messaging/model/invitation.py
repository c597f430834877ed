"""Calendar invitations in mails. Frozen values."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class EventTime:
    """The time of an event. Without a time zone of its own it is in the zone `zone_name`, which may be unknown.

    `is_day`: the event takes whole days, and only the date counts.
    """

    time: datetime
    zone_name: str = ""
    is_day: bool = False


@dataclass(frozen=True, slots=True)
class Invitation:
    """The first event of a calendar. `method` is that of the calendar (RFC 5546), CANCEL for a cancelled event."""

    summary: str
    start: EventTime | None
    end: EventTime | None
    place: str
    method: str
