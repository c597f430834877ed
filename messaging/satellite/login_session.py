"""A login that all callers share: renewed when it has expired, and never often."""

import asyncio
import time
from collections.abc import Awaitable, Callable

from messaging.errors import Unavailable


class Session:
    """Runs `log_in` when a session is needed, at most once per `pause_seconds`, and for all callers together.

    `log_in` raises Unavailable when it fails; for the rest of the pause every caller is told so without a request.
    So neither a wrong password nor a session that is refused at once becomes a flood of logins. `now` counts seconds.
    """

    def __init__(
        self,
        log_in: Callable[[], Awaitable[None]],
        pause_seconds: float,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._log_in = log_in
        self._pause_seconds = pause_seconds
        self._now = now
        self._lock = asyncio.Lock()
        self._number = 0
        self._tried_at = float("-inf")
        self._failure: Unavailable | None = None

    async def current(self) -> int:
        """Return the number of the session in force, after a login if there is none. Raises Unavailable."""
        if self._number == 0 or self._failure is not None:
            await self.renew(stale=self._number)
        return self._number

    async def renew(self, stale: int) -> bool:
        """Get a newer session than number `stale`; False when the last login is too recent for another.

        Raises Unavailable when the login fails, or failed a moment ago.
        """
        async with self._lock:
            if self._number != stale and self._failure is None:
                return True
            if self._now() < self._tried_at + self._pause_seconds:
                if self._failure is not None:
                    raise self._failure
                return False
            await self._try()
            return True

    async def _try(self) -> None:
        self._tried_at = self._now()
        try:
            await self._log_in()
        except Unavailable as error:
            self._failure = Unavailable(error.reason, error.retry_after_seconds)
            raise
        self._failure = None
        self._number += 1
