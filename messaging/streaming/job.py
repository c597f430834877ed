"""The handle of a job that runs on Ray: start it, ask it, drain it, stop it; or find it from another process."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

import ray
from ray.actor import ActorHandle
from ray.exceptions import GetTimeoutError, RayActorError, RayError

from messaging.streaming.cluster import RayRuntime, find, start_host
from messaging.streaming.errors import StreamingError, WorkerLost
from messaging.streaming.graph import Graph, Kind, Stage
from messaging.streaming.names import JobName
from messaging.streaming.outlet import Outlet, outlet_of

START_SECONDS = 120.0
ASK_SECONDS = 5.0


class Job:
    """A job on Ray. Its actors live as long as the handle that `submit` returned, or until `stop`."""

    def __init__(
        self, name: JobName, graph: Graph, actors: dict[tuple[str, int], ActorHandle[Any]]
    ):
        self.name = name
        self._graph = graph
        self._actors = actors

    def status(self) -> list[dict[str, Any]]:
        """What every instance says about itself; one that does not answer in time says `lost`."""
        asked: dict[tuple[str, int], Any] = {
            key: actor.status.remote() for key, actor in self._actors.items()
        }
        ray.wait(list(asked.values()), num_returns=len(asked), timeout=ASK_SECONDS)
        return [self._answer(stage, index, ref) for (stage, index), ref in asked.items()]

    def announce_drain(self) -> None:
        """Let every instance say that it is draining, so that nobody is sent here any more; all is still taken."""
        calls: list[Any] = [actor.announce_drain.remote() for actor in self._actors.values()]
        ray.wait(calls, num_returns=len(calls), timeout=ASK_SECONDS)

    def drain(self, seconds: float) -> bool:
        """Sources stop taking and everything in work settles. Returns whether it did within `seconds`."""
        deadline = time.monotonic() + seconds
        for stage in self._graph.upstream_first():
            calls = [
                a.drain.remote() for (name, _), a in self._actors.items() if name == stage.name
            ]
            left = max(deadline - time.monotonic(), 0.1)
            if calls and not _all_done(calls, left):
                return False
        return True

    def stop(self) -> None:
        """End all actors, sources first. What is not drained is left to whoever keeps it."""
        for stage in self._graph.upstream_first():
            for (name, _), actor in self._actors.items():
                if name == stage.name:
                    ray.kill(actor)

    def _answer(self, stage: str, index: int, reference: Any) -> dict[str, Any]:
        try:
            answer: dict[str, Any] = ray.get(reference, timeout=0)
        except (RayError, TimeoutError):
            return {"stage": stage, "name": f"{stage}/{index}", "lost": True}
        return answer


def submit(
    name: JobName,
    graph: Graph,
    *,
    patience_seconds: float = 25.0,
    set_up: Callable[[], None] | None = None,
) -> Job:
    """Start every instance of the graph, sinks first, and return when all of them stand.

    `set_up` runs first in every actor's process (logging, say). Ray must have been initialised. Raises
    StreamingError with the reason when an operator cannot be made.
    """
    actors: dict[tuple[str, int], ActorHandle[Any]] = {}
    for stage in reversed(graph.upstream_first()):
        if stage.kind in (Kind.OPERATOR, Kind.SOURCE):
            started = _start(name, graph, stage, patience_seconds, set_up)
            actors |= {(stage.name, index): actor for index, actor in enumerate(started)}
    job = Job(name, graph, actors)
    _wait_until_standing(job, actors)
    return job


def _start(
    name: JobName,
    graph: Graph,
    stage: Stage,
    patience_seconds: float,
    set_up: Callable[[], None] | None,
) -> list[ActorHandle[Any]]:
    return [
        start_host(name, graph, stage, index, patience_seconds, set_up)
        for index in range(stage.parallelism)
    ]


def _wait_until_standing(job: Job, actors: dict[tuple[str, int], ActorHandle[Any]]) -> None:
    try:
        ray.get([actor.status.remote() for actor in actors.values()], timeout=START_SECONDS)
    except GetTimeoutError:
        job.stop()
        raise StreamingError("the actors did not start in time; is the cluster full?") from None
    except RayActorError as error:
        job.stop()
        raise StreamingError(f"an actor could not start: {_reason(error)}") from None


def _reason(error: RayActorError) -> str:
    """The last line of what Ray says is the error that the operator raised."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1] if lines else type(error).__name__


def open_inlet(
    name: JobName, graph: Graph, stage: str, index: int, patience_seconds: float
) -> Outlet:
    """Return what feeds an INLET stage of a running job, for use on the event loop of this process."""
    return outlet_of(graph.seen_from(stage), stage, index, RayRuntime(name), patience_seconds)


async def ask(name: JobName, stage: str, index: int, seconds: float) -> dict[str, Any]:
    """Ask one instance of a running job for its status, from any process. Raises StreamingError."""
    try:
        async with asyncio.timeout(seconds):
            actor: Any = await find(name.of(stage, index), name.namespace)
            status: dict[str, Any] = await actor.status.remote()
    except (TimeoutError, RayError) as error:
        raise WorkerLost(type(error).__name__) from None
    return status


def _all_done(calls: list[Any], seconds: float) -> bool:
    done, waiting = ray.wait(calls, num_returns=len(calls), timeout=seconds)
    for reference in done:
        try:
            ray.get(reference)
        except RayError:
            # A worker that died while draining left what it had in work to the leases and the peers.
            return False
    return not waiting
