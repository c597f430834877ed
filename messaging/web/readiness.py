"""Whether the gateway accepts messages, asked at most once a second however many ask."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Final

NotReady = Callable[[], Awaitable[str | None]]
"""Returns in a few words why the gateway accepts nothing now; None when it accepts mail and webhooks."""

KEEP_SECONDS: Final = 1.0


class CachedReadiness:
    """Asks each of `questions` in turn, and keeps the first reason, or none, for `KEEP_SECONDS`.

    A question costs the lock of the store's writers, and strangers can ask too. For use within an event loop.
    """

    def __init__(
        self, *questions: NotReady, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._questions = questions
        self._monotonic = monotonic
        self._asking = asyncio.Lock()
        self._reason: str | None = None
        self._until = float("-inf")

    async def reason(self) -> str | None:
        """Return why the gateway is not ready; None when it is."""
        async with self._asking:
            if self._monotonic() >= self._until:
                found: str | None = None
                for question in self._questions:
                    if found := await question():
                        break
                self._reason = found
                self._until = self._monotonic() + KEEP_SECONDS
            return self._reason
