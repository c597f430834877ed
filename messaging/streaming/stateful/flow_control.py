"""Flow control: bounds the lag of a receiver; low for a slow one, higher for a fast one and for one that is away."""

from __future__ import annotations

from collections.abc import Callable

FEWEST_BATCHES, MOST_BATCHES = 2, 16
FAST_SECONDS, SLOW_SECONDS = 0.1, 0.3
AWAY_BYTES = 16 * 1024 * 1024
CATCHING_UP = 0.5


class FlowControl:
    """Decides for one receiver whether its sender may take anything new.

    A slow receiver slows its sender down at once: that is back-pressure. For a fast one more batches may wait, and be
    sent and committed together. A receiver that is away is most probably being restarted; its sender collects up to
    AWAY_BYTES for it, and goes on with its other receivers. When it is back, one new batch may come for every two
    that it takes, until it has caught up.
    """

    def __init__(self) -> None:
        self._away = False
        self._limit = FEWEST_BATCHES
        self._backlog = 0.0

    @property
    def at_once(self) -> int:
        """The number of batches in one call: half of the limit, so that the sender works meanwhile."""
        return self._limit // 2

    def note_away(self) -> None:
        """Note that the receiver does not answer."""
        self._away = True

    def note_acknowledgement(self, batches: int, waiting: int, seconds: float) -> None:
        """Note that the receiver took so many batches in one call of so many seconds; so many wait now."""
        if seconds < FAST_SECONDS:
            self._limit = min(self._limit * 2, MOST_BATCHES)
        elif seconds > SLOW_SECONDS:
            self._limit = max(self._limit // 2, FEWEST_BATCHES)
        self._backlog -= batches * CATCHING_UP
        if self._away:
            self._backlog, self._away = waiting, False

    def is_full(self, waiting: int, waiting_bytes: Callable[[], int]) -> bool:
        """Whether nothing new should be taken."""
        if self._away:
            return waiting_bytes() >= AWAY_BYTES
        return waiting >= max(self._limit, self._backlog)
