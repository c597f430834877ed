"""Bounds how often one author may write to one subscriber: ends mail loops that no header shows. No I/O."""

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
    """Allows `hourly` messages of a pair at once, and then one more for each share of an hour; 0 allows any number.

    The hour may be another period.

    Kept in memory: all messages of a subscriber come to one router, and a restart forgets an hour at most. The clock
    is monotonic.
    """

    def __init__(
        self,
        hourly: int,
        seconds: Callable[[], float] = time.monotonic,
        period_seconds: float = _HOUR_SECONDS,
    ) -> None:
        self._hourly = hourly
        self._period_seconds = period_seconds
        self._seconds = seconds
        # When the pair may send `hourly` messages at once again (the generic cell rate algorithm, ITU-T I.371).
        self._whole_at: LRUCache[Pair, float] = LRUCache(PAIRS_KEPT)

    def room(self, pair: Pair) -> int:
        """Return how many messages of the pair may be accepted now."""
        if not self._hourly:
            return sys.maxsize
        owed_seconds = max(self._whole_at.get(pair, 0.0) - self._seconds(), 0.0)
        # A little more, so that rounding never costs a whole message.
        return int(
            (self._period_seconds - owed_seconds) * self._hourly / self._period_seconds + 1e-6
        )

    def note(self, pairs: Iterable[Pair]) -> None:
        """Count accepted messages, after the commit."""
        if not self._hourly:
            return
        now = self._seconds()
        for pair, number in Counter(pairs).items():
            whole_at = max(self._whole_at.get(pair, now), now)
            self._whole_at[pair] = whole_at + number * self._period_seconds / self._hourly
