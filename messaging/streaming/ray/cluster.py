"""Runs a graph on Ray: a named actor for each instance, restarted without limit, found again by its name."""

import asyncio
import logging
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import ray
from ray.actor import ActorHandle

from messaging.streaming.api.errors import (
    DeclarationError,
    whereabouts,
)
from messaging.streaming.api.graph import Graph, Kind, Stage
from messaging.streaming.api.names import JobName
from messaging.streaming.ops.metrics import METER_SECONDS, Rates, WorkerMetrics
from messaging.streaming.ray.packing import pack, unpack
from messaging.streaming.ray.ray_runtime import RayRuntime, resources_of
from messaging.streaming.runtime.channel import Answer
from messaging.streaming.runtime.making import make_worker
from messaging.streaming.stateful.batches import Batch, Head
from messaging.streaming.stateful.guard import DeadLetter
from messaging.streaming.stateful.state.stores import open_store
from messaging.streaming.stateful.state.values import Entry
from messaging.streaming.stateful.worker import StatefulWorker

log = logging.getLogger(__name__)

# Ray keeps larger arguments apart from the actor, with whoever gave them.
MAX_CARRIED_BYTES = 90_000


@dataclass(frozen=True, slots=True)
class HostOptions:
    """How every actor is started.

    `patience_seconds` limits a source's wait for acknowledgement. `set_up` runs first in the process, before the
    modules of the graph are imported there.
    """

    patience_seconds: float
    set_up: Callable[[], None] | None = None


class Host:
    """The actor around one worker. A source begins in the constructor, so that it runs again after a restart."""

    def __init__(
        self, job: JobName, packed: bytes, stage_name: str, index: int, life: HostOptions
    ) -> None:
        if life.set_up is not None:
            life.set_up()
        view: Graph = unpack(packed)
        self._stage = stage = view.stage(stage_name)
        url, name = view.options.get("state", "memory:"), f"{stage_name}/{index}"
        store = open_store(url, job.job, name) if stage.kind.keeps else None
        runtime = RayRuntime(job)
        self._worker: Any = make_worker(view, stage, index, runtime, store, life.patience_seconds)
        self._meters, self._rates = WorkerMetrics(job.job, name), Rates()
        work = self._run_source if stage.kind in (Kind.SOURCE, Kind.READER) else self._load
        begin = asyncio.get_running_loop().create_task
        self._begun = begin(work()), begin(self._measure())

    async def _measure(self) -> None:
        while True:
            await asyncio.sleep(METER_SECONDS)
            try:
                status = self._worker.status()
            except Exception as error:  # an operator's own status; the job does not hang on it
                log.warning("%s cannot tell its status: %s", self._worker.name, whereabouts(error))
                continue
            self._meters.read(status)
            self._rates.read(status, time.monotonic())

    async def _run_source(self) -> None:
        try:
            await self._worker.run()
        except Exception as error:
            # Dying is how an actor asks Ray for a fresh start; the constructor then begins the source anew.
            log.error("%s ended: %s", self._worker.name, whereabouts(error))
            await asyncio.sleep(1)
            os._exit(1)

    async def _load(self) -> None:
        if isinstance(self._worker, StatefulWorker):
            await self._worker.load()

    async def take(self, batches: Sequence[Batch]) -> None:
        """See KeptWorker."""
        await self._worker.take(batches)

    async def answers(self) -> None:
        """Tell that this process is there, however busy its worker is."""

    async def pause(self, paused: bool) -> None:
        """See KeptWorker."""
        self._worker.pause(paused)

    async def settle(self) -> None:
        """See KeptWorker."""
        await self._worker.settle()

    async def finish(self) -> None:
        """See KeptWorker."""
        await self._worker.finish()

    async def state_entries(self) -> tuple[list[tuple[bytes, bytes]], Head]:
        """See KeptWorker."""
        entries: tuple[list[tuple[bytes, bytes]], Head] = await self._worker.state_entries()
        return entries

    async def keeping(self) -> int:
        """Tell how many instances keep the state of this stage by key; 0 if there is none to keep."""
        return self._stage.parallelism if self._stage.kind is Kind.KEEPER else 0

    async def entry(self, token: bytes) -> Entry | None:
        """See KeptWorker."""
        found: Entry | None = await self._worker.entry(token)
        return found

    async def entries(self, limit: int) -> list[Entry]:
        """See KeptWorker."""
        found: list[Entry] = await self._worker.entries(limit)
        return found

    async def set_aside(self) -> list[DeadLetter]:
        """See KeptWorker."""
        found: list[DeadLetter] = await self._worker.set_aside()
        return found

    async def ended(self, seconds: float) -> bool:
        """Wait so long for the source to end, and say whether it has."""
        try:
            await asyncio.wait_for(self._worker.ended.wait(), seconds)
        except TimeoutError:
            return False
        return True

    async def leave(self) -> None:
        """End this process for good, after closing the user's functions."""
        for task in self._begun:
            task.cancel()
        await self._worker.close()
        leave: Any = ray.actor.exit_actor
        leave()

    async def process(self, records: list[Any]) -> Sequence[Answer]:
        """See Worker."""
        answers: Sequence[Answer] = await self._worker.process(records)
        return answers

    async def announce_drain(self) -> None:
        """See Worker."""
        self._worker.announce_drain()

    async def drain(self) -> None:
        """See Worker."""
        await self._worker.drain()

    async def status(self) -> dict[str, Any]:
        """See Worker; with the process that it runs in."""
        node = ray.get_runtime_context().get_node_id()[:8]
        rates = self._rates.per_second()
        return {**self._worker.status(), **rates, "pid": os.getpid(), "node": node}


def start_hosts(
    job: JobName, graph: Graph, stage: Stage, life: HostOptions
) -> tuple[list[ActorHandle[Any]], Any]:
    """Start the actors of a stage, and return them with what has to be held as long as they may be restarted.

    Raises nothing yet: ask their `status` to know that they stand.
    """
    # Ray forgets a large argument once an actor stands, and could not start it again.
    view = ray.put(pack(graph.seen_from(stage.name)))
    actors = [
        _options(job, stage, index).remote(job, view, stage.name, index, life)
        for index in range(stage.parallelism)
    ]
    return actors, view


def host_stateful_task(
    job: JobName, graph: Graph, stage: Stage, index: int, life: HostOptions
) -> ActorHandle[Any]:
    """Return the actor of one instance; start it if there is none. It lives until somebody ends it.

    It needs nobody: it is owned by the cluster and carries its part of the graph with it, so that Ray can start it
    again after whoever asked for it has gone. So that part may not be large (DeclarationError). Raises RayError.
    """
    view = pack(graph.seen_from(stage.name))
    if len(view) > MAX_CARRIED_BYTES:
        raise DeclarationError(f"stage {stage.name!r} holds too much to outlive who started it")
    detached = _options(
        # Spread, so that a node that is lost does not take everything with it.
        *(job, stage, index),
        lifetime="detached",
        get_if_exists=True,
        scheduling_strategy="SPREAD",
    )
    actor: ActorHandle[Any] = detached.remote(job, view, stage.name, index, life)
    return actor


def _options(job: JobName, stage: Stage, index: int, **more: Any) -> Any:
    host: Any = ray.remote(Host)
    return host.options(
        **more,
        name=job.of(stage.name, index),
        namespace=job.namespace,
        **resources_of(stage),
        max_restarts=-1,
        max_task_retries=0,
        max_concurrency=1000,
    )
