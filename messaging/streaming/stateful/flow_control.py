"""How far a receiver may lag behind: little when it is slow, further when it is fast, and while it is away."""

from __future__ import annotations

from collections.abc import Callable

FEWEST_BATCHES, MOST_BATCHES = 2, 16
FAST_SECONDS, SLOW_SECONDS = 0.1, 0.3
AWAY_BYTES = 16 * 1024 * 1024
CATCHING_UP = 0.5


class FlowControl:
    """Decides for one receiver whether its sender may take anything new.

    A slow receiver slows its sender down at once: that is back-pressure. For one that is fast more may wait, and be
    sent and committed together. One that is away is most probably being
    restarted; its sender collects up to AWAY_BYTES for it, and whoever else it feeds works on. When it is back, for
    every two batches that it takes one new one may come, until it has caught up.
    """

    def __init__(self) -> None:
        self._away = False
        self._usual = FEWEST_BATCHES
        self._backlog = 0.0

    @property
    def at_once(self) -> int:
        """How many batches go in one call: half of what may wait, so that the sender works meanwhile."""
        return self._usual // 2

    def away(self) -> None:
        """The receiver does not answer."""
        self._away = True

    def acknowledged(self, taken: int, waiting: int, seconds: float) -> None:
        """The receiver took so many batches in one call of so many seconds; so many wait now."""
        if seconds < FAST_SECONDS:
            self._usual = min(self._usual * 2, MOST_BATCHES)
        elif seconds > SLOW_SECONDS:
            self._usual = max(self._usual // 2, FEWEST_BATCHES)
        self._backlog -= taken * CATCHING_UP
        if self._away:
            self._backlog, self._away = waiting, False

    def full(self, waiting: int, waiting_bytes: Callable[[], int]) -> bool:
        """Whether nothing new should be taken."""
        if self._away:
            return waiting_bytes() >= AWAY_BYTES
        return waiting >= max(self._usual, self._backlog)
