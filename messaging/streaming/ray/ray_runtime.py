"""Reaches what runs on Ray: instances by their names, and functions as tasks; Ray's errors become ours here."""

import asyncio
from collections.abc import Awaitable
from typing import Any

import ray
from ray.actor import ActorHandle
from ray.exceptions import RayError, RayTaskError

from messaging.streaming.api.errors import StageFailed, StreamingError, WorkerLost
from messaging.streaming.api.graph import Graph, Stage
from messaging.streaming.api.names import JobName
from messaging.streaming.runtime.channel import Call
from messaging.streaming.runtime.function_stage import local_stage
from messaging.streaming.runtime.operator_thread import Results
from messaging.streaming.runtime.output import Receiver, Runtime


class RayRuntime(Runtime):
    """Reaches instances by name, and runs functions as Ray tasks."""

    def __init__(self, job: JobName) -> None:
        self._job = job

    def worker(self, stage: Stage, index: int) -> Call:
        """See Runtime."""
        call: Call = self._calling(stage, index, "process")
        return call

    def keeper(self, stage: Stage, index: int) -> Receiver:
        """See Runtime."""
        return Receiver(self._calling(stage, index, "take"), self._calling(stage, index, "answers"))

    def _calling(self, stage: Stage, index: int, method: str) -> Any:
        name = self._job.of(stage.name, index)
        handles: list[Any] = []

        async def call(*arguments: Any) -> Any:
            if not handles:
                handles.append(await find(name, self._job.namespace))
            try:
                return await _reached(getattr(handles[0], method).remote(*arguments))
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

        remote: Any = ray.remote(call).options(
            **resources_of(stage), max_retries=0, name=stage.name
        )

        async def run(records: list[Any]) -> Results:
            results: Results = await _reached(remote.remote(records))
            return results

        return local_stage(stage, graph, self, run)


def resources_of(stage: Stage) -> dict[str, Any]:
    """Return what an instance asks of its node, as Ray's options: it has words of its own for some of it."""
    named = dict(stage.resources)
    return {
        "num_cpus": stage.cpus,
        "num_gpus": named.pop("GPU", 0),
        "memory": named.pop("memory", None),
        "resources": named,
    }


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
