"""Runs a declaration on Ray: starts Ray if need be, finds a place for the state, and hands back the job."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import ray

from messaging.streaming.errors import DeclarationError
from messaging.streaming.graph import Graph, Stage
from messaging.streaming.job import Job, submit
from messaging.streaming.local import start_ray
from messaging.streaming.names import JobName
from messaging.streaming.savepoint import restore
from messaging.streaming.sql_stores import open_store
from messaging.streaming.store import Store


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
