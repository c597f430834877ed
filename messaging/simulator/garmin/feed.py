"""The feed of a simulated Portal Connect: events in order, posted again by Garmin's ladder until somebody takes them.

Guide "IPC Outbound" 2.0.8, error handling: waits of 2 to 128 seconds; after 12 hours without a success 12 hours of
silence; five times, then the feed is suspended. What has waited for 5 days is thrown away.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from messaging.simulator.garmin.events import Event
from messaging.simulator.shared.clock import Clock
from messaging.simulator.shared.pushes import Try

WAITS_SECONDS: Final = (2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0)
HALF_DAY_SECONDS: Final = 12 * 3600.0
CYCLES: Final = 5
KEPT_SECONDS: Final = 5 * 24 * 3600.0
FIRST_MAIL_SECONDS: Final = 30 * 60.0
BEHIND: Final = "behind events that nobody took"

Post = Callable[[Sequence[Event]], Awaitable[Try]]


@dataclass(frozen=True, slots=True)
class _Waiting:
    event: Event
    since: float
    tried: "asyncio.Future[Try]"


class Feed:
    """The events of one account. Use it on one event loop.

    `post` makes one request with up to `most_events`; its status 200 is a success, nothing else.
    """

    def __init__(
        self,
        post: Post,
        clock: Clock,
        *,
        most_events: int = 10,
        waits_seconds: Sequence[float] = WAITS_SECONDS,
    ) -> None:
        self._post = post
        self._clock = clock
        self._most_events = most_events
        self._waits_seconds = waits_seconds
        self._queue: list[_Waiting] = []
        self._running: asyncio.Task[None] | None = None
        self._failures = 0
        self._failing_since: float | None = None
        self._cycle_since: float | None = None
        self._cycles = 0
        self._mails = 0
        self._state = "idle"
        self.posts: list[Try] = []
        self.taken = 0
        self.discarded = 0

    def shown(self) -> dict[str, Any]:
        """Return how the feed is, as JSON. `mails` is how often Garmin has written that posts fail."""
        return {
            "state": self._state,
            "waiting": len(self._queue),
            "taken": self.taken,
            "discarded": self.discarded,
            "failures": self._failures,
            "cycles": self._cycles,
            "mails": self._mails,
            "posts": [one.shown() for one in self.posts],
        }

    async def put(self, events: Sequence[Event]) -> Try:
        """Let devices send; returns what came of the first post that has the last of them, or that it has to wait."""
        loop, now = asyncio.get_running_loop(), self._clock.now()
        added = [_Waiting(event, now, loop.create_future()) for event in events]
        self._queue += added
        if self._state in ("waiting", "paused", "suspended"):
            self._tell(added, Try(failure=BEHIND))
        self._start()
        return await added[-1].tried

    def resume(self) -> None:
        """Lift a suspension, as Garmin's support does."""
        if self._state == "suspended":
            self._state = "idle"
            self._succeeded()
            self._start()

    def _start(self) -> None:
        if self._running is None and self._queue and self._state != "suspended":
            self._running = asyncio.create_task(self._run())

    async def _run(self) -> None:
        try:
            while self._state != "suspended" and self._fresh():
                self._state = "posting"
                await self._once()
            if self._state != "suspended":
                self._state = "idle"
        finally:
            self._running = None

    async def _once(self) -> None:
        batch = self._queue[: self._most_events]
        tried = await self._post([one.event for one in batch])
        self.posts.append(tried)
        if tried.taken:
            del self._queue[: len(batch)]
            self.taken += len(batch)
            self._succeeded()
            self._tell(batch, tried)
            return
        seconds = self._failed()
        self._tell(batch, tried)
        self._tell(self._queue, Try(failure=BEHIND))
        if self._state != "suspended":
            await self._clock.sleep(seconds)

    def _fresh(self) -> bool:
        """Throw away what has waited for too long; whether anything is left."""
        now = self._clock.now()
        kept = [one for one in self._queue if now - one.since <= KEPT_SECONDS]
        old = [one for one in self._queue if now - one.since > KEPT_SECONDS]
        self.discarded += len(old)
        self._tell(old, Try(failure="too old"))
        self._queue = kept
        return bool(kept)

    def _succeeded(self) -> None:
        self._failures = self._cycles = self._mails = 0
        self._failing_since = self._cycle_since = None

    def _failed(self) -> float:
        """Return how long to wait, in seconds."""
        now = self._clock.now()
        self._failing_since = self._failing_since or now
        self._cycle_since = self._cycle_since or now
        self._count_mails(now - self._failing_since)
        self._failures += 1
        if now - self._cycle_since < HALF_DAY_SECONDS:
            self._state = "waiting"
            return self._waits_seconds[min(self._failures, len(self._waits_seconds)) - 1]
        return self._pause()

    def _pause(self) -> float:
        self._cycles += 1
        self._failures = 0
        self._cycle_since = None
        self._state = "suspended" if self._cycles == CYCLES else "paused"
        return HALF_DAY_SECONDS

    def _count_mails(self, failing_seconds: float) -> None:
        late = failing_seconds - FIRST_MAIL_SECONDS
        self._mails = 0 if late < 0 else 1 + int(late // HALF_DAY_SECONDS)

    def _tell(self, waiting: Sequence[_Waiting], tried: Try) -> None:
        for one in waiting:
            if not one.tried.done():
                one.tried.set_result(tried)
