"""What any process of the cluster may do with a running job that it did not start: feed an inlet, ask an instance."""

import asyncio
from typing import Any

from ray.exceptions import RayError

from messaging.streaming.api.errors import WorkerLost
from messaging.streaming.api.graph import Graph
from messaging.streaming.api.names import JobName
from messaging.streaming.ray.ray_runtime import RayRuntime, find
from messaging.streaming.runtime.output import Output, output_of


def open_inlet(
    name: JobName, graph: Graph, stage: str, index: int, patience_seconds: float
) -> Output:
    """Return what feeds an INLET stage of a running job, for use on the event loop of this process."""
    return output_of(graph.seen_from(stage), stage, index, RayRuntime(name), patience_seconds)


async def ask(name: JobName, stage: str, index: int, seconds: float) -> dict[str, Any]:
    """Ask one instance of a running job for its status, from any process. Raises StreamingError."""
    try:
        async with asyncio.timeout(seconds):
            actor: Any = await find(name.of(stage, index), name.namespace)
            status: dict[str, Any] = await actor.status.remote()
    except (TimeoutError, RayError) as error:
        raise WorkerLost(type(error).__name__) from None
    return status
