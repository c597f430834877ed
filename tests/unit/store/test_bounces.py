"""A mail that comes back settles the delivery that it was, and no other."""

from dataclasses import replace

import pytest

from messaging.errors import Rejected, Unavailable
from messaging.model.message import Bounce, RecipientCheck, message_id
from messaging.store.console import directory, messages
from messaging.store.console.selection import MessageFilter
from messaging.store.models import Delivery, Message
from messaging.store.queue.operator_actions import retry
from messaging.store.states import State
from tests.support.store import records as g
from tests.support.store.records import Gateway

WHY = "the mail came back: there is no such mailbox"


def bounce(delivery: Delivery, **changes: object) -> Bounce:
    made = Bounce(
        id=message_id("bounce"),
        sender=g.email("mailer-daemon@example.com"),
        recipient=g.email("boop@example.org"),
        delivery_id=delivery.id,
        message_id=delivery.message_id,
        is_final=True,
        reason=WHY,
        via="smtp",
        raw=b"Subject: Undelivered",
    )
    return replace(made, **changes)  # type: ignore[arg-type]


@pytest.fixture
def sent(gateway: Gateway) -> Delivery:
    """A mail from a device, taken by the relay."""
    gateway.settle(gateway.take_one(g.uplink(g.email("mum@example.com"))))
    return Delivery.objects.get()


def test_a_sent_mail_that_comes_back_has_failed(gateway: Gateway, sent: Delivery) -> None:
    assert gateway.router.process([bounce(sent), bounce(sent)]) == [[], []]
    assert gateway.router.process([bounce(sent)]) == [[]]
    row = Delivery.objects.get()
    assert (row.state, row.reason, row.due_at) == (State.FAILED, WHY, None)
    assert row.settled_at == gateway.clock.now
    assert Message.objects.count() == 1
    assert gateway.router.status()["bounce"] == 3
    assert retry(Delivery.objects.all(), gateway.settings, gateway.clock.now).due_now == 1


def test_one_of_unknown_outcome_that_comes_back_is_not_tried_again(gateway: Gateway) -> None:
    delivery = gateway.take_one(g.uplink(g.email("mum@example.com")))
    gateway.router.process([bounce(Delivery.objects.get())])
    gateway.settle(delivery, Unavailable("busy"))
    gateway.clock.turn(3600)
    assert gateway.owed() == []
    assert Delivery.objects.get().state == State.FAILED


def test_a_warning_only_leaves_a_note(gateway: Gateway, sent: Delivery) -> None:
    gateway.router.process([bounce(sent, is_final=False, reason="late, still trying")])
    row = Delivery.objects.get()
    assert (row.state, row.reason) == (State.SENT, "late, still trying")


@pytest.mark.parametrize("state", [State.CANCELLED, State.EXPIRED, State.DELIVERED])
def test_what_has_ended_otherwise_stays_so(gateway: Gateway, sent: Delivery, state: State) -> None:
    Delivery.objects.update(state=state, reason="before")
    gateway.router.process([bounce(sent)])
    assert (Delivery.objects.get().state, Delivery.objects.get().reason) == (state, "before")


@pytest.mark.parametrize("changes", [{"delivery_id": 999_999}, {"message_id": "0" * 32}])
def test_a_report_about_nothing_of_ours_is_kept_for_people(
    gateway: Gateway, sent: Delivery, changes: dict[str, object]
) -> None:
    stray = bounce(sent, **changes)
    assert gateway.router.process([stray, stray]) == [[], []]
    assert Delivery.objects.get().state == State.SENT
    kept = Message.objects.get(id=stray.id)
    assert bytes(kept.raw or b"") == b"Subject: Undelivered"
    assert WHY in kept.reason
    assert (kept.recipient, kept.subscriber and kept.subscriber.name) == (
        "boop@example.org",
        "boop",
    )
    assert stray.id in {row.id for row in messages.list_messages(MessageFilter(user="boop"))}


def test_reports_are_taken_for_somebody_who_takes_no_messages_now(gateway: Gateway) -> None:
    directory.change_subscriber("boop", is_active=False)
    ask = RecipientCheck(recipient=g.email("boop@example.org"), is_report=True)
    stranger = replace(ask, recipient=g.email("nobody@example.org"))
    plain, taken, refused = gateway.router.process([replace(ask, is_report=False), ask, stranger])
    assert isinstance(plain, Rejected)
    assert taken == []
    assert isinstance(refused, Rejected)
