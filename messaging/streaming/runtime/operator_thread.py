"""Runs a synchronous operator: always on the same one thread, with the batches that wait merged into one call.

A plain thread has no event loop: the Django ORM and most blocking libraries need that.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from messaging.streaming.api.operators import Results

T = TypeVar("T")

MAX_MERGED_RECORDS = 1000


class OperatorThread:
    """Calls `process` of a synchronous operator from async code. Belongs to one event loop."""

    def __init__(self, name: str, process: Callable[[list[Any]], Results]) -> None:
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix=name)
        self._process = process
        self._waiting: deque[tuple[list[Any], asyncio.Future[Results]]] = deque()
        self._task: asyncio.Task[None] | None = None

    async def process(self, records: list[Any]) -> Results:
        """Return the results of these records. Raises the operator's error for the call that they were part of."""
        future: asyncio.Future[Results] = asyncio.get_running_loop().create_future()
        self._waiting.append((records, future))
        if self._task is None:
            self._task = asyncio.create_task(self._run())
        return await future

    async def run(self, function: Callable[..., T], *arguments: Any) -> T:
        """Call another function on the operator's thread."""
        return await asyncio.get_running_loop().run_in_executor(
            self._executor, function, *arguments
        )

    def close(self) -> None:
        """End the thread after the running call."""
        self._executor.shutdown(wait=False)

    async def _run(self) -> None:
        try:
            while self._waiting:
                batches = [self._waiting.popleft()]
                size = len(batches[0][0])
                while self._waiting and size + len(self._waiting[0][0]) <= MAX_MERGED_RECORDS:
                    batches.append(self._waiting.popleft())
                    size += len(batches[-1][0])
                try:
                    merged = [record for records, _ in batches for record in records]
                    results = await self.run(self._process, merged)
                    if len(results) != len(merged):
                        raise TypeError(f"{len(results)} results for {len(merged)} records")
                except Exception as error:
                    for _, future in batches:
                        if not future.done():
                            future.set_exception(error)
                    continue
                for records, future in batches:
                    if not future.done():
                        future.set_result(results[: len(records)])
                    results = results[len(records) :]
        finally:
            self._task = None
