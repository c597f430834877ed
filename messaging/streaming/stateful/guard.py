"""Calls users' functions: what one raises on again and again is set aside, and the rest goes on."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

from messaging.streaming.api.errors import Late, whereabouts
from messaging.streaming.stateful.batches import Head
from messaging.streaming.stateful.state.base import Name
from messaging.streaming.stateful.state.pickling import dumps

log = logging.getLogger(__name__)

TRIES = 3
PAUSE_SECONDS = 0.02
MAX_SET_ASIDE = 1000
_READY = (tuple, list)


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A record that a function raised on, however often it was tried."""

    stage: str
    error: str
    record: Any
    at: float


class Guard:
    """Tries a function a few times. `undo` takes back what a failed try did to the state."""

    def __init__(self, undo: Callable[[], None]) -> None:
        self.last_error = ""
        self._undo = undo
        self._new: list[DeadLetter] = []

    def __call__(
        self, function: Callable[[Any], Iterable[Any]], record: Any, stage: str
    ) -> Iterable[Any]:
        """Return the outputs for a record; none if it was set aside."""
        try:
            outputs = function(record)
            return outputs if type(outputs) in _READY else list(outputs)
        except Exception as error:
            self._undo()
            return self._again(function, record, stage, error)

    def _again(
        self,
        function: Callable[[Any], Iterable[Any]],
        record: Any,
        stage: str,
        failure: Exception,
    ) -> Iterable[Any]:
        for attempt in range(1, TRIES):
            if isinstance(failure, Late):
                break
            time.sleep(PAUSE_SECONDS * attempt)
            try:
                return list(function(record))
            except Exception as error:
                self._undo()
                failure = error
        self.put_aside(record, stage, failure)
        return ()

    def put_aside(self, record: Any, stage: str, error: Exception) -> None:
        """Keep the record, with the stage and the error, for people to look at."""
        log.warning("%s: set a record aside: %s", stage, whereabouts(error))
        self.last_error = f"{stage}: {type(error).__name__}"
        self._new.append(DeadLetter(stage, f"{type(error).__name__}: {error}", record, time.time()))

    def changes(self, head: Head) -> dict[Name, bytes | None]:
        """What the next commit has to keep: the newest of what was set aside, up to a limit."""
        changes: dict[Name, bytes | None] = {}
        for one in self._new:
            head.asides += 1
            changes[_name(head.asides)] = _packed(one)
            if head.asides > MAX_SET_ASIDE:
                changes[_name(head.asides - MAX_SET_ASIDE)] = None
        head.counts["set_aside"] += len(self._new)
        return changes

    def committed(self) -> None:
        """The changes are in the store."""
        self._new.clear()


def _packed(one: DeadLetter) -> bytes:
    try:
        return dumps(one)
    except Exception:
        return dumps(replace(one, record=repr(one.record)))


def _name(number: int) -> Name:
    return "aside", number.to_bytes(8, "big")
