"""How fast one author may write to one subscriber: cuts loops that no header betrays. No I/O."""

import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable

from cachetools import LRUCache

PAIRS_KEPT = 100_000
_HOUR_SECONDS = 3600.0

Pair = tuple[str, int]
"""An author's address and the subscriber's row."""


class RateLimiter:
    """Lets `hourly` messages of a pair through at once, and then one more for each share of an hour; 0 lets all.

    Kept in memory: all messages of a subscriber come to one router, and a restart forgets an hour at most. Measured
    by a clock that never steps.
    """

    def __init__(self, hourly: int, seconds: Callable[[], float] = time.monotonic) -> None:
        self._hourly = hourly
        self._seconds = seconds
        # When the pair will have its whole allowance again (the generic cell rate algorithm, ITU-T I.371).
        self._whole_at: LRUCache[Pair, float] = LRUCache(PAIRS_KEPT)

    def room(self, pair: Pair) -> int:
        """Return how many messages of the pair may be taken now."""
        if not self._hourly:
            return sys.maxsize
        owed_seconds = max(self._whole_at.get(pair, 0.0) - self._seconds(), 0.0)
        # A hair more, so that rounding never costs a whole message.
        return int((_HOUR_SECONDS - owed_seconds) * self._hourly / _HOUR_SECONDS + 1e-6)

    def note(self, pairs: Iterable[Pair]) -> None:
        """Count messages that were taken, once that is on disk."""
        if not self._hourly:
            return
        now = self._seconds()
        for pair, number in Counter(pairs).items():
            whole_at = max(self._whole_at.get(pair, now), now)
            self._whole_at[pair] = whole_at + number * _HOUR_SECONDS / self._hourly
