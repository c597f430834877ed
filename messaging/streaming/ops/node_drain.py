"""Prepares a node for its end: whatever listens there stops taking new clients, and finishes with those it has."""

import asyncio
import time
from typing import Any

import ray

from messaging.streaming.api.errors import WorkerLost
from messaging.streaming.api.names import JobName
from messaging.streaming.ops.roll_call import roll_call
from messaging.streaming.ray.job import ASK_SECONDS, all_done


def drain_listeners(
    name: JobName, unready_seconds: float, drain_seconds: float
) -> list[str] | None:
    """Drain the instances of a running job that listen (their status says so) on the node of this process.

    Announces it first, waits `unready_seconds` while all is still taken, and then `drain_seconds` at most. Returns
    who was drained, or None if not all were in time. What does not listen stays as it is: Ray restarts it elsewhere
    when the node has gone. Must be within `local_cluster`. Raises WorkerLost when the cluster does not answer.
    """
    node = ray.get_runtime_context().get_node_id()[:8]
    leaving = listeners_on(node, asyncio.run(roll_call(name, ASK_SECONDS)))
    actors = [_actor(name, worker) for worker in leaving]
    if not actors:
        return []
    announced = [actor.announce_drain.remote() for actor in actors]
    ray.wait(announced, num_returns=len(announced), timeout=ASK_SECONDS)
    time.sleep(unready_seconds)
    return leaving if all_done([actor.drain.remote() for actor in actors], drain_seconds) else None


def listeners_on(node: str, rows: list[dict[str, Any]]) -> list[str]:
    """Return the names of those that have clients of their own there."""
    return [row["name"] for row in rows if row.get("node") == node and row.get("listening")]


def _actor(name: JobName, worker: str) -> Any:
    stage, _, index = worker.rpartition("/")
    try:
        return ray.get_actor(name.of(stage, int(index)), namespace=name.namespace)
    except ValueError:
        raise WorkerLost(worker) from None
