"""Watches that something is settled while something could go, on each account."""

import logging
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from messaging.errors import Unavailable
from messaging.store.db.connection import close_connection

log = logging.getLogger(__name__)

LOOK_SECONDS = 15.0
# A longer time between two looks means that the machine was suspended: nothing could be settled then.
LONGEST_LOOK_SECONDS = 60.0


class StallWatch:
    """Finds the accounts by which nothing was settled for `limit_seconds` although something could go.

    `find` returns the accounts by which something could go now (`store.console.queues.sendable`).
    A failed attempt counts as settled. So a provider that is away, or an account that is blocked, is none of these:
    its attempts fail, and between them nothing could go. A stall is a fault of the gateway itself.
    """

    def __init__(
        self,
        limit_seconds: float,
        find: Callable[[], set[str]],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._limit_seconds = limit_seconds
        self._find = find
        self._clock = clock
        self._last_look = clock() - LOOK_SECONDS
        self._settled: Counter[str] = Counter()
        self._seconds: dict[str, float] = {}
        self._stalled: set[str] = set()

    def look(self, workers: Iterable[Mapping[str, Any]]) -> None:
        """Read the counts of the workers and ask the store, every 15 seconds; log each change."""
        passed = self._clock() - self._last_look
        if passed < LOOK_SECONDS:
            return
        self._last_look += passed
        settled = Counter[str]()
        for row in workers:
            for account, states in (row.get("settled") or {}).items():
                settled[account] += sum(states.values())
        try:
            could_go = self._find()
        except Unavailable:
            could_go = set()  # that is a problem of its own, and says so
        finally:
            close_connection()
        self._seconds = {
            account: self._seconds[account] + min(passed, LONGEST_LOOK_SECONDS)
            if account in self._seconds and settled[account] == self._settled[account]
            else 0.0
            for account in could_go
        }
        self._settled = settled
        self._log_changes()

    @property
    def problem(self) -> str:
        """The accounts that are stalled, in one sentence; empty if there is none."""
        return " ".join(map(self._describe, sorted(self._stalled)))

    def _describe(self, account: str) -> str:
        minutes = self._seconds[account] / 60
        return (
            f"{account}: nothing was settled for {minutes:.0f} minutes although something could go."
        )

    def _log_changes(self) -> None:
        stalled = {
            account for account, passed in self._seconds.items() if passed > self._limit_seconds
        }
        before, self._stalled = self._stalled, stalled
        for account in sorted(stalled - before):
            log.error("%s", self._describe(account))
        for account in sorted(before - stalled):
            log.warning("%s goes on", account)
