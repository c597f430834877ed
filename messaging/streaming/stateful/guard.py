"""Calls users' functions: retries a record that fails, and sets it aside when it fails again and again."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

from messaging.streaming.api.errors import Late, whereabouts
from messaging.streaming.stateful.batches import Head
from messaging.streaming.stateful.state.pickling import dumps
from messaging.streaming.stateful.state.store_protocol import Name

log = logging.getLogger(__name__)

TRIES = 3
PAUSE_SECONDS = 0.02
MAX_SET_ASIDE = 1000
_READY = (tuple, list)


@dataclass(frozen=True, slots=True)
class FailedRecord:
    """A dead letter: a record on which a function raised at every try."""

    stage: str
    error: str
    record: Any
    at: float


class Guard:
    """Tries a function a few times. `undo` takes back the changes of a failed try to the state."""

    def __init__(self, undo: Callable[[], None]) -> None:
        self.last_error = ""
        self._undo = undo
        self._new: list[FailedRecord] = []

    def __call__(
        self, function: Callable[[Any], Iterable[Any]], record: Any, stage: str
    ) -> Iterable[Any]:
        """Return the outputs for a record; none if it was set aside."""
        try:
            outputs = function(record)
            return outputs if type(outputs) in _READY else list(outputs)
        except Exception as error:
            self._undo()
            return self._retry(function, record, stage, error)

    def _retry(
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
        text = f"{type(error).__name__}: {error}"
        self._new.append(FailedRecord(stage, text, record, time.time()))

    def changes(self, head: Head) -> dict[Name, bytes | None]:
        """Return the changes for the next commit: the new failed records; the oldest beyond a limit are removed."""
        changes: dict[Name, bytes | None] = {}
        for failed in self._new:
            head.asides += 1
            try:
                data = dumps(failed)
            except Exception:
                data = dumps(replace(failed, record=repr(failed.record)))
            changes[_name(head.asides)] = data
            if head.asides > MAX_SET_ASIDE:
                changes[_name(head.asides - MAX_SET_ASIDE)] = None
        head.counts["set_aside"] += len(self._new)
        return changes

    def mark_committed(self) -> None:
        """Forget the changes: they are in the store."""
        self._new.clear()


def _name(number: int) -> Name:
    return "aside", number.to_bytes(8, "big")
