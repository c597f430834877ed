"""Prepares a node for its end: instances with clients of their own stop taking new ones, and finish the others."""

import asyncio
import time
from typing import Any

import ray

from messaging.streaming.api.errors import WorkerLost
from messaging.streaming.api.graph import JobName
from messaging.streaming.api.placement import SEPARATE, Placement
from messaging.streaming.ops.status import ANSWER_SECONDS, job_status
from messaging.streaming.ray.job import all_done


def drain_listeners(
    name: JobName,
    unready_seconds: float,
    drain_seconds: float,
    placement: Placement = SEPARATE,
) -> list[str] | None:
    """Drain the instances of a running job that listen (their status says so) on the node of this process.

    Announces it first, waits `unready_seconds` while all is still taken, and then `drain_seconds` at most. Returns
    the names of the drained instances, or None if not all were in time. Instances that do not listen stay as they
    are: Ray restarts them elsewhere when the node has gone. Must be within `local_cluster`. Raises WorkerLost when
    the cluster does not answer.
    """
    node = ray.get_runtime_context().get_node_id()[:8]
    names = listeners_on(node, asyncio.run(job_status(name, ANSWER_SECONDS)))
    actors: list[tuple[str, Any]] = []
    for instance in names:
        stage, _, index = instance.rpartition("/")
        actor_name = name.of(placement.group_of(stage), int(index))
        try:
            actors.append((stage, ray.get_actor(actor_name, namespace=name.namespace)))
        except ValueError:
            raise WorkerLost(instance) from None
    if not actors:
        return []
    announced = [actor.announce_drain.remote() for _, actor in actors]
    ray.wait(announced, num_returns=len(announced), timeout=ANSWER_SECONDS)
    time.sleep(unready_seconds)
    drained = [actor.drain.remote(stage) for stage, actor in actors]
    return names if all_done(drained, drain_seconds) else None


def listeners_on(node: str, rows: list[dict[str, Any]]) -> list[str]:
    """Return the names of the instances that have clients of their own there."""
    return [row["name"] for row in rows if row.get("node") == node and row.get("listening")]
