"""The periods of budgets: calendar days, weeks and months in a time zone, and trips. Pure."""

from datetime import UTC, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo


class Period(StrEnum):
    """How long the limit of a budget holds before it starts anew; a trip lasts until it is reset."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    TRIP = "trip"


def start_of(period: Period, now: datetime, time_zone: str, trip_began_at: datetime) -> datetime:
    """Return when the current period began, in UTC. Weeks begin on Monday."""
    if period is Period.TRIP:
        return trip_began_at
    midnight = now.astimezone(ZoneInfo(time_zone)).replace(
        hour=0, minute=0, second=0, microsecond=0, fold=0
    )
    match period:
        case Period.WEEK:
            midnight -= timedelta(days=midnight.weekday())
        case Period.MONTH:
            midnight = midnight.replace(day=1)
    return midnight.astimezone(UTC)
