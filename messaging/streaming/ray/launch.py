"""Starts a job on Ray: every instance of a graph, sinks first."""

from collections.abc import Callable
from typing import Any

import ray
from ray.exceptions import GetTimeoutError, RayActorError, RayError

from messaging.streaming.api.errors import StreamingError
from messaging.streaming.api.graph import Graph, JobName
from messaging.streaming.api.placement import SEPARATE, Placement
from messaging.streaming.ray.hosts import HostOptions, start_hosts
from messaging.streaming.ray.job import RayJob

START_SECONDS = 300.0


def submit(
    name: JobName,
    graph: Graph,
    *,
    patience_seconds: float = 25.0,
    set_up: Callable[[], None] | None = None,
    placement: Placement = SEPARATE,
) -> RayJob:
    """Start every instance of the graph and return when all of them run.

    `set_up` runs first in every actor's process (logging, say). Ray must have been initialised. Raises
    StreamingError with the reason when an operator cannot be made.
    """
    job = RayJob(name, graph, placement)
    start(job, HostOptions(patience_seconds, set_up, placement=placement))
    return job


def start(job: RayJob, options: HostOptions) -> None:
    """Start every instance of the job and return when all of them run. Raises StreamingError as `submit` does."""
    views: list[Any] = []
    job.at_end(views.clear)
    try:
        for group in reversed(options.placement.groups_of(job.graph)):
            actors, view = start_hosts(job.name, job.graph, group, options)
            job.actors |= {(group, index): actor for index, actor in enumerate(actors)}
            views.append(view)
    except RayError as error:  # such as from a cluster that has given up this process or its node
        job.stop()
        raise StreamingError(f"the cluster takes no actors: {error}") from None
    try:
        ray.get([actor.status.remote() for actor in job.actors.values()], timeout=START_SECONDS)
    except GetTimeoutError:
        job.stop()
        raise StreamingError("the actors did not start in time; is the cluster full?") from None
    except RayActorError as error:
        job.stop()
        # The last line of Ray's text is the error that the operator raised.
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        reason = lines[-1] if lines else type(error).__name__
        raise StreamingError(f"an actor could not start: {reason}") from None
