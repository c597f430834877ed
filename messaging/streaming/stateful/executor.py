"""The one thread on which a keeper lives: one call at a time, and after a failure a new life from the store."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from tenacity import AsyncRetrying, retry_if_exception_type

from messaging.streaming.api.errors import StageFailed, whereabouts
from messaging.streaming.runtime.channel import PAUSES
from messaging.streaming.stateful.task import StatefulTask

log = logging.getLogger(__name__)

FAILED_PAUSE_SECONDS = 1

T = TypeVar("T")


class TaskExecutor:
    """Belongs to one event loop. `make` builds a keeper from its store.

    `worked` is called after each call that went well, `lost` when a keeper had to be given up.
    """

    def __init__(
        self,
        name: str,
        make: Callable[[], StatefulTask],
        worked: Callable[[], object],
        lost: Callable[[], object],
    ) -> None:
        self.keeper: StatefulTask | None = None
        self.failure = ""
        self._name = name
        self._make = make
        self._worked = worked
        self._lost = lost
        self._turn = asyncio.Lock()
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix=name)

    @property
    def busy(self) -> bool:
        """Whether a call is running."""
        return self._turn.locked()

    async def work(self, function: Callable[..., T], *arguments: Any) -> T:
        """Call with the keeper. After a failure, StageFailed, the next call begins with what the store has."""
        async with self._turn:
            try:
                if self.keeper is None:
                    self.keeper = await self.run(self._make)
                result = await self.run(function, self.keeper, *arguments)
            except Exception as error:
                self._give_up(error)
                raise StageFailed(f"{self._name}: {type(error).__name__}") from None
        self._worked()
        return result

    async def surely(self, function: Callable[[StatefulTask], None]) -> None:
        """`work`, however often it fails."""
        retrying: Any = retry_if_exception_type(StageFailed)
        async for attempt in AsyncRetrying(retry=retrying, wait=PAUSES):
            with attempt:
                await self.work(function)

    async def quietly(self, function: Callable[[StatefulTask], None]) -> None:
        """`work`; a failure is logged, and nothing is lost by it."""
        try:
            await self.work(function)
        except StageFailed:
            await asyncio.sleep(FAILED_PAUSE_SECONDS)

    async def run(self, function: Callable[..., T], *arguments: Any) -> T:
        """Call a function on the thread. Raises what it raises."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, function, *arguments)

    def close(self) -> None:
        """End the thread when what it works on is done."""
        self._thread.shutdown(wait=False)

    def _give_up(self, error: Exception) -> None:
        log.error("%s failed: %s", self._name, whereabouts(error))
        self.failure = type(error).__name__
        self.keeper = None
        self._lost()
