"""The actors of a job on Ray: one for each instance, with a name, restarted without limit."""

import asyncio
import logging
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import ray
from ray.actor import ActorHandle

from messaging.streaming.api.errors import DeclarationError, whereabouts
from messaging.streaming.api.graph import Graph, JobName
from messaging.streaming.api.stage import Stage
from messaging.streaming.ops.metrics import METER_SECONDS, Rates, WorkerMetrics
from messaging.streaming.ray.packing import pack, unpack
from messaging.streaming.ray.ray_runtime import RayRuntime, ray_options
from messaging.streaming.runtime.batch_redelivery import Answer
from messaging.streaming.runtime.worker import InstanceWorker, make_worker

log = logging.getLogger(__name__)

# Ray stores larger arguments apart from the actor, in the process that passed them.
MAX_ARGUMENT_BYTES = 90_000


class Host:
    """The actor around one worker. The worker begins in the constructor, so that it begins again after a restart."""

    def __init__(
        self, job: JobName, packed: bytes, stage_name: str, index: int, options: "HostOptions"
    ) -> None:
        if options.set_up is not None:
            options.set_up()
        view: Graph = unpack(packed)
        self.worker = self.make_worker(job, view, view.stage(stage_name), index, options)
        self._metrics, self._rates = WorkerMetrics(job.job, self.worker.name), Rates()
        self._tasks = [asyncio.create_task(self._begin()), asyncio.create_task(self._measure())]

    def make_worker(
        self, job: JobName, view: Graph, stage: Stage, index: int, options: "HostOptions"
    ) -> InstanceWorker:
        """Build the worker. Raises the operator's errors."""
        return make_worker(view, stage, index, RayRuntime(job), options.patience_seconds)

    async def process(self, records: list[Any]) -> Sequence[Answer]:
        """See InstanceWorker."""
        return await self.worker.process(records)

    async def announce_drain(self) -> None:
        """See InstanceWorker."""
        self.worker.announce_drain()

    async def drain(self) -> None:
        """See InstanceWorker."""
        await self.worker.drain()

    async def run(self, function: Callable[[], object]) -> None:
        """Call a function in the process of the instance."""
        function()

    async def status(self) -> dict[str, Any]:
        """See InstanceWorker; with rates, and the process and the node that it runs on."""
        node = ray.get_runtime_context().get_node_id()[:8]
        rates = self._rates.per_second()
        return {**self.worker.status(), **rates, "pid": os.getpid(), "node": node}

    def stop_tasks(self) -> None:
        """End the tasks that the constructor began."""
        for task in self._tasks:
            task.cancel()

    async def _begin(self) -> None:
        try:
            await self.worker.begin()
        except Exception as error:
            # An actor that dies gets a fresh start from Ray; the constructor then begins the source anew.
            log.error("%s ended: %s", self.worker.name, whereabouts(error))
            await asyncio.sleep(1)
            os._exit(1)

    async def _measure(self) -> None:
        while True:
            await asyncio.sleep(METER_SECONDS)
            try:
                status = self.worker.status()
            except Exception as error:  # an operator's own status; the job does not depend on it
                log.warning("%s cannot report its status: %s", self.worker.name, whereabouts(error))
                continue
            self._metrics.read(status)
            self._rates.read(status, time.monotonic())


@dataclass(frozen=True, slots=True)
class HostOptions:
    """The start of every actor of a job.

    `patience_seconds` limits a source's wait for answers. `set_up` runs first in the process, before the modules of
    the graph are imported there. `host` is the class of the actors.
    """

    patience_seconds: float
    set_up: Callable[[], None] | None = None
    host: type[Host] = Host


def start_hosts(
    job: JobName, graph: Graph, stage: Stage, options: HostOptions
) -> tuple[list[ActorHandle[Any]], Any]:
    """Start the actors of a stage; return them, and an object to hold as long as they may be restarted.

    Raises no error of an operator yet: only their `status` shows that they run.
    """
    packed = pack(graph.view_for(stage.name))
    # Ray forgets a large argument once an actor runs, and could not start it again. A small one stays with the actor.
    view = packed if len(packed) <= MAX_ARGUMENT_BYTES else ray.put(packed)
    actors = [
        _remote_host(job, stage, index, options.host).remote(job, view, stage.name, index, options)
        for index in range(stage.parallelism)
    ]
    return actors, view


def start_detached_host(
    job: JobName, graph: Graph, stage: Stage, index: int, options: HostOptions
) -> ActorHandle[Any]:
    """Return the actor of one instance; start it if there is none. It runs until it is ended explicitly.

    The cluster owns it and it carries its part of the graph with it, so that Ray can start it again after the process
    that started it has gone. So that part may not be large (DeclarationError). Raises RayError.
    """
    view = pack(graph.view_for(stage.name))
    if len(view) > MAX_ARGUMENT_BYTES:
        raise DeclarationError(f"stage {stage.name!r} holds too much to outlive its starter")
    remote = _remote_host(
        *(job, stage, index, options.host),
        lifetime="detached",
        get_if_exists=True,
        # Spread, so that a node that is lost does not take everything with it.
        scheduling_strategy="SPREAD",
    )
    actor: ActorHandle[Any] = remote.remote(job, view, stage.name, index, options)
    return actor


def _remote_host(job: JobName, stage: Stage, index: int, host: type[Host], **more: Any) -> Any:
    remote: Any = ray.remote(host)
    return remote.options(
        **more,
        name=job.of(stage.name, index),
        namespace=job.namespace,
        **ray_options(stage),
        max_restarts=-1,
        max_task_retries=0,
        max_concurrency=1000,
    )
