"""Gives out the attempts that are owed, ends those that nobody may make any more, and takes back unmade ones."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import partial
from typing import Any

from django.db import connection, transaction
from django.db.models import Case, F, QuerySet, Value, When

from messaging.config.settings import RetryPolicy, Settings
from messaging.model.message import Address, Delivery, Message, Network
from messaging.store import models
from messaging.store.db.clock import TOLERANCE
from messaging.store.db.connection import guard
from messaging.store.db.prepared import Prepared
from messaging.store.notices.failures import from_json
from messaging.store.notices.notices import Notices
from messaging.store.queue.counters import Counters
from messaging.store.queue.delivery_rows import standings, write
from messaging.store.queue.lease import Lease
from messaging.store.queue.poison import Rows, each_if_not_all
from messaging.store.queue.settle import (
    Ending,
    Settled,
    Standing,
    gave_up,
    is_spent,
    too_late,
    undelivered,
    without_attempt,
)
from messaging.store.states import State

SWEEP_ROWS = 500
"""How many deliveries one transaction ends: few enough to be quick, so that the router is not kept waiting."""

_ATTEMPT = (
    "id",
    "message_id",
    "via",
    "sender_network",
    "sender",
    "recipient_network",
    "recipient",
    "message__subject",
    "message__text",
    "message__failure",
    "attempts",
    "parts_sent",
    "uncertain",
    "sender_name",
    "device__codec",
    "is_urgent",
)
_ATTEMPTS = Prepared(
    lambda ids: models.Delivery.objects.filter(id__in=ids).order_by().values_list(*_ATTEMPT)
)


class Claims:
    """Claims on the queue, by the rules of these settings. Every method raises Unavailable when the store is away."""

    def __init__(
        self, settings: Settings, default_accounts: Mapping[Network, str] | None = None
    ) -> None:
        self._settings = settings
        self.tally = Counters()
        self._notices = Notices(settings, default_accounts)

    @guard
    def claim(
        self, via: str, limit: int, now: datetime, urgent_limit: int | None = None
    ) -> list[Delivery]:
        """Return the next attempts owed by `via`, at most `limit`, each leased to the caller; oldest first.

        What is urgent comes before everything else and does not count there: as many again, or `urgent_limit`.

        No two callers get the same one. A delivery whose last lease ended without an outcome is marked uncertain,
        and one whose attempts are used up fails instead. One that a bug cannot work on is put aside (`stuck`).
        """
        owed = _due(now).filter(via=via, expires_at__gt=now).order_by("due_at", "id")
        urgent, others = owed.filter(is_urgent=True), owed.filter(is_urgent=False)
        # Asked without a transaction first: an idle gateway takes no write lock, nor does one without room.
        if not (owed if limit else urgent).exists():
            return []
        first = limit if urgent_limit is None else urgent_limit
        rows = (urgent[:first], others[:limit])
        return each_if_not_all(partial(self._claim, now=now), rows, first + limit, now)

    def _claim(self, rows: Rows, now: datetime) -> list[Delivery]:
        lease = Lease.starting(now, self._settings.lease_seconds)
        with transaction.atomic(durable=True):
            found = [one for part in rows for one in standings(_locked(part))]
            spent = {row.id: row for row in found if is_spent(row, self._policy(row))}
            self._end([_failed(row) for row in spent.values()], now)
            leased = _leased([row.id for row in found if row.id not in spent], lease, now)
        self.tally.add((row.via, Ending.FAILED) for row in spent.values())
        return leased

    @guard
    def expire(self, now: datetime) -> int:
        """End every delivery whose life is over and that no sender has in hand, on whichever network; how many."""
        total = 0
        old = _due(now).filter(expires_at__lte=now)
        while old.exists():
            rows = (old.order_by("expires_at"),)
            ended = each_if_not_all(partial(self._expire, now=now), rows, SWEEP_ROWS, now)
            if not ended:
                break
            total += len(ended)
        return total

    def _expire(self, rows: Rows, now: datetime) -> list[int]:
        with transaction.atomic(durable=True):
            found = [row for part in rows for row in standings(_locked(part)[:SWEEP_ROWS])]
            self._end([_expired(row) for row in found], now)
        self.tally.add((row.via, Ending.EXPIRED) for row in found)
        return [row.id for row in found]

    @guard
    def recall(self, now: datetime) -> int:
        """Owe again what was put off by a clock that ran ahead of this one; how many.

        What waits for another try is due at once; what a sender has in hand is leased once more from now on.
        """
        lease = Lease.starting(now, self._settings.lease_seconds)
        ahead = models.Delivery.objects.filter(due_at__gt=now, updated_at__gt=now + TOLERANCE)
        if not ahead.exists():
            return 0
        due_at = Case(When(leased=True, then=Value(lease.due_at)), default=Value(now))
        return ahead.update(due_at=due_at, updated_at=now)

    def _end(self, settled: list[Settled], now: datetime) -> None:
        write(settled, now)
        self._notices.owe(undelivered(settled), now)

    def _policy(self, row: Standing) -> RetryPolicy:
        return self._settings.retry_policy(Network(row.recipient_network))


@guard
def release(deliveries: Iterable[Delivery], now: datetime) -> None:
    """Put back attempts that could not be handed to a sender: due at once, and not counted."""
    by_attempt: dict[int, list[int]] = defaultdict(list)
    for delivery in deliveries:
        by_attempt[delivery.attempt].append(delivery.id)
    for attempt, ids in by_attempt.items():
        models.Delivery.objects.filter(
            id__in=ids, attempts=attempt, state=State.WAITING, leased=True
        ).update(attempts=F("attempts") - 1, leased=False, due_at=now, updated_at=now)


def _due(now: datetime) -> "QuerySet[models.Delivery]":
    # Whatever has a due time waits (a constraint of the table); asking for the state too would mislead SQLite.
    return models.Delivery.objects.filter(due_at__lte=now)


def _locked(rows: "QuerySet[models.Delivery]") -> "QuerySet[models.Delivery]":
    # Where the store can, two that claim at once pass each other; SQLite lets one writer in at a time.
    if connection.features.has_select_for_update_skip_locked:
        return rows.select_for_update(skip_locked=True)
    return rows


def _leased(ids: list[int], lease: Lease, now: datetime) -> list[Delivery]:
    models.Delivery.objects.filter(id__in=ids).update(
        attempts=F("attempts") + 1,
        # Still leased: nobody reported how the last attempt ended.
        uncertain=F("uncertain") + Case(When(leased=True, then=1), default=0),
        leased=True,
        due_at=lease.due_at,
        updated_at=now,
    )
    rows = (dict(zip(_ATTEMPT, row, strict=True)) for row in _ATTEMPTS(ids))
    found = {row["id"]: _attempt(row, lease) for row in rows}
    return [found[number] for number in ids]


def _attempt(row: dict[str, Any], lease: Lease) -> Delivery:
    message = Message(
        id=row["message_id"],
        sender=Address(Network(row["sender_network"]), row["sender"]),
        recipient=Address(Network(row["recipient_network"]), row["recipient"]),
        subject=row["message__subject"],
        text=row["message__text"],
        via=row["via"],
        failure=from_json(row["message__failure"]),
        sender_name=row["sender_name"],
    )
    return Delivery(
        id=row["id"],
        message=message,
        attempt=row["attempts"],
        lease_until=lease.lease_until,
        parts_sent=row["parts_sent"],
        uncertain=row["uncertain"] > 0,
        codec=row["device__codec"] or "",
        is_urgent=row["is_urgent"],
    )


def _failed(row: Standing) -> Settled:
    return without_attempt(row, Ending.FAILED, gave_up(row, row.last_said))


def _expired(row: Standing) -> Settled:
    return without_attempt(row, Ending.EXPIRED, too_late(row, row.last_said))
