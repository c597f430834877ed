"""Reads the committed state of a stage of a running job, by key, from any process of the cluster."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import ray
from ray.exceptions import RayError

from messaging.streaming.api.errors import StreamingError, WorkerLost
from messaging.streaming.api.graph import JobName
from messaging.streaming.api.partition import Key, owner_of, token_of
from messaging.streaming.stateful.state.values import Entry

ASK_SECONDS = 10.0
MAX_ENTRIES = 1000


class QueryableState:
    """The state of one stage of a running job, by key. Each question goes to the instance that owns the key.

    The answer is committed state, so it is never taken back; two answers may be of different
    moments. An instance that is being restarted, or is in the middle of a batch, is waited for. The questions raise
    WorkerLost when no answer comes within `seconds`, and when the job has ended. They block: from an event loop, ask
    in a thread.
    """

    def __init__(self, stage: str, instances: Sequence[Any], seconds: float = ASK_SECONDS) -> None:
        self._stage = stage
        self._instances = instances
        self._seconds = seconds

    def get(self, key: Key, default: Any = None) -> Any:
        """Return the value of a key. Raises TypeError for an object that cannot be a key."""
        token = token_of(key)
        owner = owner_of(token, len(self._instances))
        found: Entry | None = _ask(
            self._instances[owner].entry, token, stage=self._stage, seconds=self._seconds
        )
        return default if found is None else found[1]

    def entries(self, limit: int = MAX_ENTRIES) -> dict[Key, Any]:
        """Return all keys with their values, or `limit` of them if there are more."""
        found: list[Entry] = []
        for instance in self._instances:
            if len(found) < limit:
                left = limit - len(found)
                found += _ask(instance.entries, left, stage=self._stage, seconds=self._seconds)
        return dict(found)


def find_state(job: JobName, stage: str, seconds: float = ASK_SECONDS) -> QueryableState:
    """Find the stage of a running job by its name, from any process that has joined the cluster.

    Raises StreamingError when no such stage runs or when it has no state by key, and WorkerLost when none answers.
    """
    first = _instance(job, stage, 0)
    count = _ask(first.state_parallelism, stage=stage, seconds=seconds)
    if not count:
        raise StreamingError(f"stage {stage!r} of job {job.job!r} keeps no state by key")
    others = [_instance(job, stage, index) for index in range(1, count)]
    return QueryableState(stage, [first, *others], seconds)


def _instance(job: JobName, stage: str, index: int) -> Any:
    try:
        return ray.get_actor(job.of(stage, index), namespace=job.namespace)
    except ValueError:
        raise StreamingError(f"no stage {stage!r} of a job {job.job!r} runs") from None
    except RayError as error:
        raise WorkerLost(f"{stage}: {type(error).__name__}") from None


def _ask(method: Any, *arguments: Any, stage: str, seconds: float) -> Any:
    # To ask changes nothing, so it is asked again when the instance has died meanwhile.
    again = method.options(max_task_retries=-1)
    try:
        return ray.get(again.remote(*arguments), timeout=seconds)
    except RayError as error:
        raise WorkerLost(f"{stage}: {type(error).__name__}") from None
