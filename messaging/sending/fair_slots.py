"""Shares a number of slots: urgent work first, then one slot for each lane in turn."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Hashable
from contextlib import asynccontextmanager

Waiting = deque["asyncio.Future[None]"]


class FairSlots:
    """Lets `slots` tasks work at a time. Belongs to one event loop.

    However many tasks of one lane wait, a task of another lane waits for one slot to become free, and for one task of
    each lane that waited before. An urgent task waits for one slot only. Within a lane, the order stays.
    """

    def __init__(self, slots: int) -> None:
        self._free = slots
        self._urgent: Waiting = deque()
        # The first lane is the next.
        self._lanes: dict[Hashable, Waiting] = {}

    @asynccontextmanager
    async def slot(self, lane: Hashable, *, is_urgent: bool = False) -> AsyncIterator[None]:
        """Hold one slot."""
        await self._acquire(lane, is_urgent)
        try:
            yield
        finally:
            self._release()

    async def _acquire(self, lane: Hashable, is_urgent: bool) -> None:
        # While a task waits, no slot is free: each that ends is passed on.
        if self._free:
            self._free -= 1
            return
        waiting = self._urgent if is_urgent else self._lanes.setdefault(lane, deque())
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        waiting.append(future)
        try:
            await future
        except asyncio.CancelledError:
            if future.done() and not future.cancelled():
                self._release()
            raise

    def _release(self) -> None:
        while self._urgent:
            if _pass_on(self._urgent.popleft()):
                return
        while self._lanes:
            lane = next(iter(self._lanes))
            waiting = self._lanes.pop(lane)
            future = waiting.popleft()
            if waiting:
                self._lanes[lane] = waiting
            if _pass_on(future):
                return
        self._free += 1


def _pass_on(future: "asyncio.Future[None]") -> bool:
    """Give the slot to the task that waits for this; return whether it still does."""
    if future.done():
        return False
    future.set_result(None)
    return True
