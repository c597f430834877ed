"""Runs a stateful task on one thread: one call at a time, and after a failure a new task from the store."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from tenacity import AsyncRetrying, retry_if_exception_type

from messaging.streaming.api.errors import StageFailed, whereabouts
from messaging.streaming.runtime.batch_redelivery import PAUSES
from messaging.streaming.stateful.task import StatefulTask

log = logging.getLogger(__name__)

FAILED_PAUSE_SECONDS = 1

T = TypeVar("T")


class TaskExecutor:
    """Belongs to one event loop. `make` builds a task from its store.

    Calls `on_done` after each call that went well, and `on_lost` when it had to give a task up.
    """

    def __init__(
        self,
        name: str,
        make: Callable[[], StatefulTask],
        on_done: Callable[[], object],
        on_lost: Callable[[], object],
    ) -> None:
        self.task: StatefulTask | None = None
        self.failure = ""
        self._name = name
        self._make = make
        self._on_done = on_done
        self._on_lost = on_lost
        self._lock = asyncio.Lock()
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix=name)

    @property
    def busy(self) -> bool:
        """Whether a call is running."""
        return self._lock.locked()

    async def call(self, function: Callable[..., T], *arguments: Any) -> T:
        """Call the function with the task. After a failure, StageFailed, the next call begins from the store."""
        async with self._lock:
            try:
                if self.task is None:
                    self.task = await self.run(self._make)
                result = await self.run(function, self.task, *arguments)
            except Exception as error:
                log.error("%s failed: %s", self._name, whereabouts(error))
                self.failure = type(error).__name__
                self.task = None
                self._on_lost()
                raise StageFailed(f"{self._name}: {type(error).__name__}") from None
        self._on_done()
        return result

    async def call_until_done(self, function: Callable[[StatefulTask], None]) -> None:
        """`call`, again after each failure."""
        retrying: Any = retry_if_exception_type(StageFailed)
        async for attempt in AsyncRetrying(retry=retrying, wait=PAUSES):
            with attempt:
                await self.call(function)

    async def try_call(self, function: Callable[[StatefulTask], None]) -> None:
        """`call`; a failure is logged, and nothing is lost by it."""
        try:
            await self.call(function)
        except StageFailed:
            await asyncio.sleep(FAILED_PAUSE_SECONDS)

    async def run(self, function: Callable[..., T], *arguments: Any) -> T:
        """Call a function on the thread. Raises the function's errors."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, function, *arguments)

    def close(self) -> None:
        """End the thread after the running call."""
        self._thread.shutdown(wait=False)
