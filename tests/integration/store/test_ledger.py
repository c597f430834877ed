"""The ledger writes what became of an attempt, once, and only of the current one."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from messaging.errors import Rejected, Unavailable, Uncertain
from messaging.model.message import Outcome, Result, SubmittedPart
from messaging.store.db.connection import store_errors
from messaging.store.models import Delivery
from messaging.store.states import State
from tests.support.store import records as g
from tests.support.store.records import Gateway


def row() -> Delivery:
    return Delivery.objects.get()


def test_sent_is_final_and_keeps_the_networks_own_id(gateway: Gateway) -> None:
    delivery = gateway.take_one()
    assert gateway.ledger.process(
        [Outcome.sent(delivery, SubmittedPart("ab"), SubmittedPart("cd"), parts_sent=2)]
    ) == [[]]
    settled = row()
    assert (settled.state, settled.network_id, settled.parts_sent) == (State.SENT, "ab,cd", 2)
    assert (settled.due_at, settled.leased) == (None, False)
    assert settled.settled_at == gateway.clock.now


def test_rejected_is_final_with_its_reason(gateway: Gateway) -> None:
    gateway.settle(gateway.take_one(), Rejected("no such device"))
    assert (row().state, row().reason, row().due_at) == (State.FAILED, "no such device", None)


def test_unavailable_waits_and_is_tried_again(gateway: Gateway) -> None:
    gateway.settle(gateway.take_one(), Unavailable("the network is busy"))
    waiting = row()
    assert (waiting.state, waiting.reason) == (State.WAITING, "the network is busy")
    assert (waiting.leased, waiting.uncertain, waiting.settled_at) == (False, 0, None)
    assert waiting.due_at is not None
    assert 60 <= (waiting.due_at - gateway.clock.now).total_seconds() <= 120


def test_the_wish_of_the_network_puts_the_next_attempt_off(gateway: Gateway) -> None:
    gateway.settle(gateway.take_one(), Unavailable("busy", retry_after_seconds=900))
    assert row().due_at == gateway.clock.now + timedelta(seconds=900)


@pytest.mark.parametrize("wish", [float("nan"), float("inf"), -5.0, 1e300])
def test_an_absurd_wish_harms_nothing(gateway: Gateway, wish: float) -> None:
    gateway.settle(gateway.take_one(), Unavailable("busy", retry_after_seconds=wish))
    waiting = row()
    assert waiting.due_at is not None
    assert gateway.clock.now < waiting.due_at <= waiting.expires_at


def test_uncertain_is_counted_and_the_next_attempt_knows(gateway: Gateway) -> None:
    gateway.settle(gateway.take_one(), Uncertain("no answer in time"))
    assert (row().state, row().uncertain) == (State.WAITING, 1)
    gateway.clock.turn(121)
    [again] = gateway.owed()
    assert (again.attempt, again.uncertain) == (2, True)


def test_parts_that_were_sent_are_not_forgotten(gateway: Gateway) -> None:
    delivery = gateway.take_one()
    halfway = Outcome.failed(delivery, Unavailable("busy"), SubmittedPart("p1"), parts_sent=1)
    gateway.ledger.process([halfway])
    gateway.clock.turn(121)
    [again] = gateway.owed()
    assert again.parts_sent == 1
    gateway.ledger.process([Outcome.sent(again, SubmittedPart("p2"), parts_sent=2)])
    assert (row().network_id, row().parts_sent) == ("p1,p2", 2)


@pytest.mark.parametrize(
    "handed", [SubmittedPart("id \ud800"), SubmittedPart("id", 10**30), SubmittedPart("id", -1)]
)
def test_what_no_store_can_hold_keeps_back_neither_its_outcome_nor_others(
    gateway: Gateway, handed: SubmittedPart
) -> None:
    odd, other = gateway.take_one(), gateway.take_one(g.mail("two"))
    reported = [Outcome.sent(odd, handed), Outcome.sent(other, SubmittedPart("good"))]
    assert gateway.ledger.process(reported) == [[], []]
    states = Delivery.objects.order_by("id").values_list("state", "parts_sent")
    assert list(states) == [(State.SENT, 1), (State.SENT, 1)]


def test_an_outcome_of_an_older_attempt_is_ignored(gateway: Gateway) -> None:
    first = gateway.take_one()
    gateway.clock.turn(121)
    [second] = gateway.owed()
    gateway.settle(first, Rejected("too late to matter"))
    assert row().state == State.WAITING
    gateway.settle(second)
    assert row().state == State.SENT
    status = gateway.ledger.status()
    assert (status["ignored"], status["sent"]) == (1, 1)
    assert (status["settled"], status["blocked"]) == ({"hive": {"sent": 1}}, {})


def test_what_an_older_attempt_sent_is_sent(gateway: Gateway) -> None:
    first = gateway.take_one()
    gateway.clock.turn(121)
    [second] = gateway.owed()
    gateway.settle(second, Unavailable("the network is busy"))
    gateway.settle(first)
    assert (row().state, row().network_id, row().uncertain) == (State.SENT, "id-1", 1)
    gateway.clock.turn(72 * 3600)
    assert gateway.owed() == []


def test_a_repeated_outcome_changes_nothing(gateway: Gateway) -> None:
    delivery = gateway.take_one()
    sent, refused = Outcome.sent(delivery), Outcome.failed(delivery, Rejected("no"))
    assert gateway.ledger.process([sent, sent, refused]) == [[], [], []]
    assert gateway.ledger.process([refused]) == [[]]
    assert row().state == State.SENT


def test_a_repeated_failure_is_neither_counted_nor_charged_twice(gateway: Gateway) -> None:
    delivery = gateway.take_one()
    first = Outcome.failed(delivery, Unavailable("later", 60), SubmittedPart("a", 3), parts_sent=1)
    assert gateway.ledger.process([first]) == [[]]
    due_at = row().due_at
    gateway.clock.turn(30)
    assert gateway.ledger.process([first]) == [[]]
    assert (row().units, row().network_id, row().due_at) == (3, "a", due_at)


def test_the_last_attempt_ends_in_failure_and_quotes_what_was_said(gateway: Gateway) -> None:
    gateway.take_one()
    Delivery.objects.update(attempts=40)
    outcome = replace(_outcome(Result.UNAVAILABLE, "the network is busy"), attempt=40)
    gateway.ledger.process([outcome])
    assert row().state == State.FAILED
    assert row().reason == "gave up after 40 attempts; the last one said: the network is busy"


def test_a_life_that_is_over_ends_in_expiry_and_quotes_what_was_said(gateway: Gateway) -> None:
    delivery = gateway.take_one()
    gateway.clock.turn(72 * 3600)
    gateway.settle(delivery, Unavailable("the network is busy"))
    assert row().state == State.EXPIRED
    assert row().reason == "not delivered within 72 hours (1 attempt); last: the network is busy"


def test_a_reason_of_any_kind_and_length_can_be_kept(gateway: Gateway) -> None:
    gateway.settle(gateway.take_one(), Rejected("\x00\ud800" + "x" * 100_000))
    assert row().reason.startswith("\ufffd\ufffdxxx")
    assert len(row().reason) == 1000


def test_an_outcome_of_an_unknown_delivery_is_ignored(gateway: Gateway) -> None:
    assert gateway.ledger.process([_outcome(Result.SENT, "")]) == [[]]


def test_an_outcome_from_before_a_fail_over_settles_no_other_message_with_its_id(
    gateway: Gateway,
) -> None:
    here = gateway.take_one(g.mail("here"))
    gone = replace(here, message=g.mail("gone"))
    assert gateway.ledger.process([Outcome.sent(gone), Outcome.sent(gone)]) == [[], []]
    assert (row().state, row().leased) == (State.WAITING, True)
    gateway.settle(here)
    assert row().state == State.SENT


def test_the_number_of_statements_does_not_grow_with_the_batch(gateway: Gateway) -> None:
    generous = gateway.settings.model_copy(update={"max_waiting_per_subscriber": 10_000})
    wide = Gateway(
        generous,
        gateway.clock,
        type(gateway.router)(generous, g.VIAS, now=gateway.clock),
        gateway.ledger,
        gateway.due,
    )
    counted = []
    for size in (4, 300):
        taken = wide.router.process([g.mail(f"{size} {n}") for n in range(size)])
        deliveries = gateway.begin(*(d for one in taken if isinstance(one, list) for d in one))
        while more := gateway.owed():
            deliveries += more
        assert len(deliveries) == size
        outcomes = [
            Outcome.failed(d, Unavailable("busy")) if n % 2 else Outcome.sent(d)
            for n, d in enumerate(deliveries)
        ]
        with store_errors(), CaptureQueriesContext(connection) as queries:
            gateway.ledger.process(outcomes)
        counted.append(len(queries))
    # The last one writes the history of attempts.
    assert counted[0] == counted[1] <= 6


def _outcome(result: Result, reason: str) -> Outcome:
    first = Delivery.objects.first()
    number, message = (first.id, first.message_id) if first else (1, "x")
    return Outcome(delivery_id=number, message_id=message, attempt=1, result=result, reason=reason)
