"""A job in this process, without Ray: all instances of a graph on the event loop of one thread, supervised."""

import asyncio
import os
import platform
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from threading import Thread
from typing import Any, TypeVar

from messaging.streaming.api.errors import StreamingError, WorkerLost
from messaging.streaming.api.graph import Graph
from messaging.streaming.api.stage import Stage
from messaging.streaming.runtime.batch_redelivery import Call
from messaging.streaming.runtime.function_stage import function_call
from messaging.streaming.runtime.group import WorkerGroup
from messaging.streaming.runtime.output import Runtime, output_of
from messaging.streaming.runtime.rates import METER_SECONDS, Rates
from messaging.streaming.runtime.worker import InstanceWorker, make_worker

T = TypeVar("T")

ANSWER_SECONDS = 5.0
CLOSE_SECONDS = 5.0


class ProcessJob:
    """A running graph. Its methods may be called on any thread; those that are async on any event loop.

    A source that fails is closed and built anew after a second, while the other instances go on.
    `patience_seconds` limits a source's wait for answers. A loop that has not answered for `answer_seconds` hangs.
    """

    def __init__(
        self, graph: Graph, patience_seconds: float, answer_seconds: float = ANSWER_SECONDS
    ) -> None:
        self.graph = graph
        self._patience_seconds = patience_seconds
        self._answer_seconds = answer_seconds
        self._loop = asyncio.new_event_loop()
        # A loop that hangs does not keep the process.
        self._thread = Thread(target=self._loop.run_forever, name="pipeline", daemon=True)
        self._groups: list[WorkerGroup] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._rates = defaultdict[str, Rates](Rates)

    def start(self) -> None:
        """Start every instance. Raises StreamingError with the reason when an operator cannot be made."""
        self._thread.start()
        try:
            self._run(self._begin(), None)
        except Exception as error:
            self.stop()
            reason = f"{type(error).__name__}: {error}"
            raise StreamingError(f"a stage could not start: {reason}") from None

    def status(self) -> list[dict[str, Any]]:
        """Return the status of every instance, with the keys that it has on Ray; all are `lost` when the loop hangs."""
        try:
            return self._run(self._status(), self._answer_seconds)
        except TimeoutError as error:
            lost = {"lost": True, "last_error": type(error).__name__}
            return [
                {"stage": stage.name, "name": name, **lost}
                for stage in self.graph.upstream_first()
                if stage.kind.has_actors
                for name in stage.instances
            ]

    async def read_status(self, seconds: float) -> list[dict[str, Any]]:
        """`status`, from an event loop. Raises WorkerLost when the loop of the job does not answer in time."""
        try:
            async with asyncio.timeout(seconds):
                return await self._await(self._status())
        except TimeoutError:
            raise WorkerLost("the event loop hangs") from None

    def inlet(
        self, name: str, patience_seconds: float
    ) -> Callable[[Any], Coroutine[Any, Any, None]]:
        """Return the function that feeds an INLET stage; it raises as `Output.emit` does."""
        output = output_of(self.graph, name, 0, _Instances(self._groups), patience_seconds)

        async def emit(record: Any) -> None:
            await self._await(output.emit(record))

        return emit

    def announce_drain(self) -> None:
        """Let every instance show that it is draining, so that it gets no new clients; everything is still taken."""

        async def announce() -> None:
            for group in self._groups:
                group.announce_drain()

        with suppress(TimeoutError):
            self._run(announce(), self._answer_seconds)

    def drain(self, seconds: float) -> bool:
        """Stop the sources and let everything in work settle. Returns whether it did within `seconds`."""

        async def drain_all() -> None:
            for stage in self.graph.upstream_first():
                await asyncio.gather(*(group.drain(stage.name) for group in self._groups))

        try:
            self._run(drain_all(), max(seconds, 0.1))
        except TimeoutError:
            return False
        return True

    def stop(self) -> None:
        """End all instances, sources first. Records that were not drained stay with their durable stages."""

        async def close() -> None:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            for group in self._groups:
                await group.close()

        try:
            self._run(close(), CLOSE_SECONDS)
        except TimeoutError:
            return  # its thread ends with the process
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _begin(self) -> None:
        def make(stage: Stage, index: int, runtime: Runtime) -> InstanceWorker:
            return make_worker(self.graph, stage, index, runtime, self._patience_seconds)

        async def measure() -> None:
            while True:
                await asyncio.sleep(METER_SECONDS)
                for row in (row for group in self._groups for row in group.status()):
                    self._rates[row["name"]].read(row, time.monotonic())

        stages = [stage for stage in self.graph.upstream_first() if stage.kind.has_actors]
        for index in range(max(stage.parallelism for stage in stages)):
            here = [stage for stage in stages if index < stage.parallelism]
            group = WorkerGroup(here, index, _Instances(self._groups), make)
            self._groups.append(group)
        runs = [group.run(stage) for group in self._groups for stage in group.workers]
        self._tasks = [asyncio.create_task(run) for run in (*runs, measure())]

    async def _status(self) -> list[dict[str, Any]]:
        place = {"pid": os.getpid(), "node": platform.node()}
        rows = [row for group in self._groups for row in group.status()]
        return [{**row, **self._rates[row["name"]].per_second(), **place} for row in rows]

    def _run(self, work: Coroutine[Any, Any, T], seconds: float | None) -> T:
        """Run it on the loop of the job from another thread. Raises TimeoutError, or its error."""
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result(seconds)
        except TimeoutError:
            future.cancel()
            raise

    async def _await(self, work: Coroutine[Any, Any, T]) -> T:
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, self._loop))


class _Instances:
    """Reaches the instances of all groups; the `Runtime` between them."""

    def __init__(self, groups: list[WorkerGroup]) -> None:
        self._groups = groups

    def method(self, stage: Stage, index: int, name: str) -> Callable[..., Awaitable[Any]]:
        """See Runtime."""

        async def call(*arguments: Any) -> Any:
            return await self._groups[index].call(stage.name, name, *arguments)

        return call

    def function(self, stage: Stage, graph: Graph) -> Call:
        """See Runtime."""
        function = stage.function
        return function_call(
            stage, graph, self, lambda records: asyncio.to_thread(function, records)
        )
