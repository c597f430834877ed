"""Keeps one object in the cluster under a name, calls it in rounds, and answers questions to it from any process."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Any, Protocol

import ray
from ray.exceptions import GetTimeoutError, RayError, RayTaskError

from messaging.streaming.api.errors import WorkerLost, whereabouts
from messaging.streaming.api.graph import JobName
from messaging.streaming.ray.packing import pack, unpack

log = logging.getLogger(__name__)

NAME = "supervisor"
ROUND_SECONDS = 1.0


class Reconciled(Protocol):
    """The object in the actor."""

    def look(self) -> None:
        """Do one round. Called once a second for ever, and again after it has raised."""


class _RoundsActor:
    """The actor around the object. Its rounds begin in the constructor, so also wherever Ray restarts it."""

    def __init__(self, packed: bytes, set_up: Callable[[], None]) -> None:
        set_up()
        self._object: Reconciled = unpack(packed)()
        threading.Thread(target=self._run, name="rounds", daemon=True).start()

    def _run(self) -> None:
        while True:
            try:
                self._object.look()
            except Exception as error:
                log.error("%s", whereabouts(error))
            time.sleep(ROUND_SECONDS)

    def ask(self, method: str, arguments: tuple[Any, ...]) -> Any:
        """Call a method of the object."""
        return getattr(self._object, method)(*arguments)


class DetachedActor:
    """A handle of one, from any process that has joined the cluster."""

    def __init__(self, actor: Any) -> None:
        self._actor = actor

    def ask(self, method: str, *arguments: Any, seconds: float = 10.0) -> Any:
        """Call a method of the object. Raises WorkerLost when no answer comes in time, with the type of any error."""
        try:
            return ray.get(self._actor.ask.remote(method, arguments), timeout=seconds)
        except RayTaskError as error:
            raise WorkerLost(f"{method}: {type(error.cause).__name__}") from None
        except (RayError, GetTimeoutError) as error:
            raise WorkerLost(f"{method}: {type(error).__name__}") from None

    def end(self) -> None:
        """End it for good."""
        ray.kill(self._actor)


def find_detached_actor(job: JobName) -> DetachedActor | None:
    """Return the detached actor of this job, if there is one. Raises WorkerLost when the cluster does not answer."""
    try:
        return DetachedActor(ray.get_actor(_name(job), namespace=job.namespace))
    except ValueError:
        return None
    except RayError as error:
        raise WorkerLost(type(error).__name__) from None


def start_detached_actor(
    job: JobName, make: Callable[[], Reconciled], set_up: Callable[[], None], cpus: float
) -> DetachedActor:
    """Return the detached actor of this job; start it somewhere in the cluster, restarted without limit, if needed.

    `set_up` runs first in its process, before the modules of `make` are imported there.
    """
    remote: Any = ray.remote(_RoundsActor)
    detached = remote.options(
        name=_name(job),
        namespace=job.namespace,
        lifetime="detached",
        get_if_exists=True,
        num_cpus=cpus,
        max_restarts=-1,
        max_concurrency=8,
    )
    return DetachedActor(detached.remote(pack(make), set_up))


def _name(job: JobName) -> str:
    # Not `<job>/…`: it is none of the job's instances.
    return f"{job.job}-{NAME}"
