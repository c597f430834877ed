"""The workers of a stage group: several instances on one event loop, which call each other directly."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from messaging.streaming.api.errors import WorkerLost, whereabouts
from messaging.streaming.api.graph import Graph
from messaging.streaming.api.stage import Stage
from messaging.streaming.runtime.batch_redelivery import Call
from messaging.streaming.runtime.output import Runtime
from messaging.streaming.runtime.worker import InstanceWorker

log = logging.getLogger(__name__)

REBUILD_SECONDS = 1.0

MakeWorker = Callable[[Stage, int, Runtime], InstanceWorker]
"""Builds the worker of an instance of a stage. Raises the operator's errors."""


class WorkerGroup:
    """Hosts one instance of each of these stages; the instances have the same `index`.

    As a `Runtime` it calls its own instances without a copy of the records, and reaches all others by `outer`.
    """

    def __init__(
        self, stages: Sequence[Stage], index: int, outer: Runtime, make: MakeWorker
    ) -> None:
        self.workers: dict[str, InstanceWorker] = {}
        self._index = index
        self._outer = outer
        self._make = make
        self._stages = {stage.name: stage for stage in stages}
        self._errors: dict[str, str] = {}
        self._rebuilt = dict.fromkeys(self._stages, 0)
        self._draining: set[str] = set()
        for stage in reversed(stages):
            self.workers[stage.name] = make(stage, index, self)

    def method(self, stage: Stage, index: int, name: str) -> Callable[..., Awaitable[Any]]:
        """See Runtime."""
        if stage.name not in self._stages or index != self._index:
            return self._outer.method(stage, index, name)

        async def call(*arguments: Any) -> Any:
            return await self.call(stage.name, name, *arguments)

        return call

    def function(self, stage: Stage, graph: Graph) -> Call:
        """See Runtime."""
        return self._outer.function(stage, graph)

    async def call(self, stage: str, method: str, *arguments: Any) -> Any:
        """Call a method of the worker of this stage. Raises WorkerLost while there is none, and its own errors."""
        worker = self.workers.get(stage)
        if worker is None:
            raise WorkerLost(f"{stage}/{self._index}")
        return await getattr(worker, method)(*arguments)

    async def run(self, stage: str) -> None:
        """Run a source until it ends. One that fails is closed and built anew in place; the others go on meanwhile."""
        while True:
            try:
                if stage not in self.workers:
                    self.workers[stage] = self._make(self._stages[stage], self._index, self)
                return await self.workers[stage].begin()
            except Exception as error:
                log.error("%s/%s ended: %s", stage, self._index, whereabouts(error))
                self._errors[stage] = type(error).__name__
            await self._close(stage)
            await asyncio.sleep(REBUILD_SECONDS)
            if stage in self._draining:
                return None
            self._rebuilt[stage] += 1

    def announce_drain(self) -> None:
        """See InstanceWorker."""
        for worker in self.workers.values():
            worker.announce_drain()

    async def drain(self, stage: str) -> None:
        """See InstanceWorker. A source that has failed is not built anew from now on."""
        self._draining.add(stage)
        if stage in self.workers:
            await self.workers[stage].drain()

    def status(self) -> list[dict[str, Any]]:
        """Return the status of each instance. `restarts` counts the times that it was built anew in this process."""
        return [self._status(stage) for stage in self._stages]

    async def close(self) -> None:
        """Close all workers, upstream first."""
        for stage in self._stages:
            await self._close(stage)

    def _status(self, stage: str) -> dict[str, Any]:
        restarts = {"restarts": self._rebuilt[stage]}
        error = self._errors.get(stage, "")
        if worker := self.workers.get(stage):
            try:
                return {**worker.status(), **restarts}
            except Exception as unexpected:  # an operator's own; nothing else depends on it
                log.warning("%s cannot report its status: %s", worker.name, whereabouts(unexpected))
                error = type(unexpected).__name__
        name = f"{stage}/{self._index}"
        return {"stage": stage, "name": name, "lost": True, "last_error": error, **restarts}

    async def _close(self, stage: str) -> None:
        worker = self.workers.pop(stage, None)
        try:
            if worker is not None:
                await worker.close()
        except Exception as error:
            log.error("%s/%s was not closed: %s", stage, self._index, whereabouts(error))
