"""Lets one service at a time run a task, such as polling an account: a lease in the store.

Two services may share a store while a new version takes over from an old one. The row names the holder of the task and
the end of its lease; `number` grows with every change of holder.
"""

import logging
import time
from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.utils import timezone

from messaging.config.settings import Settings
from messaging.store.db.connection import close_connection, open_store, store_errors
from messaging.store.models import Task

log = logging.getLogger(__name__)


class TaskLease:
    """One service's claim to one task. Blocking; opens the store at first use.

    `acquire` is cheap: it asks the store once in a third of the lease. When a holder dies, another one follows at the
    end of the lease; after `release` at once. A holder that was restarted under the same name goes on.
    """

    def __init__(
        self,
        settings: Settings,
        task: str,
        holder: str,
        now: Callable[[], datetime] = timezone.now,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = settings
        self._task = task
        self._holder = holder
        self._now = now
        self._monotonic = monotonic
        self._ends = 0.0
        self._ask_again = 0.0

    def acquire(self) -> bool:
        """Take the task if it is free, keep it if it is ours; return whether it is ours now. Raises Unavailable."""
        asked = self._monotonic()
        if asked < self._ask_again:
            return self.is_valid
        seconds = self._settings.tenure_seconds
        if not self._in_store(lambda: self._take(seconds)):
            self._ends = 0.0
            return False
        # Counted from before the store was asked: however long that took, ours ends first.
        self._ends, self._ask_again = asked + seconds, asked + seconds / 3
        return True

    @property
    def is_valid(self) -> bool:
        """Whether the lease that was last granted still runs; does not ask the store."""
        return self._monotonic() < self._ends

    def release(self) -> None:
        """Let another service have the task now. Raises Unavailable; the lease then ends by itself."""
        self._ends = self._ask_again = 0.0
        task = Task.objects.filter(name=self._task, holder=self._holder)
        self._in_store(lambda: bool(task.update(until=self._now())))

    def _in_store(self, work: Callable[[], bool]) -> bool:
        open_store(self._settings)
        try:
            with store_errors(), transaction.atomic():
                return work()
        finally:
            # Called seldom, from any thread that is free: a connection for each would pile up.
            close_connection()

    def _take(self, seconds: float) -> bool:
        now = self._now()
        until = now + timedelta(seconds=seconds)
        first = {"holder": self._holder, "until": until, "number": 1}
        rows = Task.objects.all()
        if connection.features.has_select_for_update:
            rows = rows.select_for_update()
        row, created = rows.get_or_create(name=self._task, defaults=first)
        if created:
            return True
        # A lease that ends far in the future was written by a clock that has since been set back.
        free = row.until <= now or row.until > now + timedelta(seconds=2 * seconds)
        if row.holder != self._holder and not free:
            return False
        if row.holder != self._holder:
            log.info("%s: taken over", self._task)
            row.holder, row.number = self._holder, row.number + 1
        row.until = until
        row.save()
        return True
