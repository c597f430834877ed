"""Reads how deliveries stand, and writes how they stand next."""

from collections.abc import Collection, Iterable
from datetime import datetime

from django.db.models import QuerySet

from messaging.store.db.locks import lock_rows
from messaging.store.db.prepared import Prepared
from messaging.store.db.sql import Row, storable_time, update
from messaging.store.models import Delivery
from messaging.store.queue.settle import Ending, Settled, Standing
from messaging.store.states import State

_STANDING = (
    "id",
    "via",
    "attempts",
    "attempts_forgiven",
    "leased",
    "is_urgent",
    "recipient_network",
    "created_at",
    "expires_at",
    "parts_sent",
    "uncertain",
    "reason",
    "network_id",
    "units",
)
_SETTLED = (
    "state",
    "leased",
    "due_at",
    "reason",
    "network_id",
    "parts_sent",
    "uncertain",
    "units",
    "updated_at",
    "settled_at",
)
_STILL = ("id", "attempts", "state")
"""A delivery is written only if it still waits for the outcome of the very attempt that was read."""


def standings(rows: "QuerySet[Delivery]") -> list[Standing]:
    """Read how these deliveries stand: one query."""
    return [Standing(*row) for row in rows.values_list(*_STANDING)]


_WAITING = Prepared(
    lambda ids: lock_rows(Delivery.objects.filter(id__in=ids, state=State.WAITING)).values_list(
        *_STANDING
    )
)


def waiting(ids: Collection[int]) -> list[Standing]:
    """Read, and lock, how those of these deliveries stand that still wait: one query. Within a transaction only."""
    return [Standing(*row) for row in _WAITING(ids)]


def write(settled: Iterable[Settled], now: datetime) -> None:
    """Write the next states: one statement for all."""
    update(Delivery, _SETTLED, _STILL, [_row(one, now) for one in settled])


def _row(one: Settled, now: datetime) -> Row:
    moment = storable_time(now)
    return (
        one.ending.value,
        False,
        storable_time(one.due_at),
        one.reason,
        one.network_id,
        one.parts_sent,
        one.uncertain,
        one.units,
        moment,
        None if one.ending is Ending.WAITING else moment,
        one.id,
        one.attempt,
        State.WAITING.value,
    )
