"""Runs a declaration on Ray: starts Ray if need be, finds a place for the state, and returns the job."""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import ray

from messaging.streaming.api.errors import DeclarationError
from messaging.streaming.api.graph import Graph, JobName
from messaging.streaming.api.stage import Stage
from messaging.streaming.ray.hosts import HostOptions
from messaging.streaming.ray.launch import start
from messaging.streaming.ray.local import start_ray
from messaging.streaming.stateful.host import StatefulHost
from messaging.streaming.stateful.job import Job
from messaging.streaming.stateful.state.savepoint import restore
from messaging.streaming.stateful.state.store_protocol import Store
from messaging.streaming.stateful.state.stores import open_store

Savepoint = str | Path | None


def launch(graph: Graph, name: str, savepoint: Savepoint = None) -> Job:
    """Submit the graph and return the job. Without an option `state`, its state lasts as long as the job.

    With one, a job of the same name goes on where the last one stood. Raises StreamingError, DeclarationError.
    """
    if not ray.is_initialized():
        start_ray(os.environ.get("RAY_ADDRESS"))
    if "state" in graph.options or not any(stage.kind.is_stateful for stage in graph.stages):
        return _restore_and_submit(graph, name, savepoint)
    # Outlasts a worker, not the machine: a user who needs more sets the option.
    folder = tempfile.mkdtemp(prefix=f"streaming-{os.getpid()}-")
    state = f"sqlite:///{folder}?synchronous=off"
    remove = partial(shutil.rmtree, folder, ignore_errors=True)
    try:
        placed = replace(graph, options={**graph.options, "state": state})
        job = _restore_and_submit(placed, name, savepoint)
    except BaseException:
        remove()
        raise
    job.at_end(remove)
    return job


def _restore_and_submit(graph: Graph, name: str, savepoint: Savepoint) -> Job:
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
        if stage.kind.is_stateful:
            for index in range(stage.parallelism):
                yield stage, index, open_store(url, name, f"{stage.name}/{index}")


def submit(
    name: JobName,
    graph: Graph,
    *,
    patience_seconds: float = 25.0,
    set_up: Callable[[], None] | None = None,
) -> Job:
    """Start every instance of the graph and return when all of them run; see `ray.launch.submit`."""
    job = Job(name, graph)
    start(job, HostOptions(patience_seconds, set_up, StatefulHost))
    job.complete()
    return job
