"""The actors of a job on Ray: one for each process of a stage group, with a name, restarted without limit."""

import asyncio
import logging
import os
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import ray
from ray.actor import ActorHandle

from messaging.streaming.api.errors import DeclarationError, whereabouts
from messaging.streaming.api.graph import Graph, JobName
from messaging.streaming.api.placement import SEPARATE, Placement
from messaging.streaming.api.stage import Stage
from messaging.streaming.ops.metrics import WorkerMetrics
from messaging.streaming.ray.packing import pack, unpack
from messaging.streaming.ray.ray_runtime import RayRuntime, ray_options
from messaging.streaming.runtime.group import WorkerGroup
from messaging.streaming.runtime.output import Runtime
from messaging.streaming.runtime.rates import METER_SECONDS, Rates
from messaging.streaming.runtime.worker import InstanceWorker, make_worker

log = logging.getLogger(__name__)

# Ray stores larger arguments apart from the actor, in the process that passed them.
MAX_ARGUMENT_BYTES = 90_000


class Host:
    """The actor around the workers of one process of a stage group.

    The workers begin in the constructor, so that they begin again after a restart.
    """

    def __init__(
        self, job: JobName, packed: bytes, group: str, index: int, options: "HostOptions"
    ) -> None:
        if options.set_up is not None:
            options.set_up()
        self.job, self.options = job, options
        self.view: Graph = unpack(packed)
        stages = options.placement.groups_of(self.view)[group]
        # A stage that is a group by itself may have more instances than declared.
        here = [stage for stage in stages if len(stages) == 1 or index < stage.parallelism]
        runtime = RayRuntime(job, options.placement)
        self.group = WorkerGroup(here, index, runtime, self.make_worker)
        self._metrics, self._rates = WorkerMetrics(job.job), defaultdict[str, Rates](Rates)
        begin = self._begin_alone if len(self.group.workers) == 1 else self.group.run
        self._tasks = [asyncio.create_task(begin(stage)) for stage in self.group.workers]
        self._tasks.append(asyncio.create_task(self._measure()))

    def make_worker(self, stage: Stage, index: int, runtime: Runtime) -> InstanceWorker:
        """Build the worker. Raises the operator's errors."""
        return make_worker(self.view, stage, index, runtime, self.options.patience_seconds)

    @property
    def worker(self) -> InstanceWorker:
        """The worker of a stage that is a group by itself."""
        (worker,) = self.group.workers.values()
        return worker

    async def call(self, stage: str, method: str, *arguments: Any) -> Any:
        """Call a method of the worker of a stage. Raises WorkerLost while there is none, and its own errors."""
        return await self.group.call(stage, method, *arguments)

    async def announce_drain(self) -> None:
        """See InstanceWorker; for all stages."""
        self.group.announce_drain()

    async def drain(self, stage: str) -> None:
        """See InstanceWorker."""
        await self.group.drain(stage)

    async def run(self, function: Callable[[], object]) -> None:
        """Call a function in the process of the instances."""
        function()

    async def status(self) -> list[dict[str, Any]]:
        """Return the status of each instance; with rates, and the process and the node that it runs on."""
        place = {"pid": os.getpid(), "node": ray.get_runtime_context().get_node_id()[:8]}
        return [
            {**row, **self._rates[row["name"]].per_second(), **place} for row in self.group.status()
        ]

    def stop_tasks(self) -> None:
        """End the tasks that the constructor began."""
        for task in self._tasks:
            task.cancel()

    async def _begin_alone(self, stage: str) -> None:
        try:
            await self.group.workers[stage].begin()
        except Exception as error:
            # An actor that dies gets a fresh start from Ray; the constructor then begins the source anew.
            log.error("%s ended: %s", self.worker.name, whereabouts(error))
            await asyncio.sleep(1)
            os._exit(1)

    async def _measure(self) -> None:
        while True:
            await asyncio.sleep(METER_SECONDS)
            for row in self.group.status():
                if not row.get("lost"):
                    self._metrics.read(row)
                    self._rates[row["name"]].read(row, time.monotonic())


@dataclass(frozen=True, slots=True)
class HostOptions:
    """The start of every actor of a job.

    `patience_seconds` limits a source's wait for answers. `set_up` runs first in the process, before the modules of
    the graph are imported there. `host` is the class of the actors. `placement` names the stages that share one.
    """

    patience_seconds: float
    set_up: Callable[[], None] | None = None
    host: type[Host] = Host
    placement: Placement = SEPARATE


def start_hosts(
    job: JobName, graph: Graph, group: str, options: HostOptions
) -> tuple[list[ActorHandle[Any]], Any]:
    """Start the actors of a stage group; return them, and an object to hold as long as they may be restarted.

    Raises no error of an operator yet: only their `status` shows that they run.
    """
    stages = options.placement.groups_of(graph)[group]
    packed = pack(graph.view_for(*(stage.name for stage in stages)))
    # Ray forgets a large argument once an actor runs, and could not start it again. A small one stays with the actor.
    view = packed if len(packed) <= MAX_ARGUMENT_BYTES else ray.put(packed)
    actors = [
        _remote_host(job, stages, group, index, options.host).remote(
            *(job, view, group, index, options)
        )
        for index in range(max(stage.parallelism for stage in stages))
    ]
    return actors, view


def start_detached_host(
    job: JobName, graph: Graph, group: str, index: int, options: HostOptions
) -> ActorHandle[Any]:
    """Return the actor of one process of a group; start it if there is none. It runs until it is ended explicitly.

    The cluster owns it and it carries its part of the graph with it, so that Ray can start it again after the process
    that started it has gone. So that part may not be large (DeclarationError). Raises RayError.
    """
    stages = options.placement.groups_of(graph)[group]
    view = pack(graph.view_for(*(stage.name for stage in stages)))
    if len(view) > MAX_ARGUMENT_BYTES:
        raise DeclarationError(f"stage {group!r} holds too much to outlive its starter")
    remote = _remote_host(
        *(job, stages, group, index, options.host),
        lifetime="detached",
        get_if_exists=True,
        # Spread, so that a node that is lost does not take everything with it.
        scheduling_strategy="SPREAD",
    )
    actor: ActorHandle[Any] = remote.remote(job, view, group, index, options)
    return actor


def _remote_host(
    job: JobName, stages: Sequence[Stage], group: str, index: int, host: type[Host], **more: Any
) -> Any:
    remote: Any = ray.remote(host)
    return remote.options(
        **more,
        name=job.of(group, index),
        namespace=job.namespace,
        **ray_options(*stages),
        max_restarts=-1,
        max_task_retries=0,
        max_concurrency=1000,
    )
