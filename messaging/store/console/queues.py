"""Counts the deliveries by account and state, and finds the age of the oldest that waits."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Min, Q, QuerySet
from django.utils import timezone

from messaging.store.db.connection import guard
from messaging.store.models import HELD, WAITING, Delivery
from messaging.store.queue.lease import hand_out_end


@dataclass(frozen=True, slots=True)
class QueueRow:
    """The deliveries of one account: how many are in each state, and for how long the oldest has been waiting."""

    via: str
    states: dict[str, int]
    oldest_waiting_seconds: float | None


@dataclass(frozen=True, slots=True)
class Queue:
    """The waiting deliveries of one account."""

    via: str
    waiting: int
    oldest_waiting_seconds: float


@guard
def queues(now: datetime | None = None) -> list[Queue]:
    """Return the waiting deliveries of each account that has any. Raises Unavailable when the store is away.

    One query that an index answers alone, however much is stored: for the metrics, which are asked for often.
    """
    moment = now or timezone.now()
    rows = waiting_by_via()
    return [Queue(via, number, _seconds_between(oldest, moment)) for via, number, oldest in rows]


@guard
def count_held(now: datetime | None = None) -> tuple[int, float]:
    """Return how many deliveries are held, and the age of the oldest: one query that an index answers."""
    found = Delivery.objects.filter(HELD).aggregate(number=Count("*"), oldest=Min("created_at"))
    oldest, moment = found["oldest"], now or timezone.now()
    return found["number"], 0.0 if oldest is None else _seconds_between(oldest, moment)


def waiting_by_via() -> "QuerySet[Delivery, tuple[str, int, datetime]]":
    """Return the query of `queues`: account, how many, since when."""
    waiting = Delivery.objects.filter(WAITING).order_by().values_list("via")
    return waiting.annotate(number=Count("*"), oldest=Min("created_at"))


@guard
def sendable(
    accounts: Collection[str], lease_seconds: float, now: datetime | None = None
) -> set[str]:
    """Return the accounts with a delivery that could go now: it is due, handed to a sender, or in an attempt.

    One query for each account, which an index answers. Raises Unavailable when the store is away.
    """
    moment = now or timezone.now()
    hand_out = hand_out_end(moment)
    # An attempt is due again when its lease ends; so the index leads to it.
    soon = Q(due_at__lte=hand_out + timedelta(seconds=lease_seconds))
    could_go = soon & (Q(leased=True) | Q(due_at__lte=hand_out))
    waiting = Delivery.objects.filter(WAITING)
    return {via for via in accounts if waiting.filter(could_go, via=via).exists()}


@guard
def counts(now: datetime | None = None) -> list[QueueRow]:
    """Return one row per account: two queries. Raises Unavailable when the store is away."""
    moment = now or timezone.now()
    by_via: dict[str, dict[str, int]] = {}
    grouped = Delivery.objects.order_by("via", "state").values_list("via", "state")
    for via, state, number in grouped.annotate(number=Count("id")):
        by_via.setdefault(via, {})[state] = number
    waiting = Delivery.objects.filter(WAITING).order_by().values_list("via")
    oldest = dict(waiting.annotate(oldest=Min("created_at")))
    ages = {via: _seconds_between(then, moment) for via, then in oldest.items()}
    return [QueueRow(via, states, ages.get(via)) for via, states in by_via.items()]


def _seconds_between(then: datetime, now: datetime) -> float:
    return max((now - then).total_seconds(), 0.0)
