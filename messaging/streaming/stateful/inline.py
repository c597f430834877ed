"""Runs a whole job of the library in one process and one event loop. For fast tests."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from messaging.streaming.api.graph import Graph
from messaging.streaming.api.partition import Key
from messaging.streaming.api.stage import Stage
from messaging.streaming.runtime.inline import InlineRuntime
from messaging.streaming.runtime.worker import InstanceWorker
from messaging.streaming.stateful.guard import FailedRecord
from messaging.streaming.stateful.state.store_protocol import MemoryStore, Store
from messaging.streaming.stateful.worker import StatefulWorker


class InlineJob(InlineRuntime):
    """The inline runtime with stateful stages; an async context manager."""

    def __init__(
        self,
        graph: Graph,
        patience_seconds: float | None = None,
        make_store: Callable[[str], Store] = lambda worker: MemoryStore(),
    ) -> None:
        super().__init__(graph, patience_seconds)
        self._make_store = make_store
        self._stores: dict[str, Store] = {}

    def make_worker(self, stage: Stage, index: int) -> InstanceWorker:
        """See InlineRuntime."""
        if not stage.kind.is_stateful:
            return super().make_worker(stage, index)
        return StatefulWorker(self.graph, stage, index, self.store(stage.name, index), self)

    def lose(self, stage: str, index: int = 0) -> None:
        """See InlineRuntime."""
        worker = self.workers[stage, index]
        super().lose(stage, index)
        if isinstance(worker, StatefulWorker):
            worker.abandon()

    def store(self, stage: str, index: int = 0) -> Store:
        """Return the store of a stateful instance. It outlasts the instance, as a store does."""
        name = f"{stage}/{index}"
        if name not in self._stores:
            self._stores[name] = self._make_store(name)
        return self._stores[name]

    async def state(self, stage: str) -> dict[Key, Any]:
        """Return the committed state of all instances of a stage, by key."""
        workers = self._stateful(lambda worker: worker.stage.name == stage)
        return {key: value for worker in workers for key, value in await worker.entries()}

    async def dead_letters(self) -> list[FailedRecord]:
        """Return the dead letters of all instances: the records that functions raised on."""
        workers = self._stateful(lambda worker: True)
        return [failed for worker in workers for failed in await worker.dead_letters()]

    def _stateful(self, wanted: Callable[[StatefulWorker], bool]) -> list[StatefulWorker]:
        workers = [w for w in self.workers.values() if isinstance(w, StatefulWorker)]
        return [worker for worker in workers if wanted(worker)]


setattr(InlineJob, "set_aside", InlineJob.dead_letters)  # noqa: B010 - the older name, which programs of users call
