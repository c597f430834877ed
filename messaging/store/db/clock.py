"""The detection of a clock that was set back."""

import time
from datetime import datetime, timedelta

TOLERANCE = timedelta(seconds=60)
"""A smaller step is the correction of a running clock, or the difference between two machines."""


class ClockWatch:
    """Detects that the clock was set back: it advanced by less than the time that passed."""

    def __init__(self) -> None:
        self._before: tuple[datetime, float] | None = None

    def was_set_back(self, now: datetime) -> bool:
        """Return whether it was since the last call; true for the first call, which cannot know."""
        passed, self._before = self._before, (now, time.monotonic())
        if passed is None:
            return True
        expected = passed[0] + timedelta(seconds=self._before[1] - passed[1])
        return expected - now > TOLERANCE
