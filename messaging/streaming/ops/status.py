"""Asks actors of a job for their status, from any process of the cluster."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import ray
from ray.exceptions import GetTimeoutError, RayError
from ray.util import list_named_actors

from messaging.streaming.api.errors import WorkerLost
from messaging.streaming.api.graph import JobName

ANSWER_SECONDS = 5.0


async def ask(name: str, actor: Any, seconds: float) -> dict[str, Any]:
    """Return the status of one instance; `lost`, with the type of Ray's error, when it does not answer in time."""
    try:
        async with asyncio.timeout(seconds):
            status: dict[str, Any] = await actor.status.remote()
    except (TimeoutError, RayError) as error:
        kind = GetTimeoutError if isinstance(error, TimeoutError) else type(error)
        stage = name.rpartition("/")[0]
        return {"stage": stage, "name": name, "lost": True, "last_error": kind.__name__}
    return status


async def ask_all(actors: Mapping[str, Any], seconds: float) -> list[dict[str, Any]]:
    """Return the status of these instances, by their names, in the same order."""
    return list(await asyncio.gather(*(ask(name, actors[name], seconds) for name in actors)))


async def job_status(job: JobName, seconds: float) -> list[dict[str, Any]]:
    """Return the status of every instance of a running job; see `RayJob.status`.

    Finds them by their names, so it needs no handle and sees instances that were added later. Raises WorkerLost
    when the cluster itself does not answer.
    """
    return await ask_all(await _find(job, "", seconds), seconds)


class StageStatus:
    """Asks any instance of a stage. The one that answered last is asked first: that needs no tables of the cluster."""

    def __init__(self, job: JobName, stage: str) -> None:
        self._job = job
        self._stage = stage
        self._last: tuple[str, Any] | None = None

    async def status(self, seconds: float) -> dict[str, Any]:
        """Return the status of one instance. Raises WorkerLost when none answers in time."""
        try:
            async with asyncio.timeout(seconds):
                return await self._status(seconds)
        except TimeoutError:
            self._last = None
            raise WorkerLost(f"no {self._stage} answers") from None

    async def _status(self, seconds: float) -> dict[str, Any]:
        if self._last is not None:
            row = await ask(*self._last, seconds)
            if not row.get("lost"):
                return row
        self._last = None
        actors = await _find(self._job, f"{self._stage}/", seconds)
        for answer in asyncio.as_completed([ask(name, actors[name], seconds) for name in actors]):
            row = await answer
            if not row.get("lost"):
                self._last = row["name"], actors[row["name"]]
                return row
        raise WorkerLost(f"no {self._stage} answers")


async def _find(job: JobName, prefix: str, seconds: float) -> dict[str, Any]:
    """Return the actors of a job whose instance names begin with the prefix. Raises WorkerLost."""

    def find() -> dict[str, Any]:
        actors: dict[str, Any] = {}
        for row in list_named_actors(all_namespaces=True):
            own, _, instance = row["name"].partition("/")
            if row["namespace"] == job.namespace and own == job.job and instance.startswith(prefix):
                try:
                    actors[instance] = ray.get_actor(row["name"], namespace=job.namespace)
                except ValueError:
                    continue  # it ended meanwhile
        return dict(sorted(actors.items()))

    try:
        async with asyncio.timeout(seconds):
            return await asyncio.to_thread(find)
    except (TimeoutError, RayError) as error:
        raise WorkerLost(type(error).__name__) from None
