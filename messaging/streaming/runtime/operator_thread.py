"""Runs a synchronous operator: always on the same one thread, with the batches that wait merged into one call.

A plain thread has no event loop, which is what the Django ORM and most blocking libraries ask for.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

Results = Sequence[Sequence[Any] | Exception]
"""For each record of a batch: the list of its outputs, or what it was refused with."""

T = TypeVar("T")


class OperatorThread:
    """Gives `process` of a synchronous operator an async face. Belongs to one event loop."""

    def __init__(
        self, name: str, process: Callable[[list[Any]], Results], max_merged: int = 1000
    ) -> None:
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix=name)
        self._process = process
        self._max_merged = max_merged
        self._waiting: deque[tuple[list[Any], asyncio.Future[Results]]] = deque()
        self._runner: asyncio.Task[None] | None = None

    async def process(self, records: list[Any]) -> Results:
        """Return the results of these records. Raises what the operator raised for the call they were in."""
        future: asyncio.Future[Results] = asyncio.get_running_loop().create_future()
        self._waiting.append((records, future))
        if self._runner is None:
            self._runner = asyncio.create_task(self._run())
        return await future

    async def run(self, function: Callable[..., T], *arguments: Any) -> T:
        """Run something else of the operator's on its thread."""
        return await asyncio.get_running_loop().run_in_executor(
            self._executor, function, *arguments
        )

    def close(self) -> None:
        """End the thread when what it works on is done."""
        self._executor.shutdown(wait=False)

    async def _run(self) -> None:
        try:
            while self._waiting:
                await self._run_once(self._take())
        finally:
            self._runner = None

    def _take(self) -> list[tuple[list[Any], asyncio.Future[Results]]]:
        taken: list[tuple[list[Any], asyncio.Future[Results]]] = []
        size = 0
        while self._waiting and (not taken or size + len(self._waiting[0][0]) <= self._max_merged):
            taken.append(self._waiting.popleft())
            size += len(taken[-1][0])
        return taken

    async def _run_once(self, taken: list[tuple[list[Any], asyncio.Future[Results]]]) -> None:
        merged = [record for records, _ in taken for record in records]
        try:
            results = await self.run(self._process, merged)
            if len(results) != len(merged):
                raise TypeError(f"{len(results)} results for {len(merged)} records")
        except Exception as error:
            for _, future in taken:
                _fail(future, error)
            return
        for records, future in taken:
            if not future.done():
                future.set_result(results[: len(records)])
            results = results[len(records) :]


def _fail(future: asyncio.Future[Results], error: Exception) -> None:
    if not future.done():
        future.set_exception(error)
