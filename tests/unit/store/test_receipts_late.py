"""What a network took and lost for now is given to it again, for a while."""

from dataclasses import replace

import pytest

from messaging.model.message import SubmittedPart
from messaging.store.models import Delivery
from messaging.store.queue.operator_actions import retry
from messaging.store.states import State
from tests.support.store.records import Gateway
from tests.support.store.submitted import LOST, hand_over, hear, notices, receipt, report, row


def test_what_the_network_lost_is_handed_over_anew_as_a_whole(gateway: Gateway) -> None:
    hand_over(gateway, SubmittedPart("n1"), SubmittedPart("n2"))
    hear(gateway, receipt("n1"), receipt("n2", LOST))
    assert retry(Delivery.objects.filter(via="hive"), gateway.settings, gateway.clock.now).due_now
    again = next(one for one in gateway.owed() if one.via == "hive")
    assert again.parts_sent == 0
    report(gateway, again, SubmittedPart("n3"), SubmittedPart("n4"))
    # Late news of the first round is not about this one.
    hear(gateway, receipt("n2", LOST), receipt("n1"))
    assert row().state == State.SENT
    hear(gateway, receipt("n3"), receipt("n4"))
    assert row().state == State.DELIVERED


OFF = receipt(state=LOST, reason="the phone is off", retry_after_seconds=7200)


def test_what_was_lost_for_now_waits_as_long_as_the_network_wishes(gateway: Gateway) -> None:
    hand_over(gateway, SubmittedPart("n1", 2))
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
    report(gateway, again, SubmittedPart("n2", 3))
    hear(gateway, OFF, receipt("n2"))
    assert (row().state, row().units, row().network_id) == (State.DELIVERED, 5, "n1,n2")
    assert notices() == 0


@pytest.mark.parametrize("given_out_again", [False, True])
def test_a_repeated_outcome_does_not_say_that_what_was_lost_since_is_sent(
    gateway: Gateway, given_out_again: bool
) -> None:
    delivery = hand_over(gateway, SubmittedPart("n1", 2))
    hear(gateway, OFF)
    if given_out_again:
        gateway.clock.turn(7201)
        assert len(gateway.owed()) == 1
    # The ledger's yes was lost with its process, so it is told once more.
    report(gateway, delivery, SubmittedPart("n1", 2))
    assert (row().state, row().units) == (State.WAITING, 2)


def test_what_is_lost_again_and_again_has_failed_at_last_and_its_author_is_told(
    gateway: Gateway,
) -> None:
    delivery = hand_over(gateway, SubmittedPart("n1"))
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
        report(gateway, delivery, SubmittedPart(f"n{delivery.attempt}"))
    assert waits == [7200, 14400]
    assert (row().attempts, row().reason, notices()) == (3, "the phone is off", 1)


def test_a_part_that_is_lost_for_good_ends_it_whatever_another_may_do(gateway: Gateway) -> None:
    hand_over(gateway, SubmittedPart("n1"), SubmittedPart("n2"))
    hear(gateway, OFF, receipt("n2", LOST, reason="no such device"))
    assert row().state == State.FAILED
    assert notices() == 1


def test_what_arrived_is_not_given_again_because_it_is_said_to_be_lost_too(
    gateway: Gateway,
) -> None:
    hand_over(gateway, SubmittedPart("n1"))
    hear(gateway, receipt(), OFF)
    assert row().state == State.DELIVERED


def test_what_is_lost_for_now_after_its_life_has_failed(gateway: Gateway) -> None:
    hand_over(gateway, SubmittedPart("n1"))
    gateway.clock.turn(73 * 3600)
    hear(gateway, OFF)
    assert (row().state, notices()) == (State.FAILED, 1)
