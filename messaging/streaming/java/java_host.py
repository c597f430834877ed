"""A JVM beside a Python worker: a Ray actor of one Java class, replaced when it dies; and the records it can take."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from typing import Any

import ray
from ray.exceptions import RayError

from messaging.streaming.api.errors import WorkerLost

log = logging.getLogger(__name__)

TRIES = 5
CALL_SECONDS = 120.0
_SMALLEST, _GREATEST = -(2**63), 2**63 - 1


class JavaError(Exception):
    """A Java operator raised this, or a record cannot travel to Java."""


class JavaHost:
    """Calls an actor of a Java class without state: a call that fails is made again on a new actor."""

    def __init__(self, java_class: str, argument: str) -> None:
        self._class = java_class
        self._argument = argument
        self._actor: Any = None

    def call(self, method: str, *arguments: Sequence[Any]) -> list[Any]:
        """Return the answers of the method. Raises WorkerLost when no JVM answers."""
        for attempt in range(TRIES):
            try:
                if self._actor is None:
                    host: Any = ray.cross_language.java_actor_class(self._class)
                    self._actor = host.options(num_cpus=0).remote(self._argument)
                reference = getattr(self._actor, method).remote(*arguments)
                answers: list[Any] = ray.get(reference, timeout=CALL_SECONDS)
                return answers
            except RayError as error:
                log.warning("the JVM of %s: %s", self._argument, type(error).__name__)
                self._actor = None
                time.sleep(0.2 * 2**attempt)
        raise WorkerLost("no JVM answers")


def plain(record: Any) -> Any:
    """Return the record for Java: the same, with tuples as arrays; or a JavaError if it cannot travel."""
    if isinstance(record, (list, tuple)):
        items = [plain(one) for one in record]
        return next((one for one in items if isinstance(one, JavaError)), items)
    if record is None or isinstance(record, (bool, float, str, bytes)):
        return record
    if isinstance(record, int) and _SMALLEST <= record <= _GREATEST:
        return record
    return JavaError(f"{type(record).__name__} cannot travel to Java")
