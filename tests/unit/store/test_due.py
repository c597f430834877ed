"""What is owed is claimed once, for as much room as there is, and comes back when nobody reports."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from messaging.config.settings import Settings
from messaging.errors import Unavailable
from messaging.model.message import Delivery
from messaging.store.models import Delivery as Row
from messaging.store.queue.due import Due
from messaging.store.states import State
from tests.support.eventually import wait_until
from tests.support.store import records as g
from tests.support.store.due_deliveries import Hand, owe
from tests.support.store.records import Clock, Gateway

FAR = timezone.now() + timedelta(days=1000)


def test_nothing_is_owed_while_an_attempt_is_under_way(gateway: Gateway) -> None:
    gateway.take_one()
    assert gateway.owed() == []
    gateway.clock.turn(119)
    assert gateway.owed() == []


def test_an_attempt_that_nobody_reported_is_made_again_and_marked_uncertain(
    gateway: Gateway,
) -> None:
    first = gateway.take_one()
    gateway.clock.turn(121)
    [second] = gateway.owed()
    assert second.id == first.id
    assert second.message == first.message
    assert (second.attempt, second.uncertain) == (2, True)
    assert second.lease_until > gateway.clock.now
    assert Row.objects.get().uncertain == 1
    assert gateway.owed() == []


def test_no_more_is_claimed_than_there_is_room(gateway: Gateway) -> None:
    owe(gateway, 25)
    hand = Hand()
    gateway.due.turn(hand)
    gateway.due.turn(hand)
    assert len(hand.taken) == 10
    # That a sender has them is not enough: it must have begun.
    for _, future in hand.taken[:6]:
        future.set_result(None)
    gateway.due.turn(hand)
    assert len(hand.taken) == 10
    gateway.begin(*(delivery for delivery, _ in hand.taken[:4]))
    gateway.due.turn(hand)
    assert len(hand.taken) == 14
    assert len({delivery.id for delivery, _ in hand.taken}) == 14


def test_what_was_accepted_first_is_claimed_first(gateway: Gateway) -> None:
    owe(gateway, 3)
    ids = list(Row.objects.order_by("id").values_list("id", flat=True))
    for age, number in enumerate(reversed(ids)):
        Row.objects.filter(id=number).update(due_at=gateway.clock.now)
        gateway.clock.turn(1 + age)
    assert [delivery.id for delivery in gateway.owed()] == ids


def test_a_stuck_network_does_not_starve_the_others(gateway: Gateway) -> None:
    owe(gateway, 30, "hive")
    owe(gateway, 3, "smtp")
    hand = Hand()
    for _ in range(3):
        gateway.due.turn(hand)
    assert sorted(set(hand.default_accounts())) == ["hive", "smtp"]
    assert hand.default_accounts().count("hive") == 10
    assert hand.default_accounts().count("smtp") == 3


def test_the_room_of_attempts_whose_lease_has_passed_is_free_again(gateway: Gateway) -> None:
    owe(gateway, 30)
    hand = Hand()
    gateway.due.turn(hand)
    gateway.clock.turn(121)
    gateway.due.turn(hand)
    assert len(hand.taken) == 20


def test_an_attempt_whose_lease_has_passed_is_taken_back_from_those_who_wait(
    gateway: Gateway,
) -> None:
    owe(gateway, 1)
    hand = Hand()
    gateway.due.turn(hand)
    gateway.clock.turn(121)
    gateway.due.turn(hand)
    assert [future.cancelled() for _, future in hand.taken] == [True, False]


@pytest.mark.parametrize("raises", [True, False])
def test_what_no_sender_took_is_owed_again_at_once_and_not_counted(
    gateway: Gateway, raises: bool
) -> None:
    owe(gateway, 1)

    def refuse(delivery: Delivery) -> "Future[None]":
        if raises:
            raise Unavailable("no sender")
        future: Future[None] = Future()
        future.set_exception(Unavailable("no sender"))
        return future

    gateway.due.turn(refuse)
    [again] = gateway.owed()
    assert (again.attempt, again.uncertain) == (1, False)


def test_a_delivery_of_a_sender_that_died_before_it_began_is_due_within_five_seconds(
    gateway: Gateway,
) -> None:
    owe(gateway, 1)
    hand = Hand()
    gateway.due.turn(hand)
    hand.taken[0][1].set_exception(RuntimeError("the sender died"))
    assert gateway.owed() == []
    gateway.clock.turn(4)
    [again] = gateway.owed()
    assert (again.attempt, again.uncertain) == (1, False)


def test_a_delivery_whose_attempts_are_used_up_fails(gateway: Gateway) -> None:
    gateway.take_one()
    Row.objects.update(attempts=40)
    gateway.clock.turn(121)
    assert gateway.owed() == []
    row = Row.objects.get()
    assert (row.state, row.uncertain, row.leased) == (State.FAILED, 1, False)
    assert row.reason == (
        "gave up after 40 attempts; the last one said: the attempt ended without an answer"
    )


def test_a_delivery_whose_life_is_over_expires_on_any_network(gateway: Gateway) -> None:
    gateway.take_one()
    gateway.clock.turn(121)
    [second] = gateway.owed()
    gateway.settle(second, Unavailable("no satellite in view"))
    Row.objects.update(via="closed down")
    gateway.clock.turn(72 * 3600)
    assert gateway.owed() == []
    row = Row.objects.get()
    assert (row.state, row.settled_at) == (State.EXPIRED, gateway.clock.now)
    assert row.reason == ("not delivered within 72 hours (2 attempts); last: no satellite in view")


def test_more_that_expire_together_than_one_sweep_takes_all_do(sqlite_gateway: Gateway) -> None:
    owe(sqlite_gateway, 510)
    sqlite_gateway.clock.turn(73 * 3600)
    sqlite_gateway.due.turn(Hand())
    assert Row.objects.filter(state=State.EXPIRED).count() == 510


def test_draining_claims_nothing_more(gateway: Gateway) -> None:
    owe(gateway, 1)
    gateway.due.drain()
    assert gateway.owed() == []


@contextmanager
def running(due: Due, emit: Callable[[Delivery], "Future[None]"]) -> Iterator[None]:
    thread = threading.Thread(target=due.run, args=[emit])
    thread.start()
    try:
        yield
    finally:
        due.close()
        thread.join(30)
        assert not thread.is_alive()


def test_a_backlog_flows_as_fast_as_room_is_freed(settings: Settings, gateway: Gateway) -> None:
    owe(gateway, 100)
    due = Due(settings, {"hive": 4}, now=gateway.clock)
    emitted: list[int] = []

    def deliver(delivery: Delivery) -> "Future[None]":
        emitted.append(delivery.id)
        gateway.begin(delivery)
        future: Future[None] = Future()
        future.set_result(None)
        return future

    with running(due, deliver):
        # One poll a second would take 25 seconds for this.
        wait_until(lambda: len(emitted) == 100, 15)
    assert len(set(emitted)) == 100


def test_stopping_is_quick_even_when_polls_are_rare(sqlite_settings: Settings) -> None:
    slow = sqlite_settings.model_copy(update={"due_poll_seconds": 600})
    due = Due(slow, {"hive": 1}, now=Clock())
    began = time.monotonic()
    with running(due, Hand()):
        time.sleep(0.05)
    assert time.monotonic() - began < 20


def test_a_delivery_is_emitted_at_its_time_however_rare_the_polls(gateway: Gateway) -> None:
    slow = gateway.settings.model_copy(update={"due_poll_seconds": 600})
    owe(gateway, 1)
    Row.objects.update(due_at=timezone.now() + timedelta(seconds=1), expires_at=FAR)
    hand = Hand()
    with running(Due(slow, {"hive": 1, "twilio": 1}), hand):
        wait_until(lambda: bool(hand.taken), 60)


def test_an_idle_turn_asks_the_store_twice(gateway: Gateway) -> None:
    gateway.take_one()
    due = Due(gateway.settings, {"hive": 1, "twilio": 1}, now=gateway.clock)
    due.turn(Hand())  # also does what is done once a minute
    with CaptureQueriesContext(connection) as queries:
        due.turn(Hand())
    assert len(queries) == 2
    gateway.clock.turn(121)
    hand = Hand()
    due.turn(hand)
    assert len(hand.taken) == 1


def test_what_a_clock_that_ran_ahead_put_off_is_owed_when_it_is_set_right(gateway: Gateway) -> None:
    right = gateway.clock.now
    gateway.clock.turn(3600)
    put_off = gateway.take_one(g.mail("put off"))
    gateway.settle(put_off, Unavailable("not now"))
    in_hand = gateway.take_one(g.mail("in hand"))
    assert gateway.owed() == []
    gateway.clock.now = right
    assert [delivery.id for delivery in gateway.owed()] == [put_off.id]
    gateway.clock.turn(121)
    [again] = [d for d in gateway.owed() if d.id == in_hand.id]
    assert again.uncertain
    assert again.attempt == 2
