"""Counts the dead letters that are kept, and decides whether there is room for another one.

Writers insert changes of the counts and never update a row, so two routers commit side by side. The sweeper folds the
changes of one subscriber into one row.
"""

import logging
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from django.db import transaction
from django.db.models import Count, Sum

from messaging.config.settings import Settings
from messaging.store.db.encryption import bytes_added
from messaging.store.db.locks import lock_rows
from messaging.store.db.sql import insert
from messaging.store.models import KeptChange
from messaging.store.rate_limit import RateLimiter

log = logging.getLogger(__name__)

MEGABYTE: Final = 1_000_000
FOLD_ROWS: Final = 500
LOG_SECONDS: Final = 60.0

Owner = int | None
"""The row of a subscriber; None for dead letters that are about none."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A number of dead letters, and the bytes of them that are kept."""

    rows: int = 0
    bytes: int = 0

    def plus(self, other: "Kept") -> "Kept":
        """Return the sum."""
        return Kept(self.rows + other.rows, self.bytes + other.bytes)


class KeptQuota:
    """Bounds the dead letters of one subscriber and of all: by number, by bytes, and by number within an hour.

    Beyond a bound a dead letter is accepted and counted, and not kept. 0 is no bound.
    """

    def __init__(self, settings: Settings, seconds: Callable[[], float] = time.monotonic) -> None:
        self._settings = settings
        self._seconds = seconds
        self.rate = RateLimiter(settings.max_hourly_kept_per_subscriber)
        self._quiet_until = 0.0

    def batch(self) -> "KeptBatch":
        """Return the counts for one transaction."""
        return KeptBatch(self)

    def has_room(self, own: Kept, total: Kept) -> bool:
        """Return whether the counts, with the new dead letter in them, are within the bounds."""
        settings = self._settings
        return (
            _is_within(own.rows, settings.max_kept_per_subscriber)
            and _is_within(own.bytes, settings.max_kept_mb_per_subscriber * MEGABYTE)
            and _is_within(total.rows, settings.max_kept)
            and _is_within(total.bytes, settings.max_kept_mb * MEGABYTE)
        )

    def log_refusal(self) -> None:
        """Say once a minute that dead letters are not kept."""
        now = self._seconds()
        if now >= self._quiet_until:
            self._quiet_until = now + LOG_SECONDS
            log.warning(
                "dead letters are counted and not kept: a bound of SATBRIDGE_MAX_KEPT… is reached"
            )


class KeptBatch:
    """The dead letters of one batch. Asks the store for the counts when the first one comes."""

    def __init__(self, quota: KeptQuota) -> None:
        self._quota = quota
        self._counts: Mapping[Owner, Kept] | None = None
        self._new: dict[Owner, Kept] = {}

    def admit(self, owner: Owner, size: int, *, is_emergency: bool = False) -> bool:
        """Return whether one more is kept, and count it then. An emergency always is."""
        if self._counts is None:
            self._counts = read_counts()
        one = Kept(1, size + bytes_added())
        new = self._new.get(owner, Kept()).plus(one)
        total = one
        for kept in (*self._counts.values(), *self._new.values()):
            total = total.plus(kept)
        is_slow = self._quota.rate.room(("kept", owner or 0)) >= new.rows
        own = self._counts.get(owner, Kept()).plus(new)
        if not (is_emergency or (is_slow and self._quota.has_room(own, total))):
            self._quota.log_refusal()
            return False
        self._new[owner] = new
        return True

    def write(self) -> None:
        """Insert the changes of this batch: one statement, none without dead letters."""
        write_changes(self._new)

    def note(self) -> None:
        """Count the kept dead letters for the hourly bound, after the commit."""
        counts = Counter({("kept", owner or 0): kept.rows for owner, kept in self._new.items()})
        self._quota.rate.note(counts.elements())


def read_counts() -> Mapping[Owner, Kept]:
    """Return the dead letters that are kept, by subscriber: one query."""
    sums = KeptChange.objects.order_by().values_list("subscriber")
    rows = sums.annotate(all_rows=Sum("rows"), all_bytes=Sum("bytes"))
    # Dead letters of older versions were never counted, and their removal is.
    return {owner: Kept(max(rows, 0), max(bytes, 0)) for owner, rows, bytes in rows}


def write_changes(changes: Mapping[Owner, Kept]) -> None:
    """Insert changes of the counts, negative ones for removals."""
    rows = [(owner, kept.rows, kept.bytes) for owner, kept in changes.items()]
    insert("users_keptchange", ("subscriber", "rows", "bytes"), rows)


def fold() -> int:
    """Fold the changes of each subscriber into one row, where there are several; return how many rows went."""
    several = KeptChange.objects.order_by().values("subscriber").annotate(number=Count("id"))
    owners: Iterable[Owner] = [
        row["subscriber"] for row in several.filter(number__gt=1)[:FOLD_ROWS]
    ]
    folded = 0
    for owner in owners:
        with transaction.atomic(durable=True):
            rows = list(lock_rows(KeptChange.objects.filter(subscriber=owner))[:FOLD_ROWS])
            total = Kept(sum(row.rows for row in rows), sum(row.bytes for row in rows))
            KeptChange.objects.filter(id__in=[row.id for row in rows]).delete()
            write_changes({owner: total})
        folded += len(rows) - 1
    return folded


def _is_within(number: float, bound: float) -> bool:
    return not bound or number <= bound
