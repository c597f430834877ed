"""The time, where it is not given by a test, and whether somebody has set the clock back."""

import time
from datetime import UTC, datetime, timedelta

TOLERANCE = timedelta(seconds=60)
"""Less is not a clock that was set, but one that is kept right, or those of two machines."""


def utc_now() -> datetime:
    """Return the time, timezone-aware."""
    return datetime.now(UTC)


class ClockWatch:
    """Notices that the clock was set back: it then says less than the time that has passed."""

    def __init__(self) -> None:
        self._before: tuple[datetime, float] | None = None

    def was_set_back(self, now: datetime) -> bool:
        """Whether it was since the last look; true at the first one, when nobody can know."""
        passed, self._before = self._before, (now, time.monotonic())
        if passed is None:
            return True
        expected = passed[0] + timedelta(seconds=self._before[1] - passed[1])
        return expected - now > TOLERANCE
