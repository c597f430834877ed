"""An attempt begins just before its first byte: of all copies one begins, and waiting costs nothing."""

from dataclasses import replace

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from messaging.errors import NotBegun, Rejected, Unavailable
from messaging.model.message import Outcome, SubmittedPart
from messaging.store.db.connection import store_errors
from messaging.store.models import Delivery
from messaging.store.queue import operator_actions
from messaging.store.queue.begin import StoreBegins
from messaging.store.queue.lease import HAND_OUT_SECONDS
from messaging.store.states import State
from tests.support.store import records as g
from tests.support.store.records import Gateway


def test_of_two_copies_one_begins(gateway: Gateway) -> None:
    [copy] = gateway.accept(g.mail())
    gateway.clock.turn(HAND_OUT_SECONDS)
    [other] = gateway.hand_out()
    assert (other.id, other.attempt, other.uncertain) == (copy.id, copy.attempt, False)
    [begun] = gateway.begin(other, copy)
    assert begun.lease_until > gateway.clock.now
    assert gateway.begin(copy) == gateway.begin(other) == []
    row = Delivery.objects.get()
    assert (row.attempts, row.leased, row.uncertain) == (1, True, 0)


def test_the_lease_begins_with_the_attempt(gateway: Gateway) -> None:
    [delivery] = gateway.accept(g.mail())
    gateway.clock.turn(3600)
    assert gateway.begin(delivery)
    assert gateway.hand_out() == []
    gateway.clock.turn(gateway.settings.lease_seconds - 1)
    assert gateway.hand_out() == []


def test_waiting_in_our_own_queue_costs_no_attempt_and_leaves_no_doubt(gateway: Gateway) -> None:
    gateway.accept(g.mail())
    # More often than there are attempts.
    for _ in range(50):
        gateway.clock.turn(HAND_OUT_SECONDS)
        [again] = gateway.hand_out()
        assert (again.attempt, again.uncertain) == (1, False)
    gateway.settle(again)
    row = Delivery.objects.get()
    assert (row.state, row.attempts, row.uncertain) == (State.SENT, 1, 0)


@pytest.mark.parametrize("end", ["cancelled", "expired", "refused"])
def test_a_delivery_that_ended_meanwhile_is_not_begun(gateway: Gateway, end: str) -> None:
    [delivery] = gateway.accept(g.mail())
    match end:
        case "cancelled":
            done = operator_actions.cancel(Delivery.objects.all(), gateway.clock.now)
            assert (done.cancelled, done.under_way) == (1, 0)
        case "expired":
            gateway.clock.turn(73 * 3600)
            gateway.hand_out()
        case "refused":
            # By a user operator, before the sender had it.
            outcome = Outcome.failed(delivery, Rejected("refused by a step of this gateway"))
            assert gateway.ledger.process([outcome]) == [[]]
            assert Delivery.objects.get().state == State.FAILED
    assert gateway.begin(delivery) == []
    row = Delivery.objects.get()
    assert (row.attempts, row.uncertain, row.leased) == (0, 0, False)


def test_an_attempt_from_before_a_fail_over_does_not_begin_at_another_message_with_its_id(
    gateway: Gateway,
) -> None:
    [here] = gateway.accept(g.mail("here"))
    gone = replace(here, message=g.mail("gone"))
    assert gateway.begin(gone) == []
    assert Delivery.objects.get().attempts == 0
    assert [one.message.id for one in gateway.begin(gone, here)] == [here.message.id]


def test_an_outcome_that_comes_after_its_lease_leaves_no_doubt_if_no_attempt_has_begun_since(
    gateway: Gateway,
) -> None:
    first = gateway.take_one()
    gateway.clock.turn(121)
    [second] = gateway.hand_out()
    assert (second.attempt, second.uncertain) == (2, True)
    gateway.settle(first, Unavailable("no satellite in view"))
    row = Delivery.objects.get()
    assert (row.attempts, row.uncertain, row.reason) == (1, 0, "no satellite in view")
    assert row.due_at is not None
    assert row.due_at > gateway.clock.now


def test_the_rest_of_a_text_that_had_no_time_is_due_at_once_and_costs_no_attempt(
    gateway: Gateway,
) -> None:
    delivery = gateway.take_one()
    part = SubmittedPart("p1", 1)
    halfway = Outcome.failed(delivery, NotBegun("no time was left"), part, parts_sent=1)
    assert gateway.ledger.process([halfway, halfway]) == [[], []]
    row = Delivery.objects.get()
    assert (row.state, row.parts_sent, row.uncertain, row.units) == (State.WAITING, 1, 0, 1)
    assert row.attempts - row.attempts_forgiven == 0
    [rest] = gateway.owed()
    assert (rest.attempt, rest.parts_sent, rest.uncertain) == (2, 1, False)
    gateway.settle(rest)
    assert Delivery.objects.get().state == State.SENT


def test_attempts_that_begin_together_share_a_transaction(sqlite_gateway: Gateway) -> None:
    gateway = sqlite_gateway
    wide = gateway.settings.model_copy(update={"max_waiting_per_subscriber": 10_000})
    router = type(gateway.router)(wide, g.VIAS, now=gateway.clock)
    results = router.process([g.mail(str(n)) for n in range(100)])
    deliveries = [one for result in results if isinstance(result, list) for one in result]
    begins = StoreBegins(gateway.settings, now=gateway.clock)
    with store_errors(), CaptureQueriesContext(connection) as queries:
        begun = begins.process(deliveries)
    assert all(begun)
    assert len([one for one in queries if one["sql"].startswith("UPDATE")]) == 1
    assert len(queries) <= 3


def test_attempts_begin_by_the_ids_of_their_deliveries(sqlite_gateway: Gateway) -> None:
    [delivery] = sqlite_gateway.accept(g.mail())
    begins = StoreBegins(sqlite_gateway.settings, now=sqlite_gateway.clock)
    with store_errors(), CaptureQueriesContext(connection) as queries:
        begins.process([delivery])
    [update] = [one["sql"] for one in queries if one["sql"].startswith("UPDATE")]
    with store_errors(), connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN QUERY PLAN {update}")
        assert "USING INTEGER PRIMARY KEY" in str(cursor.fetchall())
