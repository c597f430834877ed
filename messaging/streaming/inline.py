"""Runs a graph in one process and one event loop, by the same workers and channels as on a cluster. For fast tests."""

import asyncio
from collections.abc import Sequence
from types import TracebackType
from typing import Any

from messaging.streaming.channel import Answer, Call
from messaging.streaming.errors import WorkerLost
from messaging.streaming.function_stage import local_stage
from messaging.streaming.graph import Graph, Kind, Stage
from messaging.streaming.outlet import Outlet, Runtime, outlet_of
from messaging.streaming.worker import Worker


class InlineJob:
    """A running graph; an async context manager. Entering starts sinks first, leaving stops sources first."""

    def __init__(self, graph: Graph, patience_seconds: float | None = None) -> None:
        self._graph = graph
        self._patience_seconds = patience_seconds
        self._runtime = _InlineRuntime()
        self._sources: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> "InlineJob":
        for stage in reversed(self._graph.upstream_first()):
            if stage.kind in (Kind.OPERATOR, Kind.SOURCE):
                for index in range(stage.parallelism):
                    self._start(stage, index)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for task in self._sources:
            task.cancel()
        await asyncio.gather(*self._sources, return_exceptions=True)
        for worker in self._runtime.workers.values():
            await worker.close()

    def operator(self, stage: str, index: int = 0) -> Any:
        """Return the operator itself, which a test may want to ask."""
        return self._runtime.workers[stage, index].operator

    def inlet(self, name: str) -> Outlet:
        """Return what feeds an INLET stage."""
        return outlet_of(self._graph, name, 0, self._runtime, self._patience_seconds)

    def lose(self, stage: str, index: int = 0) -> None:
        """Make an instance unreachable, as if its process had died: nothing of it is closed."""
        self._runtime.workers.pop((stage, index))

    def restart(self, stage: str, index: int = 0) -> None:
        """Start an instance anew, as the cluster does after a death."""
        self._start(self._graph.stage(stage), index)

    async def wait(self) -> None:
        """Return when all sources have ended and all they brought is taken. Raises what a source raised."""
        await asyncio.gather(*self._sources)
        await self.drain()

    async def drain(self) -> None:
        """Sources stop taking; returns when nothing is in work."""
        for stage in self._graph.upstream_first():
            for worker in self._instances(stage):
                await worker.drain()

    def status(self) -> list[dict[str, Any]]:
        """What every instance says about itself."""
        return [w.status() for s in self._graph.upstream_first() for w in self._instances(s)]

    def _instances(self, stage: Stage) -> list[Worker]:
        return [w for (name, _), w in self._runtime.workers.items() if name == stage.name]

    def _start(self, stage: Stage, index: int) -> None:
        patience = self._patience_seconds if stage.kind is Kind.SOURCE else None
        outlet = outlet_of(self._graph, stage.name, index, self._runtime, patience)
        worker = Worker(stage, index, stage.build(), outlet)
        self._runtime.workers[stage.name, index] = worker
        if stage.kind is Kind.SOURCE:
            self._sources.append(asyncio.create_task(worker.run(), name=worker.name))


class _InlineRuntime(Runtime):
    def __init__(self) -> None:
        self.workers: dict[tuple[str, int], Worker] = {}

    def worker(self, stage: Stage, index: int) -> Call:
        async def call(records: list[Any]) -> Sequence[Answer]:
            worker = self.workers.get((stage.name, index))
            if worker is None:
                raise WorkerLost(f"{stage.name}/{index}")
            return await worker.process(records)

        return call

    def function(self, stage: Stage, graph: Graph) -> Call:
        function = stage.function
        return local_stage(stage, graph, self, lambda records: asyncio.to_thread(function, records))
