"""The periods of budgets: calendar days, weeks and months in a time zone, and trips. Pure."""

from datetime import UTC, datetime, timedelta
from enum import StrEnum

from messaging.model.locale import Locale


class Period(StrEnum):
    """How long the limit of a budget holds before it starts anew; a trip lasts until it is reset."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    TRIP = "trip"


def start_of(period: Period, now: datetime, time_zone: str, trip_began_at: datetime) -> datetime:
    """Return when the current period began, in UTC, also for a zone that this machine lacks. Weeks begin on Monday."""
    if period is Period.TRIP:
        return trip_began_at
    # A call for help must not fail for its zone.
    midnight = now.astimezone(Locale(time_zone).zone).replace(
        hour=0, minute=0, second=0, microsecond=0, fold=0
    )
    match period:
        case Period.WEEK:
            midnight -= timedelta(days=midnight.weekday())
        case Period.MONTH:
            midnight = midnight.replace(day=1)
    return midnight.astimezone(UTC)
