"""A note tells the author, and the digest the owner, that a budget holds messages."""

from dataclasses import replace
from typing import Any

import pytest

from messaging.model.message import AuthorLevel, Authorship, Message
from messaging.store.accept.router import Router
from messaging.store.models import Contact, Delivery, HeldNote, Subscriber
from messaging.store.models import Message as Stored
from messaging.store.notices.held_note import MAX_DAILY_NOTES
from messaging.store.queue import operator_actions
from tests.support.store import records as g
from tests.support.store.budgets import add_budget
from tests.support.store.mailboxes import hold_for_mailbox, send_digests, stranger
from tests.support.store.records import Gateway

DAY = 86_400


def notes() -> list[Stored]:
    return list(Stored.objects.filter(mail_kind="held-note").order_by("created_at", "id"))


def likely(key: str, author: str = "ann@far.example", **fields: Any) -> Message:
    return replace(stranger(key, author, "likely"), reference=f"<{key}@far.example>", **fields)


def test_the_author_has_one_note_with_its_own_reason(gateway: Gateway) -> None:
    add_budget(0)
    gateway.router.process([likely("one"), likely("two")])
    gateway.hand_out()
    gateway.hand_out()
    [note] = notes()
    assert note.subject == "Waits for a budget: Hi"
    assert "a limit on the costs of its recipient is reached" in note.text
    assert "units" not in note.text
    assert note.reference == "<one@far.example>"


@pytest.mark.parametrize(
    "message",
    [
        stranger("unproved"),
        likely("list", takes_answers=False),
        likely("ours", "other@example.org"),
        g.sms(),
    ],
)
def test_others_have_none(gateway: Gateway, message: Message) -> None:
    add_budget(0)
    gateway.accept(message)
    gateway.hand_out()
    assert Delivery.objects.get(message_id=message.id).hold == "budget"
    assert notes() == []


def test_the_notes_of_a_day_and_an_author_are_bounded_as_those_about_other_holds(
    gateway: Gateway,
) -> None:
    add_budget(0)
    for number in range(MAX_DAILY_NOTES + 3):
        gateway.accept(likely(str(number), f"a{number}@far.example"))
    gateway.hand_out()
    assert len(notes()) == HeldNote.objects.count() == MAX_DAILY_NOTES


def test_a_message_that_was_released_and_a_budget_holds_now_has_no_second_note(
    gateway: Gateway,
) -> None:
    add_budget(0)
    Subscriber.objects.update(senders="known")
    gateway.accept(likely("one"))
    rows = Delivery.objects.filter(message_id=likely("one").id)
    assert operator_actions.release(rows, gateway.settings, gateway.clock()).over_budget == 1
    gateway.hand_out()
    assert [one.subject for one in notes()] == ["Waits for a decision: Hi"]


def test_the_digest_has_the_warnings_of_the_own_budgets_and_counts_what_waits(
    gateway: Gateway,
) -> None:
    hold_for_mailbox(gateway, language="de")
    Contact.objects.create(
        owner=Subscriber.objects.get(name="boop"), name="ann", address="ann@far.example"
    )
    add_budget(2)
    add_budget(1, scope="gateway")
    gateway.router.process([likely(str(number)) for number in range(4)])
    gateway.clock.turn(DAY)
    [digest] = send_digests(gateway)
    assert digest.subject == "Deine Budgets"
    assert (
        "Budget subscriber:boop je Monat: 50 % sind verbraucht, 1 units von 2 units." in digest.text
    )
    assert "Budget gateway" not in digest.text
    assert "3 Nachrichten warten auf Platz in einem Budget" in digest.text
    gateway.clock.turn(DAY)
    assert send_digests(gateway) == []


def test_the_digest_gives_the_bound_of_a_burst_in_the_language(gateway: Gateway) -> None:
    hold_for_mailbox(gateway, language="de")
    Subscriber.objects.update(senders="open")
    settings = gateway.settings.model_copy(update={"burst_hourly_per_author": 1})
    bounded = replace(gateway, router=Router(settings, g.VIAS, now=gateway.clock))
    friend = [replace(likely(str(n)), authorship=Authorship(AuthorLevel.PROVED)) for n in range(2)]
    bounded.router.process(friend)
    gateway.clock.turn(DAY)
    [digest] = send_digests(gateway)
    assert "Warum: mehr als 1 Nachrichten dieses Absenders in einer Stunde\n" in digest.text
