"""Java operators in a Python worker: a chain of classes, run in batches by a Ray actor in a JVM."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Sequence
from typing import Any

import ray
from ray.exceptions import RayError

from messaging.streaming.errors import WorkerLost
from messaging.streaming.graph import Instance
from messaging.streaming.state import State

log = logging.getLogger(__name__)

HOST = "io.ray.streaming.python.OperatorHost"
TRIES = 5
APPLY_SECONDS = 120.0
_SMALLEST, _GREATEST = -(2**63), 2**63 - 1


class JavaError(Exception):
    """A Java operator raised this, or a record cannot travel to Java."""


class JavaOperators:
    """A step: hands batches to a JVM of its own. A record's exception is that record's; a JVM that dies is replaced."""

    def __init__(self, operators: Sequence[tuple[str, str]]) -> None:
        self._operators = "\n".join(f"{verb} {name}" for verb, name in operators)
        self._host: Any = None

    def open(self, instance: Instance, state: State) -> None:
        """See Step."""

    def process(self, record: Any) -> Iterable[Any]:
        """See Step. Raises JavaError."""
        (result,) = self.process_all([record])
        if isinstance(result, Exception):
            raise result
        return result

    def process_all(self, records: Sequence[Any]) -> Sequence[Sequence[Any] | Exception]:
        """See Step. Raises WorkerLost when no JVM answers."""
        plain = [_plain(record) for record in records]
        results = iter(self._apply([p for p in plain if not isinstance(p, Exception)]))
        return [p if isinstance(p, Exception) else _result(*next(results)) for p in plain]

    def _apply(self, records: list[Any]) -> list[Any]:
        for attempt in range(TRIES):
            try:
                answers: list[Any] = ray.get(
                    self._standing().apply.remote(records), timeout=APPLY_SECONDS
                )
                return answers
            except RayError as error:
                log.warning("the JVM of %s: %s", self._operators, type(error).__name__)
                self._host = None
                time.sleep(0.2 * 2**attempt)
        raise WorkerLost("no JVM answers")

    def _standing(self) -> Any:
        if self._host is None:
            host: Any = ray.cross_language.java_actor_class(HOST)
            self._host = host.options(num_cpus=0).remote(self._operators)
        return self._host


def _result(outputs: list[Any] | None, error: str | None) -> Sequence[Any] | Exception:
    return JavaError(error) if outputs is None else outputs


def _plain(record: Any) -> Any:
    """What Java gets for a record: the same, with tuples as arrays; or the reason why it cannot go."""
    if isinstance(record, (list, tuple)):
        plain = [_plain(one) for one in record]
        return next((one for one in plain if isinstance(one, Exception)), plain)
    if record is None or isinstance(record, (bool, float, str, bytes)):
        return record
    if isinstance(record, int) and _SMALLEST <= record <= _GREATEST:
        return record
    return JavaError(f"{type(record).__name__} cannot travel to Java")
