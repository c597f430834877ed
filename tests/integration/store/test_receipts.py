"""What a network says later about what it was handed settles that delivery: early, late, twice, in any order."""

import random
from dataclasses import replace
from datetime import timedelta

import pytest

from messaging.errors import Unavailable
from messaging.model.message import Outcome, ReceiptState, SubmittedPart
from messaging.store.console import messages
from messaging.store.models import Delivery, DeliveryPart
from messaging.store.queue.next_state import NO_REASON_FOR_LOSS
from messaging.store.receipts.receipts import UNCLAIMED_DAYS
from messaging.store.states import State
from tests.support.store import records as g
from tests.support.store.records import Gateway
from tests.support.store.submitted import (
    ARRIVED,
    LOST,
    MOVING,
    hand_over,
    hear,
    notices,
    receipt,
    report,
    row,
)


def test_what_arrived_is_delivered(gateway: Gateway) -> None:
    hand_over(gateway, SubmittedPart("n1", 2))
    gateway.clock.turn(60)
    hear(gateway, receipt(state=MOVING))
    assert row().state == State.SENT
    hear(gateway, receipt())
    assert (row().state, row().reason, row().settled_at) == (
        State.DELIVERED,
        "",
        gateway.clock.now,
    )
    assert row().units == 2
    assert notices() == 0


def test_what_was_lost_has_failed_and_its_author_is_told_once(gateway: Gateway) -> None:
    hand_over(gateway, SubmittedPart("n1"))
    hear(gateway, receipt(state=LOST, reason="the message expired in the queue"))
    assert (row().state, row().reason) == (State.FAILED, "the message expired in the queue")
    assert notices() == 1
    hear(gateway, receipt(state=LOST), receipt(state=LOST, reason="again"))
    assert (row().state, row().reason) == (State.FAILED, "the message expired in the queue")
    assert notices() == 1


def test_a_loss_without_a_reason_still_says_something(gateway: Gateway) -> None:
    hand_over(gateway, SubmittedPart("n1"))
    hear(gateway, receipt(state=LOST))
    assert row().reason == NO_REASON_FOR_LOSS


@pytest.mark.parametrize("first", [ARRIVED, LOST])
@pytest.mark.parametrize("together", [True, False])
def test_what_is_final_stays(gateway: Gateway, first: ReceiptState, together: bool) -> None:
    hand_over(gateway, SubmittedPart("n1"))
    news = [receipt(state=state) for state in (first, MOVING, ARRIVED, LOST)]
    if together:
        hear(gateway, *news)
    else:
        for one in news:
            hear(gateway, one)
    assert row().state == (State.DELIVERED if first is ARRIVED else State.FAILED)


def test_news_may_come_before_the_senders_own_report(gateway: Gateway) -> None:
    delivery = gateway.take_one(replace(g.mail(), wants_notice=True))
    hear(gateway, receipt(state=LOST, reason="the device is not known", billed_units=1))
    assert row().state == State.WAITING
    report(gateway, delivery, SubmittedPart("n1"))
    assert (row().state, row().reason) == (State.FAILED, "the device is not known")
    assert notices() == 1


def test_all_parts_have_to_arrive(gateway: Gateway) -> None:
    hand_over(gateway, SubmittedPart("n1", 1), SubmittedPart("n2", 3))
    hear(gateway, receipt("n2"))
    assert row().state == State.SENT
    hear(gateway, receipt("n1"))
    assert (row().state, row().units) == (State.DELIVERED, 4)


def test_one_lost_part_loses_the_message(gateway: Gateway) -> None:
    hand_over(gateway, SubmittedPart("n1"), SubmittedPart("n2"))
    hear(gateway, receipt("n1"), receipt("n2", LOST, reason="no view of the sky"))
    assert (row().state, row().reason) == (State.FAILED, "no view of the sky")


def test_news_of_a_part_waits_for_the_rest(gateway: Gateway) -> None:
    delivery = gateway.take_one()
    halfway = Outcome.failed(delivery, Unavailable("busy"), SubmittedPart("n1"), parts_sent=1)
    gateway.ledger.process([halfway])
    hear(gateway, receipt("n1"))
    assert row().state == State.WAITING
    gateway.clock.turn(3600)
    [again] = gateway.owed()
    report(gateway, again, SubmittedPart("n2"))
    assert row().state == State.SENT
    hear(gateway, receipt("n2"))
    assert row().state == State.DELIVERED


def test_the_account_that_speaks_counts(gateway: Gateway) -> None:
    hand_over(gateway, SubmittedPart("n1"))
    hear(gateway, receipt(via="hive-north"))
    assert row().state == State.SENT


def test_a_network_that_counts_anew_speaks_of_the_newest(gateway: Gateway) -> None:
    hand_over(gateway, SubmittedPart("n1"))
    hear(gateway, receipt("n1", LOST))
    second = hand_over(gateway, SubmittedPart("n1"), message=g.mail("two"))
    assert Delivery.objects.get(id=second.id).state == State.SENT
    hear(gateway, receipt("n1"))
    assert Delivery.objects.get(id=second.id).state == State.DELIVERED


def test_mail_has_no_receipts_and_costs_no_row(gateway: Gateway) -> None:
    delivery = gateway.take_one(g.uplink(g.email("mum@example.com")))
    report(gateway, delivery, SubmittedPart("2.0.0 queued as AB,CD"))
    assert DeliveryPart.objects.count() == 0


def test_news_of_what_is_not_ours_is_forgotten_after_a_while(gateway: Gateway) -> None:
    hear(gateway, receipt("foreign"), receipt("moving", MOVING))
    assert DeliveryPart.objects.count() == 1
    gateway.clock.turn(timedelta(days=UNCLAIMED_DAYS, seconds=1).total_seconds())
    hear(gateway, receipt("another"))
    assert [part.network_id for part in DeliveryPart.objects.all()] == ["another"]


def test_what_it_costs_is_added_up_and_corrected(gateway: Gateway) -> None:
    delivery = gateway.take_one()
    halfway = Outcome.failed(delivery, Unavailable("busy"), SubmittedPart("n1", 1), parts_sent=1)
    gateway.ledger.process([halfway])
    gateway.clock.turn(3600)
    [again] = gateway.owed()
    report(gateway, again, SubmittedPart("n2"))
    assert row().units == 1
    hear(gateway, receipt("n1", MOVING, billed_units=2), receipt("n2", billed_units=5))
    hear(gateway, receipt("n2", billed_units=5))
    [shown] = messages.show(row().message_id).deliveries
    assert shown.units == 7
    assert [(part.network_id, part.state, part.units) for part in shown.parts] == [
        ("n1", "on its way", 2),
        ("n2", "delivered", 5),
    ]


@pytest.mark.parametrize("seed", range(8))
def test_any_order_with_repeats_ends_alike(gateway: Gateway, seed: int) -> None:
    dice = random.Random(seed)
    delivery = gateway.take_one()
    news = [receipt(id, state) for id in ("n1", "n2") for state in (MOVING, ARRIVED)] * 2
    dice.shuffle(news)
    reported_at = dice.randrange(len(news))
    for number, one in enumerate(news):
        if number == reported_at:
            report(gateway, delivery, SubmittedPart("n1"), SubmittedPart("n2"))
        hear(gateway, one)
    assert row().state == State.DELIVERED
