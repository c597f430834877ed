"""The actors of the library's jobs: a `Host` whose worker may be stateful, and which ends with its job."""

from __future__ import annotations

import asyncio
from typing import Any

import ray

from messaging.streaming.api.stage import Stage, StageKind
from messaging.streaming.ray.hosts import Host
from messaging.streaming.runtime.output import Runtime
from messaging.streaming.runtime.worker import InstanceWorker
from messaging.streaming.stateful.batches import Head
from messaging.streaming.stateful.guard import FailedRecord
from messaging.streaming.stateful.state.stores import open_store
from messaging.streaming.stateful.state.values import Entry
from messaging.streaming.stateful.worker import StatefulWorker


class StatefulHost(Host):
    """The actor around one worker of any kind."""

    def make_worker(self, stage: Stage, index: int, runtime: Runtime) -> InstanceWorker:
        """Build the worker. Raises the operator's errors, and DeclarationError for the URL of the store."""
        if not stage.kind.is_stateful:
            return super().make_worker(stage, index, runtime)
        url = self.view.options.get("state", "memory:")
        store = open_store(url, self.job.job, f"{stage.name}/{index}")
        return StatefulWorker(self.view, stage, index, store, runtime)

    @property
    def stateful(self) -> StatefulWorker:
        """The worker of a stateful stage. Raises TypeError for any other."""
        if not isinstance(self.worker, StatefulWorker):
            raise TypeError(f"{self.worker.name} is not stateful")
        return self.worker

    async def pause(self, paused: bool) -> None:
        """See StatefulWorker."""
        self.stateful.pause(paused)

    async def settle(self) -> None:
        """See StatefulWorker."""
        await self.stateful.settle()

    async def state_entries(self) -> tuple[list[tuple[bytes, bytes]], Head]:
        """See StatefulWorker."""
        return await self.stateful.state_entries()

    async def state_parallelism(self) -> int:
        """Return the number of instances that share the state of this stage by key; 0 if there is none."""
        if not isinstance(self.worker, StatefulWorker):
            return 0
        stage = self.worker.stage
        return stage.parallelism if stage.kind is StageKind.STATEFUL else 0

    async def entry(self, token: bytes) -> Entry | None:
        """See StatefulWorker."""
        return await self.stateful.entry(token)

    async def entries(self, limit: int) -> list[Entry]:
        """See StatefulWorker."""
        return await self.stateful.entries(limit)

    async def dead_letters(self) -> list[FailedRecord]:
        """See StatefulWorker."""
        return await self.stateful.dead_letters()

    # -- the end of a job

    async def wait_for_end(self, seconds: float) -> bool:
        """Wait so long for the source to end, and return whether it has."""
        try:
            await asyncio.wait_for(self.worker.ended.wait(), seconds)
        except TimeoutError:
            return False
        return True

    async def finish(self) -> None:
        """See InstanceWorker."""
        await self.worker.finish()

    async def leave(self) -> None:
        """End this process for good, after closing the user's functions."""
        self.stop_tasks()
        await self.worker.close()
        leave: Any = ray.actor.exit_actor
        leave()
