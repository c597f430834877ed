"""The feed of a simulated Portal Connect: posts events in order, and repeats a post until it is accepted.

Guide "IPC Outbound" 2.0.8, error handling: waits of 2 to 128 seconds; after 12 hours without a success a pause of 12
hours; after five pauses the feed is suspended. Events are deleted after 5 days.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from messaging.simulator.garmin.wire import GarminEvent
from messaging.simulator.shared.clock import Clock
from messaging.simulator.shared.pushes import Try

WAITS_SECONDS: Final = (2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0)
HALF_DAY_SECONDS: Final = 12 * 3600.0
CYCLES: Final = 5
KEPT_SECONDS: Final = 5 * 24 * 3600.0
FIRST_MAIL_SECONDS: Final = 30 * 60.0
BEHIND: Final = "behind events that are not accepted yet"

Post = Callable[[Sequence[GarminEvent]], Awaitable[Try]]


@dataclass(frozen=True, slots=True)
class _Waiting:
    event: GarminEvent
    since: float
    result: "asyncio.Future[Try]"


class EventFeed:
    """The events of one account. Use it on one event loop.

    `post` makes one request with up to `most_events`. Only status 200 is a success.
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

    def as_json(self) -> dict[str, Any]:
        """Return the state of the feed as JSON. `mails` is the number of Garmin's mails about failing posts."""
        return {
            "state": self._state,
            "waiting": len(self._queue),
            "taken": self.taken,
            "discarded": self.discarded,
            "failures": self._failures,
            "cycles": self._cycles,
            "mails": self._mails,
            "posts": [one.as_json() for one in self.posts],
        }

    async def put(self, events: Sequence[GarminEvent]) -> Try:
        """Queue events; return the result of the first post with the last of them, or that they have to wait."""
        loop, now = asyncio.get_running_loop(), self._clock.now()
        added = [_Waiting(event, now, loop.create_future()) for event in events]
        self._queue += added
        if self._state in ("waiting", "paused", "suspended"):
            self._report(added, Try(failure=BEHIND))
        self._start()
        return await added[-1].result

    def resume(self) -> None:
        """Lift a suspension, as Garmin's support does."""
        if self._state == "suspended":
            self._state = "idle"
            self._reset()
            self._start()

    def _start(self) -> None:
        if self._running is None and self._queue and self._state != "suspended":
            self._running = asyncio.create_task(self._run())

    async def _run(self) -> None:
        try:
            while self._state != "suspended" and self._delete_old():
                self._state = "posting"
                await self._once()
            if self._state != "suspended":
                self._state = "idle"
        finally:
            self._running = None

    async def _once(self) -> None:
        batch = self._queue[: self._most_events]
        result = await self._post([one.event for one in batch])
        self.posts.append(result)
        if result.is_accepted:
            del self._queue[: len(batch)]
            self.taken += len(batch)
            self._reset()
            self._report(batch, result)
            return
        seconds = self._fail()
        self._report(batch, result)
        self._report(self._queue, Try(failure=BEHIND))
        if self._state != "suspended":
            await self._clock.sleep(seconds)

    def _delete_old(self) -> bool:
        """Delete events that are too old; return whether any are left."""
        now = self._clock.now()
        fresh = [one for one in self._queue if now - one.since <= KEPT_SECONDS]
        old = [one for one in self._queue if now - one.since > KEPT_SECONDS]
        self.discarded += len(old)
        self._report(old, Try(failure="too old"))
        self._queue = fresh
        return bool(fresh)

    def _reset(self) -> None:
        self._failures = self._cycles = self._mails = 0
        self._failing_since = self._cycle_since = None

    def _fail(self) -> float:
        """Count a failure, and return the wait before the next post, in seconds."""
        now = self._clock.now()
        self._failing_since = self._failing_since or now
        self._cycle_since = self._cycle_since or now
        late = now - self._failing_since - FIRST_MAIL_SECONDS
        self._mails = 0 if late < 0 else 1 + int(late // HALF_DAY_SECONDS)
        self._failures += 1
        if now - self._cycle_since < HALF_DAY_SECONDS:
            self._state = "waiting"
            return self._waits_seconds[min(self._failures, len(self._waits_seconds)) - 1]
        self._cycles += 1
        self._failures = 0
        self._cycle_since = None
        self._state = "suspended" if self._cycles == CYCLES else "paused"
        return HALF_DAY_SECONDS

    def _report(self, waiting: Sequence[_Waiting], result: Try) -> None:
        for one in waiting:
            if not one.result.done():
                one.result.set_result(result)
