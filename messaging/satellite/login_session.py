"""A login shared by all callers, with a minimum time between two logins."""

import asyncio
import time
from collections.abc import Awaitable, Callable

from messaging.errors import Unavailable


class Session:
    """Runs `log_in` when a session is needed, for all callers together, once per `pause_seconds` at most.

    `log_in` raises Unavailable when it fails. For the rest of the pause all callers get the same error without a
    request. So a wrong password never causes a flood of logins. `now` counts seconds.
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
        """Return the number of the current session, after a login if there is none. Raises Unavailable."""
        if self._number == 0 or self._failure is not None:
            await self.renew(stale=self._number)
        return self._number

    async def renew(self, stale: int) -> bool:
        """Log in again unless the session is newer than number `stale`; False when the last login is too recent.

        Raises Unavailable when the login fails, or failed within the pause.
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
