"""The inline runtime: runs a graph in one process and one event loop, by the same workers as on a cluster."""

import asyncio
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Any, Self

from messaging.streaming.api.errors import WorkerLost
from messaging.streaming.api.graph import Graph
from messaging.streaming.api.stage import Stage, StageKind
from messaging.streaming.runtime.batch_redelivery import Call
from messaging.streaming.runtime.function_stage import function_call
from messaging.streaming.runtime.output import Output, output_of
from messaging.streaming.runtime.worker import InstanceWorker, make_worker


class InlineRuntime:
    """A running graph; an async context manager. Entering starts sinks first, leaving stops sources first."""

    def __init__(self, graph: Graph, patience_seconds: float | None = None) -> None:
        self.graph = graph
        self.workers: dict[tuple[str, int], InstanceWorker] = {}
        self._patience_seconds = patience_seconds
        self._sources: list[asyncio.Task[None]] = []
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        for stage in reversed(self.graph.upstream_first()):
            if stage.kind.has_actors:
                for index in range(stage.parallelism):
                    self.restart(stage.name, index)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        tasks = self._sources + self._tasks
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for worker in self.workers.values():
            await worker.close()

    # -- for tests

    def operator(self, stage: str, index: int = 0) -> Any:
        """Return the operator itself."""
        return self.workers[stage, index].operator

    def inlet(self, name: str) -> Output:
        """Return the output that feeds an INLET stage."""
        return output_of(self.graph, name, 0, self, self._patience_seconds)

    def lose(self, stage: str, index: int = 0) -> None:
        """Make an instance unreachable, as if its process had died: nothing of it is closed."""
        self.workers.pop((stage, index))

    def restart(self, stage: str, index: int = 0) -> None:
        """Start an instance, as the cluster does at first and after a death."""
        declared = self.graph.stage(stage)
        worker = self.make_worker(declared, index)
        self.workers[stage, index] = worker
        tasks = self._sources if declared.kind in _SOURCES else self._tasks
        tasks.append(asyncio.create_task(worker.begin(), name=worker.name))

    async def wait(self) -> None:
        """Return when all sources have ended and all their records are taken. Raises a source's error."""
        await asyncio.gather(*self._sources)
        for worker in self._upstream_first():
            await worker.finish()

    async def drain(self) -> None:
        """Stop the sources, and return when nothing is in work."""
        for worker in self._upstream_first():
            await worker.drain()

    def status(self) -> list[dict[str, Any]]:
        """Return the status of every instance."""
        return [worker.status() for worker in self._upstream_first()]

    # -- as a Runtime

    def make_worker(self, stage: Stage, index: int) -> InstanceWorker:
        """Build the worker of one instance."""
        return make_worker(self.graph, stage, index, self, self._patience_seconds)

    def method(self, stage: Stage, index: int, name: str) -> Callable[..., Awaitable[Any]]:
        """See Runtime."""

        async def call(*arguments: Any) -> Any:
            worker = self.workers.get((stage.name, index))
            if worker is None:
                raise WorkerLost(f"{stage.name}/{index}")
            return await getattr(worker, name)(*arguments)

        return call

    def function(self, stage: Stage, graph: Graph) -> Call:
        """See Runtime."""
        function = stage.function
        return function_call(
            stage, graph, self, lambda records: asyncio.to_thread(function, records)
        )

    def _upstream_first(self) -> list[InstanceWorker]:
        return [
            worker
            for stage in self.graph.upstream_first()
            for (name, _), worker in self.workers.items()
            if name == stage.name
        ]


_SOURCES = (StageKind.SOURCE, StageKind.READER)
