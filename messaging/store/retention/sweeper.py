"""Removes what is older than the settings say, in small transactions with pauses between them."""

import logging
import time
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from django.db import connection
from django.db.models import Exists, OuterRef, Q

from messaging.config.settings import Settings
from messaging.errors import GatewayError
from messaging.store.admission.bursts import remove_old_counts
from messaging.store.db.connection import BatchRunner
from messaging.store.models import PENDING, Delivery, Device, DevicePosition, Message
from messaging.store.queue.operator_actions import continue_held
from messaging.store.retention import quota
from messaging.store.retention.removal import blank_texts, remove_messages

log = logging.getLogger(__name__)

PAGE_ROWS: Final = 500
"""The most rows of one transaction: few enough to be quick, so that the router is not kept waiting."""
VACUUM_PAGES: Final = 256
PAUSE_SECONDS: Final = 1.0
# A transaction that takes long is a sign of load: the pause grows with it.
PAUSE_FACTOR: Final = 20
REST_SECONDS: Final = 3600.0
SHORT_REST_SECONDS: Final = 60.0
"""The pauses of a job that has found nothing more to do."""
SHORT_JOBS: Final = ("counts", "bursts", "budgets", "pages")
INCREMENTAL: Final = 2
"""The value of SQLite's `auto_vacuum` by which free pages are given back on request."""


class MessageWalk:
    """Walks the messages older than a number of days, oldest first, a page at a time; then from the start again.

    A page may hold messages with nothing to remove, so the place is kept in memory only.
    """

    def __init__(self, days: float) -> None:
        self._days = days
        self._place: tuple[datetime, str] | None = None

    def next_page(self, now: datetime) -> list[str]:
        """Return the ids of the next page; none at the end, or when the messages are kept for ever."""
        if not self._days:
            return []
        old = Message.objects.filter(created_at__lte=now - timedelta(days=self._days))
        if self._place:
            moment, id = self._place
            old = old.filter(Q(created_at__gt=moment) | Q(created_at=moment, id__gt=id))
        page = list(old.order_by("created_at", "id").values_list("created_at", "id")[:PAGE_ROWS])
        self._place = page[-1] if page else None
        return [id for _, id in page]


class Sweeper:
    """Does one small job at a time when it is called: the oldest texts, dead letters, rows and positions go.

    Never raises; while the store is away it does nothing. Messages that still wait, or are held, stay as they are.
    """

    def __init__(
        self,
        settings: Settings,
        now: Callable[[], datetime],
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = settings
        self._now = now
        self._seconds = seconds
        self._runner = BatchRunner("retention")
        self._next_at = 0.0
        self._texts = MessageWalk(settings.keep_texts_days)
        dead_letters = MessageWalk(settings.keep_dead_letters_days)
        messages = MessageWalk(settings.keep_messages_days)
        self._jobs: dict[str, Callable[[], int]] = {
            "texts": self._sweep_texts,
            "dead_letters": partial(self._sweep_messages, dead_letters, but_with=Q()),
            "messages": partial(self._sweep_messages, messages, but_with=PENDING),
            "positions": self._sweep_positions,
            "counts": quota.fold,
            "bursts": lambda: remove_old_counts(self._now()),
            "budgets": self._continue_held,
            "pages": vacuum,
        }
        self._held_place = 0
        self._rests_until = dict.fromkeys(self._jobs, 0.0)
        self.counters: Counter[str] = Counter()

    def turn(self) -> None:
        """Do one job, unless the pause after the last one goes on."""
        now = self._seconds()
        if now < self._next_at:
            return
        ready = [name for name, until in self._rests_until.items() if now >= until]
        self._next_at = now + PAUSE_SECONDS
        if not ready:
            return
        # The one that has waited longest is the next.
        name = min(ready, key=lambda one: self._rests_until[one])
        done = self._runner.run_one(self._jobs[name])
        ended = self._seconds()
        self._next_at = ended + max(PAUSE_SECONDS, PAUSE_FACTOR * (ended - now))
        if isinstance(done, GatewayError):
            return
        self.counters[name] += done
        rest = SHORT_REST_SECONDS if name in SHORT_JOBS else REST_SECONDS
        self._rests_until[name] = ended + (0.0 if done else rest)

    def _sweep_texts(self) -> int:
        page = self._texts.next_page(self._now())
        if page:
            self.counters["texts_removed"] += blank_texts(page, self._now())
        return len(page)

    def _sweep_messages(self, walk: MessageWalk, *, but_with: Q) -> int:
        """Remove the messages of the next page, but those with such a delivery; return the size of the page."""
        page = walk.next_page(self._now())
        deliveries = Delivery.objects.filter(but_with, message_id=OuterRef("pk"))
        removable = Message.objects.filter(~Exists(deliveries), id__in=page)
        ids = list(removable.values_list("id", flat=True))
        if ids:
            remove_messages(ids)
            self.counters["rows_removed"] += len(ids)
        return len(page)

    def _continue_held(self) -> int:
        """Let the next page of deliveries go on whose budgets have room again; return the size of the page."""
        page = continue_held(self._held_place, PAGE_ROWS, self._settings, self._now())
        self._held_place = page[-1] if page else 0
        return len(page)

    def _sweep_positions(self) -> int:
        if not self._settings.keep_positions_days:
            return 0
        cut = self._now() - timedelta(days=self._settings.keep_positions_days)
        for device in Device.objects.order_by("id").values_list("id", flat=True):
            old = DevicePosition.objects.filter(device=device, at__lte=cut).order_by("at")
            ids = list(old.values_list("id", flat=True)[:PAGE_ROWS])
            if ids:
                return DevicePosition.objects.filter(id__in=ids).delete()[0]
        return 0


def vacuum() -> int:
    """Give free pages of a SQLite file back to its disk, where the file allows it; return how many."""
    if connection.vendor != "sqlite":
        return 0
    with connection.cursor() as cursor:
        [[mode]] = cursor.execute("PRAGMA auto_vacuum").fetchall()
        [[before]] = cursor.execute("PRAGMA freelist_count").fetchall()
        if mode != INCREMENTAL or before < VACUUM_PAGES:
            return 0
        # `execute` takes one step of a statement without columns, which frees one page; a script takes all.
        cursor.executescript(f"PRAGMA incremental_vacuum({VACUUM_PAGES})")
        [[after]] = cursor.execute("PRAGMA freelist_count").fetchall()
    return max(int(before) - int(after), 0)
