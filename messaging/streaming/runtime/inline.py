"""Runs a graph in one process and one event loop, by the same workers and channels as on a cluster. For fast tests."""

import asyncio
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any

from messaging.streaming.api.errors import WorkerLost
from messaging.streaming.api.graph import Graph, Kind, Stage
from messaging.streaming.api.keys import Key
from messaging.streaming.runtime.channel import Answer, Call
from messaging.streaming.runtime.function_stage import local_stage
from messaging.streaming.runtime.making import AnyWorker, make_worker
from messaging.streaming.runtime.output import Output, Receiver, Runtime, output_of
from messaging.streaming.stateful.batches import Batch
from messaging.streaming.stateful.guard import DeadLetter
from messaging.streaming.stateful.state.base import MemoryStore, Store
from messaging.streaming.stateful.worker import StatefulWorker


class InlineJob:
    """A running graph; an async context manager. Entering starts sinks first, leaving stops sources first."""

    def __init__(
        self,
        graph: Graph,
        patience_seconds: float | None = None,
        make_store: Callable[[str], Store] = lambda worker: MemoryStore(),
    ) -> None:
        self._make_store = make_store
        self._graph = graph
        self._patience_seconds = patience_seconds
        self._runtime = _InlineRuntime()
        self._sources: list[asyncio.Task[None]] = []
        self._loads: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> "InlineJob":
        for stage in reversed(self._graph.upstream_first()):
            if stage.kind.has_actors:
                for index in range(stage.parallelism):
                    self._start(stage, index)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for task in self._sources + self._loads:
            task.cancel()
        await asyncio.gather(*self._sources, *self._loads, return_exceptions=True)
        for worker in self._runtime.workers.values():
            await worker.close()

    def operator(self, stage: str, index: int = 0) -> Any:
        """Return the operator itself, which a test may want to ask."""
        return self._runtime.workers[stage, index].operator

    def inlet(self, name: str) -> Output:
        """Return what feeds an INLET stage."""
        return output_of(self._graph, name, 0, self._runtime, self._patience_seconds)

    def lose(self, stage: str, index: int = 0) -> None:
        """Make an instance unreachable, as if its process had died: nothing of it is closed."""
        worker = self._runtime.workers.pop((stage, index))
        if isinstance(worker, StatefulWorker):
            worker.abandon()

    def store(self, stage: str, index: int = 0) -> Store:
        """Return the store of an instance that keeps. It outlives the instance, as a store does."""
        if (stage, index) not in self._runtime.stores:
            self._runtime.stores[stage, index] = self._make_store(f"{stage}/{index}")
        return self._runtime.stores[stage, index]

    def restart(self, stage: str, index: int = 0) -> None:
        """Start an instance anew, as the cluster does after a death."""
        self._start(self._graph.stage(stage), index)

    async def wait(self) -> None:
        """Return when all sources have ended and all they brought is taken. Raises what a source raised."""
        await asyncio.gather(*self._sources)
        for stage in self._graph.upstream_first():
            for worker in self._instances(stage):
                await worker.finish()

    async def drain(self) -> None:
        """Sources stop taking; returns when nothing is in work."""
        for stage in self._graph.upstream_first():
            for worker in self._instances(stage):
                await worker.drain()

    def status(self) -> list[dict[str, Any]]:
        """What every instance says about itself."""
        return [w.status() for s in self._graph.upstream_first() for w in self._instances(s)]

    async def state(self, stage: str) -> dict[Key, Any]:
        """What all instances of a stage have committed, by key."""
        kept = [
            w for w in self._instances(self._graph.stage(stage)) if isinstance(w, StatefulWorker)
        ]
        return {key: value for worker in kept for key, value in await worker.entries()}

    async def set_aside(self) -> list[DeadLetter]:
        """What the functions raised on, from all instances."""
        kept = [w for w in self._runtime.workers.values() if isinstance(w, StatefulWorker)]
        return [one for worker in kept for one in await worker.set_aside()]

    def _instances(self, stage: Stage) -> list[AnyWorker]:
        return [w for (name, _), w in self._runtime.workers.items() if name == stage.name]

    def _start(self, stage: Stage, index: int) -> None:
        store = self.store(stage.name, index) if stage.kind.keeps else None
        patience = self._patience_seconds
        worker = make_worker(self._graph, stage, index, self._runtime, store, patience)
        self._runtime.workers[stage.name, index] = worker
        if stage.kind in (Kind.SOURCE, Kind.READER):
            self._sources.append(asyncio.create_task(worker.run(), name=worker.name))
        elif isinstance(worker, StatefulWorker):
            self._loads.append(asyncio.create_task(worker.load()))


class _InlineRuntime(Runtime):
    def __init__(self) -> None:
        self.workers: dict[tuple[str, int], AnyWorker] = {}
        self.stores: dict[tuple[str, int], Store] = {}

    def worker(self, stage: Stage, index: int) -> Call:
        async def call(records: list[Any]) -> Sequence[Answer]:
            return await self._found(stage, index).process(records)

        return call

    def keeper(self, stage: Stage, index: int) -> Receiver:
        async def deliver(batches: Sequence[Batch]) -> None:
            worker: Any = self._found(stage, index)
            await worker.take(batches)

        async def answers() -> None:
            self._found(stage, index)

        return Receiver(deliver, answers)

    def function(self, stage: Stage, graph: Graph) -> Call:
        function = stage.function
        return local_stage(stage, graph, self, lambda records: asyncio.to_thread(function, records))

    def _found(self, stage: Stage, index: int) -> AnyWorker:
        worker = self.workers.get((stage.name, index))
        if worker is None:
            raise WorkerLost(f"{stage.name}/{index}")
        return worker
