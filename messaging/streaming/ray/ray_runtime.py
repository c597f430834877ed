"""Reaches instances on Ray by their names, and runs functions as tasks; Ray's errors become ours here."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

import ray
from ray.actor import ActorHandle
from ray.exceptions import RayError, RayTaskError

from messaging.streaming.api.errors import StageFailed, StreamingError, WorkerLost
from messaging.streaming.api.graph import Graph, JobName
from messaging.streaming.api.operators import Results
from messaging.streaming.api.placement import SEPARATE, Placement
from messaging.streaming.api.stage import Stage
from messaging.streaming.runtime.batch_redelivery import Call
from messaging.streaming.runtime.function_stage import function_call
from messaging.streaming.runtime.output import Output, output_of


class RayRuntime:
    """The `Runtime` of a job on Ray."""

    def __init__(self, job: JobName, placement: Placement) -> None:
        self._job = job
        self._placement = placement

    def method(self, stage: Stage, index: int, name: str) -> Callable[..., Awaitable[Any]]:
        """See Runtime. The handle of the actor is kept until it is lost."""
        actor_name = self._job.of(self._placement.group_of(stage.name), index)
        handles: list[Any] = []

        async def call(*arguments: Any) -> Any:
            if not handles:
                handles.append(await find_actor(actor_name, self._job.namespace))
            try:
                return await _answer_of(handles[0].call.remote(stage.name, name, *arguments))
            except WorkerLost:
                handles.clear()
                raise

        return call

    def function(self, stage: Stage, graph: Graph) -> Call:
        """See Runtime. The task is not retried: it acts on the outside world."""
        function = stage.function

        def call(records: list[Any]) -> Results:
            results: Results = function(records)  # Ray makes tasks of plain functions only
            return results

        remote: Any = ray.remote(call).options(**ray_options(stage), max_retries=0, name=stage.name)

        async def run(records: list[Any]) -> Results:
            results: Results = await _answer_of(remote.remote(records))
            return results

        return function_call(stage, graph, self, run)


def open_inlet(
    name: JobName,
    graph: Graph,
    stage: str,
    index: int,
    patience_seconds: float,
    placement: Placement = SEPARATE,
) -> Output:
    """Return an output that feeds an INLET stage of a running job from the event loop of this process."""
    runtime = RayRuntime(name, placement)
    return output_of(graph.view_for(stage), stage, index, runtime, patience_seconds)


def ray_options(*stages: Stage) -> dict[str, Any]:
    """Return the demand of instances in one process as Ray's options: Ray has words of its own for some resources."""
    demand = Counter[str]()
    for stage in stages:
        demand.update(stage.resources)
    resources: dict[str, Any] = dict(demand)
    return {
        "num_cpus": sum(stage.cpus for stage in stages),
        "num_gpus": resources.pop("GPU", 0),
        "memory": resources.pop("memory", None),
        "resources": resources,
    }


async def find_actor(name: str, namespace: str) -> ActorHandle[Any]:
    """Look an actor up by name. Raises WorkerLost when there is none, or the cluster does not answer."""
    try:
        return await asyncio.to_thread(ray.get_actor, name, namespace=namespace)
    except (ValueError, RayError):
        raise WorkerLost(name) from None


async def _answer_of(reference: Awaitable[Any]) -> Any:
    """Await a Ray call; every error of Ray's own becomes one of ours, here and nowhere else."""
    try:
        return await reference
    except RayTaskError as error:
        cause: Any = error.cause
        if isinstance(cause, StreamingError):
            raise type(cause)(*cause.args) from None
        raise StageFailed(type(cause).__name__) from None
    except RayError as error:
        raise WorkerLost(type(error).__name__) from None
