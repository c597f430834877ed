"""Every attempt at a delivery is kept with its times, outcome, reason and charge, and what operators did."""

from datetime import timedelta

from messaging.errors import Rejected, Unavailable, Uncertain
from messaging.model.message import Outcome, SubmittedPart, message_id
from messaging.store.console import messages
from messaging.store.models import Delivery, DeliveryAttempt
from messaging.store.queue.removal import blank_addresses
from messaging.store.retention.removal import remove_messages
from tests.support.store import records as g
from tests.support.store.records import Gateway


def history(key: str = "one") -> list[tuple[int, str, str, int | None]]:
    [delivery] = messages.show(message_id(key)).deliveries
    return [(one.number, one.outcome, one.reason, one.units) for one in delivery.history]


def test_every_attempt_is_shown_with_its_times_and_reasons(gateway: Gateway) -> None:
    [first] = gateway.take(g.mail())
    gateway.clock.turn(2)
    gateway.settle(first, Unavailable("busy"))
    gateway.clock.turn(600)
    [second] = gateway.owed()
    began = gateway.clock.now
    gateway.clock.turn(3)
    gateway.settle(second, Uncertain("no answer in time"))
    gateway.clock.turn(600)
    [third] = gateway.owed()
    sent = Outcome.sent(third, SubmittedPart("7", billed_units=2))
    assert gateway.ledger.process([sent, sent]) == [[], []]
    assert history() == [
        (1, "unavailable", "busy", None),
        (2, "uncertain", "no answer in time", None),
        (3, "sent", "", 2),
    ]
    [delivery] = messages.show(message_id("one")).deliveries
    times = delivery.history[1]
    assert (times.began_at, times.ended_at) == (began, began + timedelta(seconds=3))


def test_an_attempt_without_an_outcome_is_shown_and_a_late_outcome_replaces_it(
    gateway: Gateway,
) -> None:
    [first] = gateway.take(g.mail())
    began = gateway.clock.now
    gateway.clock.turn(gateway.settings.lease_seconds + 1)
    [second] = gateway.owed()
    assert gateway.begin(second) == []
    assert history() == [(1, "not reported", "", None)]
    gateway.settle(second, Unavailable("busy"))
    assert gateway.ledger.process([Outcome.sent(first, SubmittedPart("7"))]) == [[]]
    assert history() == [(1, "sent", "", None), (2, "unavailable", "busy", None)]
    assert DeliveryAttempt.objects.get(number=1).began_at == began


def test_an_attempt_that_never_reported_stands_in_the_history_of_an_expired_delivery(
    gateway: Gateway,
) -> None:
    gateway.take(g.mail())
    gateway.clock.turn(100 * 24 * 3600)
    assert gateway.owed() == []
    assert history() == [(1, "not reported", "", None)]


def test_a_refusal_before_the_first_byte_did_not_begin(gateway: Gateway) -> None:
    [attempt] = gateway.accept(g.mail())
    gateway.ledger.process([Outcome.failed(attempt, Rejected("a step said no"))])
    assert history() == [(1, "rejected", "a step said no", None)]
    assert DeliveryAttempt.objects.get().began_at is None


def test_actions_of_operators_are_shown(gateway: Gateway) -> None:
    gateway.settle(gateway.take_one(), Rejected("no such device"))
    messages.retry(message_id("one"), gateway.settings)
    messages.cancel(message_id("one"))
    [delivery] = messages.show(message_id("one")).deliveries
    assert [(one.action, one.channel) for one in delivery.actions] == [
        ("retry", "cli"),
        ("cancel", "cli"),
    ]


def test_the_history_goes_with_its_message_and_its_reasons_with_the_addresses(
    gateway: Gateway,
) -> None:
    gateway.settle(gateway.take_one(), Rejected("no mailbox ann@example.net"))
    blank_addresses(Delivery.objects.all())
    assert history() == [(1, "rejected", "", None)]
    remove_messages([message_id("one")])
    assert not DeliveryAttempt.objects.exists()
