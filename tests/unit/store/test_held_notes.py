"""The note to the author of a held message: once, only where the author is proved, bounded, by the queue."""

from dataclasses import replace

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from messaging.model.message import AuthorLevel, Authorship, MailKind, Message
from messaging.store.accept.router import Router
from messaging.store.db.connection import store_errors
from messaging.store.models import Delivery, HeldNote, Subscriber
from messaging.store.models import Message as Stored
from messaging.store.notices.held_note import MAX_DAILY_NOTES
from messaging.store.queue import operator_actions
from tests.support.store import records as g
from tests.support.store.mailboxes import stranger
from tests.support.store.records import Gateway

ANN = "Ann@far.example"
DAY = 86_400


@pytest.fixture(autouse=True)
def known(gateway: Gateway) -> None:
    Subscriber.objects.update(senders="known")


def likely(key: str, author: str = ANN) -> Message:
    return replace(stranger(key, author, "likely"), reference=f"<{key}@far.example>")


def notes() -> list[Stored]:
    return list(Stored.objects.filter(mail_kind="held-note").order_by("created_at", "id"))


@pytest.mark.parametrize(
    ("level", "number"), [("proved", 1), ("likely", 1), ("unproved", 0), ("forged", 0)]
)
def test_only_an_author_that_is_proved_has_a_note(
    gateway: Gateway, level: str, number: int
) -> None:
    gateway.router.process([stranger("one", ANN, level)])
    assert len(notes()) == number


def test_it_says_what_becomes_of_the_message_and_answers_it(gateway: Gateway) -> None:
    gateway.router.process([likely("one")])
    [note] = gateway.owed()
    message = note.message
    assert (message.sender.value, message.recipient.value) == (
        "MAILER-DAEMON@example.org",
        ANN,
    )
    assert (message.mail_kind, message.reference) == (MailKind.HELD_NOTE, "<one@far.example>")
    assert message.subject == "Waits for a decision: Hi"
    assert 'Your message "Hi" to boop@example.org has arrived and waits' in message.text
    assert "It waits until 2026-01-15" in message.text


def test_lists_programs_phones_and_spam_have_none(gateway: Gateway) -> None:
    spam = Authorship(AuthorLevel.PROVED, spam_mark="X-Spam: yes")
    marked = replace(likely("two"), authorship=spam)
    gateway.router.process([replace(likely("one"), takes_answers=False), g.sms(), marked])
    assert Delivery.objects.filter(state="held").count() == 3
    assert notes() == []


def test_an_author_has_one_in_fourteen_days(gateway: Gateway) -> None:
    first, second = likely("one"), likely("two", ANN.lower())
    gateway.router.process([first, second])
    gateway.router.process([first, likely("three")])
    assert len(notes()) == 1
    gateway.clock.turn(14 * DAY - 1)
    gateway.router.process([likely("four")])
    assert len(notes()) == 1
    gateway.clock.turn(1)
    gateway.router.process([likely("five")])
    assert len(notes()) == 2


def test_no_news_follow_the_note(gateway: Gateway) -> None:
    gateway.router.process([replace(likely("one"), wants_notice=True), likely("two")])
    rows = Delivery.objects.filter(message_id=likely("two").id)
    operator_actions.refuse(rows, gateway.clock())
    gateway.clock.turn(14 * DAY)
    gateway.owed()
    assert Delivery.objects.get(message_id=likely("one").id).state == "expired"
    assert Stored.objects.filter(via="notice").count() == 1


def test_a_subscriber_causes_twenty_within_a_day(gateway: Gateway) -> None:
    directory_of = [likely(str(n), f"a{n}@far.example") for n in range(MAX_DAILY_NOTES + 10)]
    gateway.router.process(directory_of[:15])
    gateway.router.process(directory_of[15:])
    assert len(notes()) == MAX_DAILY_NOTES
    # Counted in the store: another router counts the same.
    Router(gateway.settings, g.VIAS, now=gateway.clock).process([likely("x", "x@far.example")])
    assert len(notes()) == MAX_DAILY_NOTES
    gateway.clock.turn(DAY)
    gateway.router.process([likely("y", "y@far.example")])
    assert len(notes()) == MAX_DAILY_NOTES + 1


def test_old_notes_are_forgotten(gateway: Gateway) -> None:
    gateway.router.process([likely("one")])
    gateway.clock.turn(15 * DAY)
    gateway.router.process([likely("two", "b@far.example")])
    assert list(HeldNote.objects.values_list("author", flat=True)) == ["b@far.example"]


def test_mailboxes_of_this_gateway_and_switched_off_notices_have_none(gateway: Gateway) -> None:
    gateway.router.process([likely("one", "other@example.org")])
    settings = gateway.settings.model_copy(update={"mail_failure_notices": False})
    Router(settings, g.VIAS, now=gateway.clock).process([likely("two")])
    Router(gateway.settings, {}, now=gateway.clock).process([likely("three")])
    assert Delivery.objects.filter(state="held").count() == 3
    assert notes() == []


def test_where_nothing_is_held_no_statement_runs(gateway: Gateway) -> None:
    def statements(*messages: Message) -> list[str]:
        with store_errors(), CaptureQueriesContext(connection) as queries:
            gateway.router.process(list(messages))
        return [one["sql"] for one in queries if "users_heldnote" in one["sql"]]

    Subscriber.objects.update(senders="open")
    assert statements(likely("one")) == []
    Subscriber.objects.update(senders="known")
    assert statements(stranger("two")) == []
    one = statements(likely("three"))
    many = statements(*(likely(f"m{n}", f"m{n}@far.example") for n in range(10)))
    assert 0 < len(one) == len(many)
