"""Asks for the status of a stage from any process: whichever of its instances answers."""

from __future__ import annotations

import asyncio
from typing import Any

import ray
from ray.exceptions import RayError
from ray.util import list_named_actors

from messaging.streaming.api.errors import WorkerLost
from messaging.streaming.api.names import JobName


class JobStatus:
    """Keeps to the instance that answered last, for which it needs nobody else: not even the cluster's tables."""

    def __init__(self, job: JobName, stage: str) -> None:
        self._job = job
        self._prefix = job.of(stage, 0).removesuffix("0")
        self._actor: Any = None

    async def status(self, seconds: float) -> dict[str, Any]:
        """Return what one instance says about itself. Raises WorkerLost when none answers in time."""
        try:
            async with asyncio.timeout(seconds):
                return await self._kept() or await self._found()
        except (TimeoutError, RayError, ValueError) as error:
            self._actor = None
            raise WorkerLost(type(error).__name__) from None

    async def _kept(self) -> dict[str, Any] | None:
        if self._actor is None:
            return None
        try:
            status: dict[str, Any] = await self._actor.status.remote()
        except RayError:
            return None
        return status

    async def _found(self) -> dict[str, Any]:
        actors = await asyncio.to_thread(self._actors)
        for answer in asyncio.as_completed([_asked(actor) for actor in actors]):
            try:
                self._actor, status = await answer
            except RayError:
                continue
            return status
        raise WorkerLost(f"no {self._prefix}")

    def _actors(self) -> list[Any]:
        names = (one["name"] for one in list_named_actors(all_namespaces=True))
        ours = [name for name in names if name.startswith(self._prefix)]
        return [ray.get_actor(name, namespace=self._job.namespace) for name in ours]


async def _asked(actor: Any) -> tuple[Any, dict[str, Any]]:
    return actor, await actor.status.remote()
