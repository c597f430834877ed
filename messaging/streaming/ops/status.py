"""Asks the processes of a job for the status of their instances, from any process of the cluster."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import ray
from ray.exceptions import GetTimeoutError, RayError
from ray.util import list_named_actors

from messaging.streaming.api.errors import WorkerLost
from messaging.streaming.api.graph import JobName
from messaging.streaming.api.placement import SEPARATE, Placement

ANSWER_SECONDS = 5.0


Rows = list[dict[str, Any]]
"""The statuses of instances."""

Instances = Mapping[str, Sequence[str]]
"""The names of the instances in a process, see `Placement.instances`. A process that is not named has one."""


async def ask(actor: Any, seconds: float, instances: Sequence[str]) -> Rows:
    """Return the status of the instances in one process.

    They are `lost`, with the type of Ray's error, when it does not answer in time.
    """
    try:
        async with asyncio.timeout(seconds):
            status: Rows = await actor.status.remote()
    except (TimeoutError, RayError) as error:
        kind = GetTimeoutError if isinstance(error, TimeoutError) else type(error)
        lost = {"lost": True, "last_error": kind.__name__}
        return [{"stage": name.rpartition("/")[0], "name": name, **lost} for name in instances]
    return status


async def ask_all(actors: Mapping[str, Any], seconds: float, instances: Instances) -> list[Rows]:
    """Return the status of the instances in each of these processes, by their names, in the same order."""
    asked = (ask(actor, seconds, instances.get(name, [name])) for name, actor in actors.items())
    return list(await asyncio.gather(*asked))


async def job_status(
    job: JobName, seconds: float, instances: Instances = MappingProxyType({})
) -> Rows:
    """Return the status of every instance of a running job; see `RayJob.status`.

    Finds the processes by their names, so it needs no handle and sees those that were added later. Raises WorkerLost
    when the cluster itself does not answer.
    """
    answers = await ask_all(await _find(job, "", seconds), seconds, instances)
    return [row for rows in answers for row in rows]


class StageStatus:
    """Asks any instance of a stage. The one that answered last is asked first: that needs no tables of the cluster."""

    def __init__(self, job: JobName, stage: str, placement: Placement = SEPARATE) -> None:
        self._job = job
        self._stage = stage
        self._group = placement.group_of(stage)
        self._last: Any = None

    async def status(self, seconds: float) -> dict[str, Any]:
        """Return the status of one instance. Raises WorkerLost when none answers in time."""
        try:
            async with asyncio.timeout(seconds):
                return await self._status(seconds)
        except TimeoutError:
            self._last = None
            raise WorkerLost(f"no {self._stage} answers") from None

    async def _status(self, seconds: float) -> dict[str, Any]:
        if self._last is not None and (row := await self._ask(self._last, seconds)):
            return row
        self._last = None
        actors = await _find(self._job, f"{self._group}/", seconds)

        async def ask_one(actor: Any) -> tuple[Any, dict[str, Any] | None]:
            return actor, await self._ask(actor, seconds)

        for answer in asyncio.as_completed(map(ask_one, actors.values())):
            actor, row = await answer
            if row is not None:
                self._last = actor
                return row
        raise WorkerLost(f"no {self._stage} answers")

    async def _ask(self, actor: Any, seconds: float) -> dict[str, Any] | None:
        """Return the status of the instance of the stage in a process, if there is one that answers."""
        rows = await ask(actor, seconds, [])
        ours = (row for row in rows if row["stage"] == self._stage and not row.get("lost"))
        return next(ours, None)


async def _find(job: JobName, prefix: str, seconds: float) -> dict[str, Any]:
    """Return the actors of a job whose names begin with the prefix, without the name of the job. Raises WorkerLost."""

    def find() -> dict[str, Any]:
        actors: dict[str, Any] = {}
        for row in list_named_actors(all_namespaces=True):
            own, _, name = row["name"].partition("/")
            if row["namespace"] == job.namespace and own == job.job and name.startswith(prefix):
                try:
                    actors[name] = ray.get_actor(row["name"], namespace=job.namespace)
                except ValueError:
                    continue  # it ended meanwhile
        return dict(sorted(actors.items()))

    try:
        async with asyncio.timeout(seconds):
            return await asyncio.to_thread(find)
    except (TimeoutError, RayError) as error:
        raise WorkerLost(type(error).__name__) from None
