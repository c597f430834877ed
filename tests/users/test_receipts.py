"""What a network says later about what it was handed settles that delivery: early, late, twice, in any order."""

import random
from dataclasses import replace
from datetime import timedelta

import pytest

from messaging.errors import Unavailable
from messaging.message import Delivery as Attempt
from messaging.message import Handed, Message, Outcome, Receipt, ReceiptState
from messaging.users import history
from messaging.users.interventions import retry
from messaging.users.models import Delivery, HandedPart, State
from messaging.users.notices import VIA
from messaging.users.receipts import NO_REASON, UNCLAIMED_DAYS
from tests.users import given as g
from tests.users.given import Gateway

ARRIVED, LOST, MOVING = ReceiptState.DELIVERED, ReceiptState.FAILED, ReceiptState.ON_ITS_WAY


def receipt(network_id: str = "n1", state: ReceiptState = ARRIVED, **more: object) -> Receipt:
    made = Receipt(via="hive", network_id=network_id, state=state)
    return replace(made, **more)  # type: ignore[arg-type]


def hand_over(gateway: Gateway, *handed: Handed, message: Message | None = None) -> Attempt:
    """A mail that its device's network took as these parts."""
    letter = message or replace(g.mail(), wants_notice=True)
    delivery = gateway.take_one(letter)
    report(gateway, delivery, *handed)
    return delivery


def report(gateway: Gateway, delivery: Attempt, *handed: Handed) -> None:
    outcome = Outcome.sent(delivery, *handed, parts_sent=delivery.parts_sent + len(handed))
    assert gateway.ledger.process([outcome]) == [[]]


def hear(gateway: Gateway, *receipts: Receipt) -> None:
    assert gateway.router.process(receipts) == [[] for _ in receipts]


def row() -> Delivery:
    return Delivery.objects.get(via="hive")


def notices() -> int:
    return Delivery.objects.filter(message__via=VIA).count()


def test_what_arrived_is_delivered(gateway: Gateway) -> None:
    hand_over(gateway, Handed("n1", 2))
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
    hand_over(gateway, Handed("n1"))
    hear(gateway, receipt(state=LOST, reason="the message expired in the queue"))
    assert (row().state, row().reason) == (State.FAILED, "the message expired in the queue")
    assert notices() == 1
    hear(gateway, receipt(state=LOST), receipt(state=LOST, reason="again"))
    assert (row().state, row().reason) == (State.FAILED, "the message expired in the queue")
    assert notices() == 1


def test_a_loss_without_a_reason_still_says_something(gateway: Gateway) -> None:
    hand_over(gateway, Handed("n1"))
    hear(gateway, receipt(state=LOST))
    assert row().reason == NO_REASON


@pytest.mark.parametrize("first", [ARRIVED, LOST])
@pytest.mark.parametrize("together", [True, False])
def test_what_is_final_stays(gateway: Gateway, first: ReceiptState, together: bool) -> None:
    hand_over(gateway, Handed("n1"))
    news = [receipt(state=state) for state in (first, MOVING, ARRIVED, LOST)]
    if together:
        hear(gateway, *news)
    else:
        for one in news:
            hear(gateway, one)
    assert row().state == (State.DELIVERED if first is ARRIVED else State.FAILED)


def test_news_may_come_before_the_senders_own_report(gateway: Gateway) -> None:
    delivery = gateway.take_one(replace(g.mail(), wants_notice=True))
    hear(gateway, receipt(state=LOST, reason="the device is not known", units=1))
    assert row().state == State.WAITING
    report(gateway, delivery, Handed("n1"))
    assert (row().state, row().reason) == (State.FAILED, "the device is not known")
    assert notices() == 1


def test_all_parts_have_to_arrive(gateway: Gateway) -> None:
    hand_over(gateway, Handed("n1", 1), Handed("n2", 3))
    hear(gateway, receipt("n2"))
    assert row().state == State.SENT
    hear(gateway, receipt("n1"))
    assert (row().state, row().units) == (State.DELIVERED, 4)


def test_one_lost_part_loses_the_message(gateway: Gateway) -> None:
    hand_over(gateway, Handed("n1"), Handed("n2"))
    hear(gateway, receipt("n1"), receipt("n2", LOST, reason="no view of the sky"))
    assert (row().state, row().reason) == (State.FAILED, "no view of the sky")


def test_news_of_a_part_waits_for_the_rest(gateway: Gateway) -> None:
    delivery = gateway.take_one()
    halfway = Outcome.failed(delivery, Unavailable("busy"), Handed("n1"), parts_sent=1)
    gateway.ledger.process([halfway])
    hear(gateway, receipt("n1"))
    assert row().state == State.WAITING
    gateway.clock.turn(3600)
    [again] = gateway.owed()
    report(gateway, again, Handed("n2"))
    assert row().state == State.SENT
    hear(gateway, receipt("n2"))
    assert row().state == State.DELIVERED


def test_what_the_network_lost_is_handed_over_anew_as_a_whole(gateway: Gateway) -> None:
    hand_over(gateway, Handed("n1"), Handed("n2"))
    hear(gateway, receipt("n1"), receipt("n2", LOST))
    assert retry(Delivery.objects.filter(via="hive"), gateway.settings, gateway.clock.now).due_now
    again = next(one for one in gateway.owed() if one.via == "hive")
    assert again.parts_sent == 0
    report(gateway, again, Handed("n3"), Handed("n4"))
    # Late news of the first round is not about this one.
    hear(gateway, receipt("n2", LOST), receipt("n1"))
    assert row().state == State.SENT
    hear(gateway, receipt("n3"), receipt("n4"))
    assert row().state == State.DELIVERED


OFF = receipt(state=LOST, reason="the phone is off", retry_after_seconds=7200)


def test_what_was_lost_for_now_waits_as_long_as_the_network_wishes(gateway: Gateway) -> None:
    hand_over(gateway, Handed("n1", 2))
    hear(gateway, OFF)
    assert (row().state, row().reason, row().settled_at) == (
        State.WAITING,
        "the phone is off",
        None,
    )
    gateway.clock.turn(7199)
    assert gateway.owed() == []
    gateway.clock.turn(2)
    [again] = gateway.owed()
    assert (again.attempt, again.parts_sent, again.uncertain) == (2, 0, False)
    report(gateway, again, Handed("n2", 3))
    hear(gateway, OFF, receipt("n2"))
    assert (row().state, row().units, row().network_id) == (State.DELIVERED, 5, "n1,n2")
    assert notices() == 0


def test_what_is_lost_again_and_again_has_failed_at_last_and_its_author_is_told(
    gateway: Gateway,
) -> None:
    delivery = hand_over(gateway, Handed("n1"))
    waits = []
    while row().state != State.FAILED:
        hear(gateway, replace(OFF, network_id=f"n{delivery.attempt}"))
        if row().state == State.FAILED:
            break
        due_at = row().due_at
        assert due_at
        waits.append((due_at - gateway.clock.now).total_seconds())
        gateway.clock.turn(waits[-1] + 1)
        [delivery] = gateway.owed()
        report(gateway, delivery, Handed(f"n{delivery.attempt}"))
    assert waits == [7200, 14400]
    assert (row().attempts, row().reason, notices()) == (3, "the phone is off", 1)


def test_a_part_that_is_lost_for_good_ends_it_whatever_another_may_do(gateway: Gateway) -> None:
    hand_over(gateway, Handed("n1"), Handed("n2"))
    hear(gateway, OFF, receipt("n2", LOST, reason="no such device"))
    assert row().state == State.FAILED
    assert notices() == 1


def test_what_arrived_is_not_given_again_because_it_is_said_to_be_lost_too(
    gateway: Gateway,
) -> None:
    hand_over(gateway, Handed("n1"))
    hear(gateway, receipt(), OFF)
    assert row().state == State.DELIVERED


def test_what_is_lost_for_now_after_its_life_has_failed(gateway: Gateway) -> None:
    hand_over(gateway, Handed("n1"))
    gateway.clock.turn(73 * 3600)
    hear(gateway, OFF)
    assert (row().state, notices()) == (State.FAILED, 1)


def test_the_account_that_speaks_counts(gateway: Gateway) -> None:
    hand_over(gateway, Handed("n1"))
    hear(gateway, receipt(via="hive-north"))
    assert row().state == State.SENT


def test_a_network_that_counts_anew_speaks_of_the_newest(gateway: Gateway) -> None:
    hand_over(gateway, Handed("n1"))
    hear(gateway, receipt("n1", LOST))
    second = hand_over(gateway, Handed("n1"), message=g.mail("two"))
    assert Delivery.objects.get(id=second.id).state == State.SENT
    hear(gateway, receipt("n1"))
    assert Delivery.objects.get(id=second.id).state == State.DELIVERED


def test_mail_has_no_receipts_and_costs_no_row(gateway: Gateway) -> None:
    delivery = gateway.take_one(g.uplink(g.email("mum@example.com")))
    report(gateway, delivery, Handed("2.0.0 queued as AB,CD"))
    assert HandedPart.objects.count() == 0


def test_news_of_what_is_not_ours_is_forgotten_after_a_while(gateway: Gateway) -> None:
    hear(gateway, receipt("foreign"), receipt("moving", MOVING))
    assert HandedPart.objects.count() == 1
    gateway.clock.turn(timedelta(days=UNCLAIMED_DAYS, seconds=1).total_seconds())
    hear(gateway, receipt("another"))
    assert [part.network_id for part in HandedPart.objects.all()] == ["another"]


def test_what_it_costs_is_added_up_and_corrected(gateway: Gateway) -> None:
    delivery = gateway.take_one()
    halfway = Outcome.failed(delivery, Unavailable("busy"), Handed("n1", 1), parts_sent=1)
    gateway.ledger.process([halfway])
    gateway.clock.turn(3600)
    [again] = gateway.owed()
    report(gateway, again, Handed("n2"))
    assert row().units == 1
    hear(gateway, receipt("n1", MOVING, units=2), receipt("n2", units=5))
    hear(gateway, receipt("n2", units=5))
    [shown] = history.show(row().message_id).deliveries
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
            report(gateway, delivery, Handed("n1"), Handed("n2"))
        hear(gateway, one)
    assert row().state == State.DELIVERED
