"""How far a receiver may lag behind: little while it is slow, more while it is away, so that the others go on."""

from __future__ import annotations

from collections.abc import Callable

USUAL_BATCHES = 2
AWAY_BYTES = 16 * 1024 * 1024
CATCHING_UP = 0.5


class Allowance:
    """Decides for one receiver whether its sender may take anything new.

    A slow receiver slows its sender down at once: that is back-pressure. One that is away is most probably being
    restarted; its sender collects up to AWAY_BYTES for it, and whoever else it feeds works on. When it is back, for
    every two batches that it takes one new one may come, until it has caught up.
    """

    def __init__(self) -> None:
        self._away = False
        self._batches: float = USUAL_BATCHES

    def away(self) -> None:
        """The receiver does not answer."""
        self._away = True

    def acknowledged(self, waiting: int) -> None:
        """The receiver took a batch; so many wait now."""
        ceiling = waiting if self._away else self._batches - CATCHING_UP
        self._batches = max(USUAL_BATCHES, ceiling)
        self._away = False

    def full(self, waiting: int, waiting_bytes: Callable[[], int]) -> bool:
        """Whether nothing new should be taken."""
        if self._away:
            return waiting_bytes() >= AWAY_BYTES
        return waiting >= self._batches
