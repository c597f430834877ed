"""Runs a graph on Ray: a named actor for each instance, restarted without limit, found again by its name."""

import asyncio
import logging
import os
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import ray
from ray.actor import ActorHandle
from ray.exceptions import RayError, RayTaskError

from messaging.streaming.channel import Answer, Call
from messaging.streaming.errors import StageFailed, StreamingError, WorkerLost, whereabouts
from messaging.streaming.function_stage import local_stage
from messaging.streaming.graph import Graph, Kind, Stage
from messaging.streaming.names import JobName
from messaging.streaming.operator_thread import Results
from messaging.streaming.outlet import Runtime, outlet_of
from messaging.streaming.worker import Worker

log = logging.getLogger(__name__)


class Host:
    """The actor around one worker. A source begins in the constructor, so that it runs again after a restart."""

    def __init__(
        self,
        job: JobName,
        graph: Graph,
        stage_name: str,
        index: int,
        patience_seconds: float,
        set_up: Callable[[], None] | None,
    ) -> None:
        if set_up is not None:
            set_up()
        stage = graph.stage(stage_name)
        patience = patience_seconds if stage.kind is Kind.SOURCE else None
        outlet = outlet_of(graph, stage_name, index, RayRuntime(job), patience)
        self._worker = Worker(stage, index, stage.build(), outlet)
        if stage.kind is Kind.SOURCE:
            self._source = asyncio.get_running_loop().create_task(self._run_source())

    async def _run_source(self) -> None:
        try:
            await self._worker.run()
        except Exception as error:
            # Dying is how an actor asks Ray for a fresh start; the constructor then begins the source anew.
            log.error("%s ended: %s", self._worker.name, whereabouts(error))
            await asyncio.sleep(1)
            os._exit(1)

    async def process(self, records: list[Any]) -> Sequence[Answer]:
        """See Worker."""
        return await self._worker.process(records)

    async def announce_drain(self) -> None:
        """See Worker."""
        self._worker.announce_drain()

    async def drain(self) -> None:
        """See Worker."""
        await self._worker.drain()

    async def status(self) -> dict[str, Any]:
        """See Worker; with the process that it runs in."""
        node = ray.get_runtime_context().get_node_id()[:8]
        return {**self._worker.status(), "pid": os.getpid(), "node": node}


def start_host(
    job: JobName,
    graph: Graph,
    stage: Stage,
    index: int,
    patience_seconds: float,
    set_up: Callable[[], None] | None,
) -> ActorHandle[Any]:
    """Start the actor of one instance. Raises nothing yet: ask its `status` to know that it stands."""
    host: Any = ray.remote(Host)
    actor = host.options(
        name=job.of(stage.name, index),
        namespace=job.namespace,
        num_cpus=stage.cpus,
        max_restarts=-1,
        max_task_retries=0,
        max_concurrency=1000,
    )
    view = graph.seen_from(stage.name)
    started: ActorHandle[Any] = actor.remote(job, view, stage.name, index, patience_seconds, set_up)
    return started


class RayRuntime(Runtime):
    """Reaches instances by name, and runs functions as Ray tasks."""

    def __init__(self, job: JobName) -> None:
        self._job = job

    def worker(self, stage: Stage, index: int) -> Call:
        """See Runtime."""
        name = self._job.of(stage.name, index)
        handles: list[Any] = []

        async def call(records: list[Any]) -> Sequence[Answer]:
            if not handles:
                handles.append(await find(name, self._job.namespace))
            try:
                answers: Sequence[Answer] = await _reached(handles[0].process.remote(records))
            except WorkerLost:
                handles.clear()
                raise
            return answers

        return call

    def function(self, stage: Stage, graph: Graph) -> Call:
        """See Runtime. The task is not retried: it acts on the outside world."""
        function = stage.function

        def call(records: list[Any]) -> Results:
            results: Results = function(records)  # Ray makes tasks of plain functions only
            return results

        remote: Any = ray.remote(call).options(num_cpus=stage.cpus, max_retries=0, name=stage.name)

        async def run(records: list[Any]) -> Results:
            results: Results = await _reached(remote.remote(records))
            return results

        return local_stage(stage, graph, self, run)


async def find(name: str, namespace: str) -> ActorHandle[Any]:
    """Look an actor up by name. Raises WorkerLost when there is none, or nobody can say."""
    try:
        return await asyncio.to_thread(ray.get_actor, name, namespace=namespace)
    except (ValueError, RayError):
        raise WorkerLost(name) from None


async def _reached(reference: Awaitable[Any]) -> Any:
    """Await a Ray call; everything that Ray itself raises becomes one of our errors, here and nowhere else."""
    try:
        return await reference
    except RayTaskError as error:
        cause: Any = error.cause
        if isinstance(cause, StreamingError):
            raise type(cause)(*cause.args) from None
        raise StageFailed(type(cause).__name__) from None
    except RayError as error:
        raise WorkerLost(type(error).__name__) from None
