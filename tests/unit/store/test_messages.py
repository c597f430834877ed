"""Every message can be found, its story read, and its deliveries tried again or called off."""

from dataclasses import asdict, replace
from datetime import timedelta

import pytest

from messaging.errors import Rejected, Unavailable, Uncertain
from messaging.model.message import message_id
from messaging.store.console import directory, messages, queues
from messaging.store.console.save import InvalidInput
from messaging.store.console.selection import DeliveryFilter, MessageFilter, summary
from messaging.store.models import Delivery
from messaging.store.queue.operator_actions import CancelResult, RetryResult, cancel, retry
from messaging.store.states import State
from tests.support.store import records as g
from tests.support.store.records import Gateway

MUM = g.email("mum@example.com")


@pytest.fixture
def filled(gateway: Gateway) -> Gateway:
    """One message of each kind, a minute apart: sent, failed, undeliverable, waiting."""
    directory.add_subscriber("ann")
    directory.add_device("2001", owner="ann", network="hive", networks=["hive"])
    gateway.settle(gateway.take_one(g.mail("sent")))
    gateway.clock.turn(60)
    gateway.settle(
        gateway.take_one(g.mail("failed", to="ann@example.org")), Rejected("no such device")
    )
    gateway.clock.turn(60)
    gateway.router.process([g.stranded()])
    gateway.clock.turn(60)
    gateway.take_one(g.uplink(MUM, "up"))
    return gateway


FOUND: tuple[tuple[MessageFilter, list[str]], ...] = (
    (MessageFilter(), ["up", "broken", "failed", "sent"]),
    (MessageFilter(limit=2), ["up", "broken"]),
    (MessageFilter(state="sent"), ["sent"]),
    (MessageFilter(state="waiting"), ["up"]),
    (MessageFilter(state="undeliverable"), ["broken"]),
    (MessageFilter(user="ann"), ["failed"]),
    (MessageFilter(user="BOOP"), ["up", "broken", "sent"]),
    (MessageFilter(via="smtp"), ["up", "failed", "sent"]),
    (MessageFilter(device="1001"), ["up", "broken", "sent"]),
    (MessageFilter(device="2001"), ["failed"]),
    (MessageFilter(address="MUM@"), ["up"]),
    (MessageFilter(address="boop@example.org"), ["up", "sent"]),
    (MessageFilter(user="nobody"), []),
)


def test_messages_are_found(filled: Gateway) -> None:
    for wanted, keys in FOUND:
        assert [row.id for row in messages.list_messages(wanted)] == [
            message_id(key) for key in keys
        ], wanted


def test_messages_are_found_by_time(filled: Gateway) -> None:
    since = filled.clock.now - timedelta(seconds=90)
    assert len(messages.list_messages(MessageFilter(since=since))) == 2


def test_a_list_says_what_became_of_each(filled: Gateway) -> None:
    rows = messages.list_messages(MessageFilter())
    assert [(row.state, row.reason) for row in rows] == [
        ("waiting", ""),
        ("undeliverable", "not a message of ours"),
        ("failed", "no such device"),
        ("sent", ""),
    ]
    assert asdict(rows[0])["sender"] == "1001"


def test_the_story_of_a_message_is_whole(filled: Gateway) -> None:
    story = messages.show(message_id("up")[:8])
    assert (story.text, story.device, story.message.user) == ("all well", "hive 1001", "boop")
    [delivery] = story.deliveries
    assert (delivery.sender, delivery.recipient) == ("boop@example.org", MUM.value)
    assert (delivery.state, delivery.attempts, delivery.uncertain) == ("waiting", 1, 0)
    assert messages.show(message_id("broken")).raw_bytes == 2


def test_the_states_of_several_deliveries_are_summed_up() -> None:
    assert summary(["sent", "waiting", "sent"]) == "sent 2, waiting 1"
    assert summary([]) == "undeliverable"


@pytest.mark.parametrize("prefix", ["", "zz", "%"])
def test_an_id_that_is_none_is_said(filled: Gateway, prefix: str) -> None:
    with pytest.raises(InvalidInput, match="there is no message"):
        messages.show(prefix)


def test_an_id_that_is_too_short_is_said(filled: Gateway) -> None:
    records = [g.stranded(str(n)) for n in range(40)]
    filled.router.process(records)
    with pytest.raises(InvalidInput, match="several messages begin with"):
        messages.show(max("0123456789abcdef", key=lambda c: sum(r.id[0] == c for r in records)))


def test_a_state_that_is_none_is_said(filled: Gateway) -> None:
    with pytest.raises(InvalidInput, match="there is no state 'snet'"):
        messages.list_messages(MessageFilter(state="snet"))


def test_a_failed_delivery_is_tried_again_with_a_whole_new_life(filled: Gateway) -> None:
    Delivery.objects.filter(state=State.FAILED).update(attempts=40)
    filled.clock.turn(100 * 3600)
    everything = Delivery.objects.filter(message_id=message_id("failed"))
    assert retry(everything, filled.settings, filled.clock.now) == RetryResult(1, 0)
    again = next(d for d in filled.owed() if d.via == "hive")
    assert again.attempt == 41
    filled.settle(again, Unavailable("busy"))
    row = everything.get()
    assert (row.state, row.reason) == (State.WAITING, "busy")
    assert row.expires_at > filled.clock.now + timedelta(hours=71)
    assert row.due_at is not None
    assert (row.due_at - filled.clock.now).total_seconds() <= 120


def test_a_delivery_that_waits_for_its_next_attempt_can_be_due_now(gateway: Gateway) -> None:
    gateway.settle(gateway.take_one(), Unavailable("busy", retry_after_seconds=3600))
    assert gateway.owed() == []
    assert retry(Delivery.objects.all(), gateway.settings, gateway.clock.now) == RetryResult(1, 0)
    assert len(gateway.owed()) == 1


def test_what_is_sent_or_under_way_is_left_alone_by_retry(gateway: Gateway) -> None:
    gateway.settle(gateway.take_one(g.mail("a")))
    gateway.take_one(g.mail("b"))
    assert retry(Delivery.objects.all(), gateway.settings, gateway.clock.now) == RetryResult(0, 2)
    assert gateway.owed() == []


def test_after_an_outage_everything_in_one_state_can_be_tried_again(filled: Gateway) -> None:
    failed = DeliveryFilter(state="failed")
    assert messages.retry_all(replace(failed, via="smtp"), filled.settings) == RetryResult(0, 0)
    assert messages.retry_all(replace(failed, user="boop"), filled.settings) == RetryResult(0, 0)
    assert messages.count_dead_or_waiting(failed) == 1
    assert messages.retry_all(replace(failed, via="hive"), filled.settings) == RetryResult(1, 0)
    assert messages.retry(message_id("sent"), filled.settings) == RetryResult(0, 1)


def test_what_waits_is_called_off_by_what_it_has_in_common(filled: Gateway) -> None:
    filled.take_one(g.mail("late", to="ann@example.org"))
    before = filled.clock.now - timedelta(seconds=1)
    for chosen, number in (
        (DeliveryFilter(state="failed"), 0),
        (DeliveryFilter(via="twilio"), 0),
        (DeliveryFilter(user="ann", before=before), 0),
        (DeliveryFilter(user="Ann"), 1),
        (DeliveryFilter(before=filled.clock.now + timedelta(seconds=1)), 1),
    ):
        assert messages.count_waiting(chosen) == number, chosen
        assert messages.cancel_all(chosen).cancelled == number, chosen


def test_an_unknown_outcome_is_seen_in_the_list_and_the_story(gateway: Gateway) -> None:
    gateway.settle(gateway.take_one(), Uncertain("no answer in time"))
    assert [row.uncertain for row in messages.list_messages(MessageFilter())] == [1]
    assert messages.show(message_id("one")).message.uncertain == 1


def test_the_story_names_the_notice_to_its_author(gateway: Gateway) -> None:
    gateway.settle(gateway.take_one(replace(g.mail(), wants_notice=True)), Rejected("no"))
    notice = messages.show(message_id("one")).notice
    assert notice is not None
    assert messages.show(notice).notice is None


def test_what_waits_is_called_off_and_stays_so(gateway: Gateway) -> None:
    gateway.settle(gateway.take_one(), Unavailable("busy"))
    assert messages.cancel(message_id("one")) == CancelResult(1, 0)
    gateway.clock.turn(3600)
    assert gateway.owed() == []
    assert Delivery.objects.get().state == State.CANCELLED
    assert messages.cancel(message_id("one")) == CancelResult(0, 0)


def test_an_attempt_under_way_cannot_be_recalled_and_that_is_said(gateway: Gateway) -> None:
    delivery = gateway.take_one()
    assert cancel(Delivery.objects.all(), gateway.clock.now) == CancelResult(1, 1)
    gateway.settle(delivery)
    row = Delivery.objects.get()
    assert (row.state, row.due_at) == (State.CANCELLED, None)
    assert "may still arrive" in row.reason


def test_an_attempt_that_ended_without_an_outcome_is_in_doubt_also_when_it_is_called_off(
    gateway: Gateway,
) -> None:
    gateway.take_one()
    gateway.clock.turn(121)
    assert cancel(Delivery.objects.all(), gateway.clock.now) == CancelResult(1, 0)
    assert Delivery.objects.get().uncertain == 1
    retry(Delivery.objects.all(), gateway.settings, gateway.clock.now)
    [new] = gateway.owed()
    assert new.uncertain


def test_an_old_outcome_does_not_settle_the_next_round(gateway: Gateway) -> None:
    old = gateway.take_one()
    cancel(Delivery.objects.all(), gateway.clock.now)
    retry(Delivery.objects.all(), gateway.settings, gateway.clock.now)
    assert gateway.owed() == []  # the attempt that was called off may still be under way
    gateway.clock.turn(120)
    [new] = gateway.owed()
    assert new.uncertain
    gateway.settle(old, Rejected("from before"))
    assert Delivery.objects.get().state == State.WAITING
    gateway.settle(new)
    assert Delivery.objects.get().state == State.SENT


def test_the_queues_are_counted_by_provider_with_the_age_of_the_oldest(filled: Gateway) -> None:
    filled.clock.turn(30)
    rows = {row.via: row for row in queues.counts(filled.clock.now)}
    assert rows["hive"].states == {"sent": 1, "failed": 1}
    assert rows["hive"].oldest_waiting_seconds is None
    assert rows["smtp"].states == {"waiting": 1}
    assert rows["smtp"].oldest_waiting_seconds == 30
