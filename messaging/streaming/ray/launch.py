"""Runs a declaration on Ray: starts Ray if need be, finds a place for the state, and hands back the job."""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import ray
from ray.actor import ActorHandle
from ray.exceptions import GetTimeoutError, RayActorError, RayError

from messaging.streaming.api.errors import DeclarationError, StreamingError
from messaging.streaming.api.graph import Graph, Stage
from messaging.streaming.api.names import JobName
from messaging.streaming.ray.cluster import HostOptions, start_hosts
from messaging.streaming.ray.job import Job
from messaging.streaming.ray.local import start_ray
from messaging.streaming.stateful.state.base import Store
from messaging.streaming.stateful.state.savepoint import restore
from messaging.streaming.stateful.state.stores import open_store

START_SECONDS = 120.0


def launch(graph: Graph, name: str, savepoint: Any = None) -> Job:
    """Submit the graph and return the job. Without an option `state`, its state lasts as long as the job.

    With one, a job of the same name goes on where the last one stood. Raises StreamingError, DeclarationError.
    """
    if not ray.is_initialized():
        start_ray(os.environ.get("RAY_ADDRESS"))
    if "state" in graph.options or not any(stage.kind.keeps for stage in graph.stages):
        return _submitted(graph, name, savepoint)
    # Outlives a worker, not the machine: whoever wants more names a place.
    folder = tempfile.mkdtemp(prefix=f"streaming-{os.getpid()}-")
    state = f"sqlite:///{folder}?synchronous=off"
    placed = replace(graph, options={**graph.options, "state": state})
    try:
        job = _submitted(placed, name, savepoint)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    job.at_end(partial(shutil.rmtree, folder, ignore_errors=True))
    return job


def _submitted(graph: Graph, name: str, savepoint: Any) -> Job:
    if savepoint is not None:
        restore(Path(savepoint), graph, _stores(graph, name))
    return submit(JobName(name), graph)


def _stores(graph: Graph, name: str) -> Iterator[tuple[Stage, int, Store]]:
    url = graph.options["state"]
    if url.startswith("memory:"):
        raise DeclarationError(
            "a savepoint needs a store that other processes can open, not memory:"
        )
    for stage in graph.stages:
        if stage.kind.keeps:
            for index in range(stage.parallelism):
                yield stage, index, open_store(url, name, f"{stage.name}/{index}")


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
    held: list[Any] = []
    life = HostOptions(patience_seconds, set_up)
    job = Job(name, graph, actors)
    job.at_end(held.clear)
    try:
        for stage in reversed(graph.upstream_first()):
            if stage.kind.has_actors:
                started, view = start_hosts(name, graph, stage, life)
                actors |= {(stage.name, index): actor for index, actor in enumerate(started)}
                held.append(view)
    except RayError as error:  # such as from a cluster that has given up this process or its node
        job.stop()
        raise StreamingError(f"the cluster takes no actors: {error}") from None
    _wait_until_standing(job, actors)
    job.supervise()
    return job


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
