"""A clock that a test can advance, so that what takes a network days takes a rehearsal seconds."""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress


class Clock:
    """Tells the time of a simulation (seconds since the epoch). Sleep and advance it on one event loop.

    Between advances it goes as `real` does, which a test may let stand still.
    """

    def __init__(self) -> None:
        self.real: Callable[[], float] = time.time
        self._ahead_seconds = 0.0
        self._advanced = asyncio.Event()

    def now(self) -> float:
        """Return the time."""
        return self.real() + self._ahead_seconds

    def advance(self, seconds: float) -> None:
        """Let so much time have passed; wakes whoever has slept long enough by now."""
        self._ahead_seconds += seconds
        self._advanced.set()
        self._advanced = asyncio.Event()

    async def sleep(self, seconds: float) -> None:
        """Return when so much time has passed."""
        until = self.now() + seconds
        while (left := until - self.now()) > 0:
            with suppress(TimeoutError):
                async with asyncio.timeout(left):
                    await self._advanced.wait()
