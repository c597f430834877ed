"""Finds instances that are stopped or hang: they have not answered for too long."""

import time
from collections.abc import Callable, Sequence
from typing import Any

from ray.exceptions import GetTimeoutError

SILENT_SECONDS = 20.0
# One that has not answered yet may wait for a node, or for its turn on a busy one.
START_SECONDS = 120.0
# A round takes seconds, mostly the wait for an answer. A longer one means that this process itself stood still, as on
# a machine that was suspended: such time says nothing about the others.
LONGEST_ROUND_SECONDS = 10.0


class SilenceJudge:
    """Reads the statuses of all instances once a round, and names those to start again.

    An instance is overdue after `silent_seconds` without an answer. It gets `start_seconds` while it starts, and while
    most of the others are silent too: then the machine is busy or was suspended, and a start would take long.
    """

    def __init__(
        self,
        silent_seconds: float = SILENT_SECONDS,
        start_seconds: float = START_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._silent_seconds = silent_seconds
        self._start_seconds = start_seconds
        self._clock = clock
        self._last_round = clock()
        self._silent: dict[str, float] = {}
        self._answered: set[str] = set()

    def overdue(self, rows: Sequence[dict[str, Any]]) -> list[str]:
        """Read the rows of a round; return the names of the instances that are overdue, whose time begins again."""
        now = self._clock()
        passed = min(now - self._last_round, LONGEST_ROUND_SECONDS)
        self._last_round = now
        silent = [row for row in rows if row.get("lost")]
        most_are_silent = len(silent) > 1 and 2 * len(silent) > len(rows)
        found = []
        for row in rows:
            name = row["name"]
            if not row.get("lost"):
                self._silent.pop(name, None)
                self._answered.add(name)
                continue
            self._silent[name] = self._silent[name] + passed if name in self._silent else 0.0
            if row["last_error"] != GetTimeoutError.__name__:
                self._answered.discard(name)  # Ray is starting it again, which takes its time
            is_patient = most_are_silent or name not in self._answered
            if self._silent[name] > (self._start_seconds if is_patient else self._silent_seconds):
                found.append(name)
                self.forget(name)
        return found

    def forget(self, name: str) -> None:
        """Treat the instance as one that starts."""
        self._silent.pop(name, None)
        self._answered.discard(name)
