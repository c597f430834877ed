"""Asks every instance of a running job how it is, from any process of the cluster."""

import asyncio
from typing import Any

import ray.util
from ray.exceptions import RayError

from messaging.streaming.api.errors import StreamingError, WorkerLost
from messaging.streaming.api.names import JobName
from messaging.streaming.ray.ray_runtime import find


async def roll_call(name: JobName, seconds: float) -> list[dict[str, Any]]:
    """Return what every instance says about itself, as `Job.status`; one that does not answer in time says `lost`.

    Finds them by their names, so it needs no handle and sees instances that were added later. Raises WorkerLost
    when the cluster itself does not answer.
    """
    try:
        async with asyncio.timeout(seconds):
            names = await asyncio.to_thread(_names, name)
    except (TimeoutError, RayError) as error:
        raise WorkerLost(type(error).__name__) from None
    return list(await asyncio.gather(*(_ask(name, one, seconds) for one in names)))


def _names(name: JobName) -> list[str]:
    named: Any = ray.util.list_named_actors(all_namespaces=True)
    ours = [actor["name"] for actor in named if actor["namespace"] == name.namespace]
    return sorted(one for one in ours if one.startswith(f"{name.job}/"))


async def _ask(name: JobName, actor_name: str, seconds: float) -> dict[str, Any]:
    try:
        async with asyncio.timeout(seconds):
            actor: Any = await find(actor_name, name.namespace)
            answer: dict[str, Any] = await actor.status.remote()
    except (TimeoutError, RayError, StreamingError):
        short = actor_name.removeprefix(f"{name.job}/")
        return {"stage": short.rpartition("/")[0], "name": short, "lost": True}
    return answer
