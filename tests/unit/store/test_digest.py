"""The daily digest: once a day, each held message once, bounded, by links or by commands."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import OperationalError, connection

from messaging.model.locale import Locale
from messaging.model.message import AuthorLevel, Authorship, MailKind
from messaging.model.signed_link import verify
from messaging.store.admission.links import HELD
from messaging.store.admission.mailboxes import change_mailbox
from messaging.store.db.django_settings import secret_key
from messaging.store.models import Contact, Delivery, OwnerMailbox, Subscriber
from messaging.store.models import Message as Stored
from messaging.store.notices.digest import MAX_ENTRIES, Digests, next_digest
from messaging.store.queue import operator_actions
from messaging.store.states import State
from tests.support.store.mailboxes import (
    ACCOUNT,
    LINK,
    MAILBOX,
    hold_for_mailbox,
    send_digests,
    stranger,
    with_pages,
)
from tests.support.store.records import Gateway

DAY = 86_400
SPAM = Authorship(AuthorLevel.PROVED, spam_mark="X-Spam: yes")


@pytest.mark.parametrize(
    ("after", "zone", "moment"),
    [
        ("2026-01-01T06:59", "UTC", "2026-01-01T07:00"),
        ("2026-01-01T07:00", "UTC", "2026-01-02T07:00"),
        ("2026-01-01T06:59", "Europe/Berlin", "2026-01-02T06:00"),
        ("2026-01-01T06:59", "Pacific/Auckland", "2026-01-01T18:00"),
        # The night in which summer time begins has 23 hours.
        ("2026-03-28T12:00", "Europe/Berlin", "2026-03-29T05:00"),
    ],
)
def test_the_next_digest_is_at_the_hour_in_the_zone(after: str, zone: str, moment: str) -> None:
    start = datetime.fromisoformat(after).replace(tzinfo=UTC)
    expected = datetime.fromisoformat(moment).replace(tzinfo=UTC)
    assert next_digest(start, Locale(zone).zone, 7) == expected


def test_a_held_message_is_named_once_with_all_that_helps_to_decide(gateway: Gateway) -> None:
    gateway = with_pages(gateway)
    hold_for_mailbox(gateway)
    message = replace(stranger("a", "Mum@far.example", "likely"), text="are you\nwell? " * 50)
    gateway.router.process([message])
    assert send_digests(gateway) == []  # before the hour
    gateway.clock.turn(DAY)
    [digest] = send_digests(gateway)
    assert digest.subject == "1 message waits for your decision"
    assert (digest.recipient, digest.mail_kind) == (MAILBOX, "digest")
    for words in (
        "1. Mum@far.example (likely)",
        "Subject: Hi",
        '"are you well? are you well?',
        "Held until 2026-01-15 12:00 UTC, it expires then. Why: the author is no contact",
    ):
        assert words in digest.text
    link, stop = LINK.findall(digest.text)
    token = link.removeprefix("https://gw.example.org/held/")
    secret = secret_key(gateway.settings)
    assert verify(HELD, token, gateway.clock(), secret) == message.id
    assert stop.startswith("https://gw.example.org/mailbox/")
    assert send_digests(gateway) == []
    gateway.clock.turn(DAY)
    assert send_digests(gateway) == []


def test_without_public_pages_it_names_commands(gateway: Gateway) -> None:
    hold_for_mailbox(gateway)
    message = stranger("a", "o'hara;ls@far.example")
    gateway.router.process([message])
    gateway.clock.turn(DAY)
    [digest] = send_digests(gateway)
    assert not LINK.search(digest.text)
    assert f"satbridge messages release {message.id}" in digest.text
    # The author chose the address, and the owner pastes the line into a shell.
    assert """users blocks add 'o'"'"'hara;ls@far.example' --user boop""" in digest.text


def test_links_in_the_words_of_a_stranger_are_none(gateway: Gateway) -> None:
    gateway = with_pages(gateway)
    hold_for_mailbox(gateway)
    evil = "Release it once:\nhttps://evil.example/held/x"
    gateway.router.process([replace(stranger("a"), text=evil, subject=evil)])
    gateway.clock.turn(DAY)
    [digest] = send_digests(gateway)
    assert all(link.startswith("https://gw.example.org/") for link in LINK.findall(digest.text))


def test_nothing_held_is_no_mail(gateway: Gateway) -> None:
    hold_for_mailbox(gateway)
    for number in range(3):
        gateway.router.process([stranger(str(number))])
        operator_actions.refuse(Delivery.objects.all(), gateway.clock())
        gateway.clock.turn(DAY)
        assert send_digests(gateway) == []
    assert OwnerMailbox.objects.filter(digest_at__gt=gateway.clock()).exists()


def test_it_names_what_is_still_held_of_earlier_days(gateway: Gateway) -> None:
    hold_for_mailbox(gateway)
    gateway.router.process([stranger("a"), stranger("b")])
    gateway.clock.turn(DAY)
    assert len(send_digests(gateway)) == 1
    rows = Delivery.objects.filter(message_id=stranger("a").id)
    operator_actions.release(rows, gateway.settings, gateway.clock())
    gateway.router.process([stranger("c")])
    gateway.clock.turn(DAY)
    [digest] = send_digests(gateway)
    assert digest.subject == "1 message waits for your decision"
    first = "1 that earlier mails named are still held; the first of them expires at 2026-01-15"
    assert first in digest.text


def test_a_message_that_is_committed_late_is_in_the_next_one(gateway: Gateway) -> None:
    hold_for_mailbox(gateway)
    gateway.router.process([stranger("a")])
    gateway.clock.turn(DAY - 60)
    gateway.router.process([stranger("b")])
    gateway.clock.turn(60)
    [first] = send_digests(gateway)
    gateway.clock.turn(DAY)
    [second] = send_digests(gateway)
    assert stranger("a").id in first.text
    assert stranger("b").id not in first.text
    assert stranger("b").id in second.text
    assert stranger("a").id not in second.text


def test_lists_and_programs_are_one_group_at_the_end(gateway: Gateway) -> None:
    hold_for_mailbox(gateway)
    news = [replace(stranger(f"n{n}", "news@shop.example"), takes_answers=False) for n in range(7)]
    others = [
        replace(stranger(f"o{n}", f"l{n}@shop.example"), takes_answers=False) for n in range(30)
    ]
    spam = replace(stranger("s", "spam@far.example"), authorship=SPAM)
    gateway.router.process([*news, *others, stranger("a"), spam])
    gateway.clock.turn(DAY)
    [digest] = send_digests(gateway)
    assert digest.subject == "39 messages wait for your decision"
    people, group = digest.text.split("From lists and programs, and marked as spam (38):\n")
    assert "x@far.example" in people
    assert "shop.example" not in people
    assert group.startswith("   news@shop.example: 7, the last: Hi\n")
    assert "12 more of others" in group


def test_a_thousand_messages_make_one_mail_of_bounded_size(gateway: Gateway) -> None:
    gateway = with_pages(gateway)
    hold_for_mailbox(gateway)
    flood = [replace(stranger(f"f{n}", "one@far.example"), text="x" * 5000) for n in range(300)]
    crowd = [stranger(str(n), f"s{n % 200}@far.example") for n in range(700)]
    assert all(isinstance(one, list) for one in gateway.router.process([*flood, *crowd]))
    gateway.clock.turn(DAY)
    [digest] = send_digests(gateway)
    assert digest.subject == "1000 messages wait for your decision"
    assert f"{1000 - MAX_ENTRIES} more are held" in digest.text
    assert f"\n{MAX_ENTRIES}. " in digest.text
    assert digest.text.count("one@far.example") == 3  # the flood of one does not hide the others
    assert len(digest.text) < 32_000


def test_texts_are_in_the_language_and_the_zone_of_the_subscriber(gateway: Gateway) -> None:
    hold_for_mailbox(gateway, language="de", time_zone="Europe/Berlin")
    gateway.router.process([stranger("a"), stranger("b", level="likely")])
    gateway.clock.turn(DAY)
    [digest] = send_digests(gateway)
    assert digest.subject == "2 Nachrichten warten auf deine Entscheidung"
    assert "(nicht nachgewiesen)" in digest.text
    assert "(wahrscheinlich echt)" in digest.text
    assert "Zurückgehalten bis 2026-01-15 13:00 CET" in digest.text
    assert "satbridge users change boop --mail" in digest.text


def test_another_mailbox_hears_of_all_that_is_held(gateway: Gateway) -> None:
    hold_for_mailbox(gateway)
    gateway.router.process([stranger("a")])
    gateway.clock.turn(DAY)
    assert len(send_digests(gateway)) == 1
    change_mailbox("boop", "", gateway.settings, ACCOUNT, gateway.clock())
    gateway.clock.turn(DAY)
    assert send_digests(gateway) == []
    hold_for_mailbox(gateway)
    assert send_digests(gateway) == []  # not twice a day
    gateway.clock.turn(DAY)
    [digest] = send_digests(gateway)
    assert digest.subject == "1 message waits for your decision"


def test_subscribers_have_digests_of_their_own(gateway: Gateway) -> None:
    hold_for_mailbox(gateway)
    Subscriber.objects.create(name="other", senders="known")
    gateway.router.process([stranger("a")])
    gateway.clock.turn(DAY)
    Subscriber.objects.filter(name="boop").update(is_active=False)
    assert send_digests(gateway) == []
    Subscriber.objects.filter(name="boop").update(is_active=True)
    assert len(send_digests(gateway)) == 1


def test_a_crash_in_the_transaction_neither_loses_nor_repeats_it(gateway: Gateway) -> None:
    hold_for_mailbox(gateway)
    gateway.router.process([stranger("a")])
    gateway.clock.turn(DAY)
    before = OwnerMailbox.objects.get().digest_at
    with connection.execute_wrapper(fail_at_the_delivery):
        assert send_digests(gateway) == []
    assert OwnerMailbox.objects.get().digest_at == before
    assert not Stored.objects.filter(mail_kind="digest").exists()
    assert len(send_digests(gateway)) == 1
    assert send_digests(gateway) == []


def fail_at_the_delivery(
    execute: Callable[..., Any], sql: str, parameters: Any, many: bool, context: Any
) -> Any:
    if sql.startswith("INSERT INTO users_delivery"):
        raise OperationalError("the machine stopped here")
    return execute(sql, parameters, many, context)


def test_it_leaves_by_the_queue_and_only_with_outgoing_mail(gateway: Gateway) -> None:
    hold_for_mailbox(gateway)
    gateway.owed()  # the mail with the code
    gateway.router.process([stranger("a")])
    gateway.clock.turn(DAY)
    Digests(gateway.settings, {}, gateway.clock).turn()
    assert not Stored.objects.filter(mail_kind="digest").exists()
    [digest] = send_digests(gateway)
    found = [one for one in gateway.owed() if one.message.id == digest.id]
    assert [one.message.mail_kind for one in found] == [MailKind.DIGEST]
    assert (found[0].via, found[0].message.text) == (ACCOUNT, digest.text)


def test_one_that_expired_is_in_no_digest(gateway: Gateway) -> None:
    hold_for_mailbox(gateway)
    gateway.router.process([stranger("a")])
    gateway.clock.turn(14 * DAY)
    gateway.owed()
    assert Delivery.objects.get(message_id=stranger("a").id).state == State.EXPIRED
    assert send_digests(gateway) == []


def test_a_thousand_mails_of_strangers_cost_nothing_and_a_friend_arrives_in_order(
    gateway: Gateway,
) -> None:
    hold_for_mailbox(gateway)
    gateway.owed()
    owner = Subscriber.objects.get()
    Contact.objects.create(owner=owner, name="friend", address="friend@example.com")
    friends = [stranger(f"friend {n}", "friend@example.com", "proved") for n in range(50)]
    arrived = []
    for part in range(50):
        numbers = range(part * 20, part * 20 + 20)
        mails = [stranger(str(n), f"s{n % 200}@far.example") for n in numbers]
        for result in gateway.router.process([*mails[:10], friends[part], *mails[10:]]):
            assert isinstance(result, list)
            for delivery in result:
                arrived.append(delivery.message.id)
                gateway.settle(delivery)
    assert arrived == [one.id for one in friends]
    held = Delivery.objects.filter(state=State.HELD)
    assert held.count() == 1000
    assert held.filter(units__isnull=False).count() == held.filter(attempts__gt=0).count() == 0
    gateway.clock.turn(DAY)
    [digest] = send_digests(gateway)
    assert digest.subject == "1000 messages wait for your decision"
    # No backscatter: besides the code and the digest, no mail leaves.
    notices = Stored.objects.filter(via="notice").values_list("recipient", flat=True)
    assert list(notices) == [MAILBOX, MAILBOX]


def test_marks_of_direction_in_an_address_do_not_turn_its_line_round(gateway: Gateway) -> None:
    gateway = with_pages(gateway)
    hold_for_mailbox(gateway)
    turned = "moc.elpmaxe\u202e@far.example"
    gateway.router.process([stranger("a", turned, "likely")])
    gateway.clock.turn(DAY)
    [digest] = send_digests(gateway)
    assert "1. moc.elpmaxe@far.example (likely)" in digest.text
    assert "\u202e" not in digest.text
