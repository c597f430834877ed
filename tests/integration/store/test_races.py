"""Several routers, dues and ledgers on one PostgreSQL: nothing is lost, nothing is taken or given out twice."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

import pytest
from django.db import OperationalError, transaction

from messaging.errors import Rejected
from messaging.model.message import Outcome, message_id
from messaging.store.accept.router import Router
from messaging.store.console.directory import add_device, add_subscriber
from messaging.store.db.connection import BatchRunner, close_connection, one_transaction
from messaging.store.models import Contact, Delivery, Message, Subscriber
from messaging.store.notices.unreached import NOT_REACHED
from messaging.store.queue import operator_actions
from messaging.store.queue.claims import Claims
from messaging.store.queue.lanes import MAX_IN_HAND
from messaging.store.queue.ledger import Ledger
from messaging.store.states import State
from tests.support.store import records as g
from tests.support.store.records import Gateway

pytestmark = pytest.mark.postgres

T = TypeVar("T")
BOTH = ("boop", "ann")


def at_once(*works: Callable[[], T]) -> list[T]:
    """Run all at the same moment, each in a thread with a connection of its own."""
    gate = threading.Barrier(len(works))

    def run(work: Callable[[], T]) -> T:
        gate.wait(30)
        try:
            return work()
        finally:
            close_connection()

    with ThreadPoolExecutor(len(works)) as threads:
        return list(threads.map(run, works))


def wide(gateway: Gateway) -> Any:
    return gateway.settings.model_copy(update={"max_waiting_per_subscriber": 10_000})


def test_two_routers_that_get_the_same_messages_take_each_once(postgres_gateway: Gateway) -> None:
    routers = [Router(wide(postgres_gateway), g.VIAS, now=postgres_gateway.clock) for _ in "ab"]
    for turn in range(10):
        batch = [g.mail(f"{turn} {n}") for n in range(30)]
        results = at_once(
            partial(routers[0].process, batch), partial(routers[1].process, batch[::-1])
        )
        assert all(isinstance(one, list) for result in results for one in result)
        made = [delivery for result in results for one in result for delivery in one]  # type: ignore[union-attr]
        assert len(made) == len({delivery.id for delivery in made})
        in_hand = min(30 * turn, MAX_IN_HAND)
        assert len(made) == min(30, MAX_IN_HAND - in_hand)
    assert (Message.objects.count(), Delivery.objects.count()) == (300, 300)


def test_two_routers_keep_the_bounds_of_an_hour(postgres_gateway: Gateway) -> None:
    bounds = {"burst_hourly_per_device": 100, "burst_hourly_in_total": 1000}
    settings = wide(postgres_gateway).model_copy(update=bounds)
    routers = [Router(settings, g.VIAS, now=postgres_gateway.clock) for _ in "ab"]
    add_subscriber("ann", senders="open")
    add_device("2001", owner="ann", network="hive", networks=["hive"])
    for turn in range(10):
        # The same rows, first in one order and then in the other.
        batch = [
            g.mail(f"{turn} {n} {name}", to=f"{name}@example.org")
            for n in range(10)
            for name in BOTH
        ]
        other = [replace(one, id=message_id(one.id, "other")) for one in reversed(batch)]
        results = at_once(partial(routers[0].process, batch), partial(routers[1].process, other))
        assert all(isinstance(one, list) for result in results for one in result)
    delivered = Delivery.objects.filter(state=State.WAITING)
    assert [delivered.filter(message__subscriber__name=one).count() for one in BOTH] == [100, 100]
    assert Delivery.objects.filter(state=State.HELD, hold="burst").count() == 200


def test_two_that_claim_at_once_never_get_the_same_attempt(postgres_gateway: Gateway) -> None:
    router = Router(wide(postgres_gateway), g.VIAS, now=postgres_gateway.clock)
    for result in router.process([g.mail(str(n)) for n in range(200)]):
        assert isinstance(result, list)
        router.take_back(result)
    claims, now = Claims(postgres_gateway.settings), postgres_gateway.clock.now

    def claim() -> list[int]:
        claimed: list[int] = []
        # Where both look at once, one may find all of its choice locked.
        while Delivery.objects.filter(due_at__lte=now).exists():
            claimed += [delivery.id for delivery in claims.claim("hive", 5, now)]
        return claimed

    first, second = at_once(claim, claim)
    assert len(first) + len(second) == len({*first, *second}) == 200


def test_two_ledgers_with_the_same_outcomes_settle_each_once(postgres_gateway: Gateway) -> None:
    router = Router(wide(postgres_gateway), g.VIAS, now=postgres_gateway.clock)
    results = router.process([g.mail(str(n)) for n in range(100)])
    begun = postgres_gateway.begin(*(d for one in results for d in one))  # type: ignore[union-attr]
    while more := postgres_gateway.owed():
        begun += more
    assert len(begun) == 100
    outcomes = [Outcome.sent(d) for d in begun]
    ledgers = [Ledger(postgres_gateway.settings, now=postgres_gateway.clock) for _ in "ab"]
    at_once(lambda: ledgers[0].process(outcomes), lambda: ledgers[1].process(outcomes[::-1]))
    counted: list[dict[str, Any]] = [ledger.status() for ledger in ledgers]
    assert sum(one.get("sent", 0) for one in counted) == 100
    assert sum(one.get("ignored", 0) for one in counted) == 100
    assert Delivery.objects.filter(state=State.SENT).count() == 100


def test_two_ledgers_that_fail_one_emergency_write_one_message_about_it(
    postgres_gateway: Gateway,
) -> None:
    friend, mum = "+15559998888", "mum@example.net"
    owner = Subscriber.objects.get()
    Contact.objects.create(owner=owner, name="friend", address=friend, is_emergency=True)
    Contact.objects.create(owner=owner, name="mum", address=mum, is_emergency=True)
    ledgers = [Ledger(postgres_gateway.settings, g.VIAS) for _ in "ab"]
    for number in range(10):
        typed = replace(g.uplink(g.phone(friend), f"call {number}"), text="SOS broken leg")
        texts = [
            one
            for one in postgres_gateway.begin(*postgres_gateway.accept(typed))
            if one.message.recipient.value == friend
        ]
        # Its own message and the one about the emergency.
        assert len(texts) == 2
        refused = [Outcome.failed(one, Rejected("no such number")) for one in texts]
        at_once(*(partial(one.process, [end]) for one, end in zip(ledgers, refused, strict=True)))
        told = Delivery.objects.filter(message__subject__startswith=NOT_REACHED)
        assert [one.recipient for one in told] == [mum] * (number + 1)


def test_a_deadlock_ends_by_a_repetition_in_a_batch_and_in_one_transaction(
    postgres_gateway: Gateway,
) -> None:
    first, second = (postgres_gateway.accept(g.mail(key))[0].id for key in ("one", "two"))
    both_hold_one = threading.Barrier(2)
    calls: list[str] = []

    def work(name: str, ids: tuple[int, int]) -> None:
        with transaction.atomic():
            calls.append(name)
            for number in ids:
                Delivery.objects.filter(id=number).update(reason=name)
                with suppress(threading.BrokenBarrierError):
                    both_hold_one.wait(10)
                both_hold_one.abort()

    def in_a_batch() -> object:
        return BatchRunner("test").run_one(partial(work, "batch", (first, second)))

    def in_one_transaction() -> object:
        return one_transaction(work)("one", (second, first))

    assert at_once(in_a_batch, in_one_transaction) == [None, None]
    assert len(calls) == 3
    last = calls[-1]
    assert set(Delivery.objects.values_list("reason", flat=True)) == {last}


def test_a_retry_locks_an_attempt_under_way_too_which_may_fail_meanwhile(
    postgres_gateway: Gateway,
) -> None:
    under_way = postgres_gateway.take_one()
    failed = postgres_gateway.take_one(g.mail("failed"))
    postgres_gateway.settle(failed, Rejected("no"))

    def lock(number: int) -> None:
        with transaction.atomic():
            Delivery.objects.select_for_update(nowait=True).get(id=number)

    both = Delivery.objects.filter(id__in=[under_way.id, failed.id])
    with transaction.atomic():
        operator_actions.retry(both, postgres_gateway.settings, postgres_gateway.clock())
        for one in (under_way, failed):
            with pytest.raises(OperationalError, match="could not obtain lock"):
                at_once(partial(lock, one.id))
    at_once(partial(lock, under_way.id))
