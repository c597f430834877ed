"""A clock that a test can advance, so that waits of days take seconds."""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress


class Clock:
    """The time of a simulation, in seconds since the epoch. Sleep and advance it on one event loop.

    Between advances it follows `real`, which a test may replace by a constant.
    """

    def __init__(self) -> None:
        self.real: Callable[[], float] = time.time
        self._ahead_seconds = 0.0
        self._advanced = asyncio.Event()

    def now(self) -> float:
        """Return the time."""
        return self.real() + self._ahead_seconds

    def advance(self, seconds: float) -> None:
        """Move the time forward, and wake the sleepers that are due."""
        self._ahead_seconds += seconds
        self._advanced.set()
        self._advanced = asyncio.Event()

    async def sleep(self, seconds: float) -> None:
        """Return when this time has passed."""
        until = self.now() + seconds
        while (left := until - self.now()) > 0:
            with suppress(TimeoutError):
                async with asyncio.timeout(left):
                    await self._advanced.wait()
