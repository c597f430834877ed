"""The mailboxes of subscribers: entered unconfirmed, confirmed once by a code, given up."""

from datetime import timedelta

import pytest

from messaging.model.message import MailKind
from messaging.store.admission.mailboxes import (
    MAX_DAILY_CODES,
    change_mailbox,
    check_mailbox,
    confirm_mailbox,
    without_mailbox,
)
from messaging.store.audit.actor import Actor, acting_as
from messaging.store.console import directory
from messaging.store.console.save import InvalidInput
from messaging.store.models import AuditEntry, OwnerMailbox, Subscriber
from messaging.store.models import Message as Stored
from messaging.store.retention import people
from tests.support.store.mailboxes import (
    ACCOUNT,
    LINK,
    MAILBOX,
    code_of,
    enter_mailbox,
    hold_for_mailbox,
    with_pages,
)
from tests.support.store.records import Gateway


def confirm(gateway: Gateway, code: str) -> bool:
    try:
        confirm_mailbox("boop", code, gateway.settings, gateway.clock())
    except InvalidInput:
        return False
    return True


def test_a_code_confirms_a_mailbox_once(gateway: Gateway) -> None:
    code = code_of(enter_mailbox(gateway))
    [row] = directory.list_subscribers()
    assert (row.mail, row.is_mail_confirmed) == (MAILBOX, False)
    assert not confirm(gateway, "a" * 10)
    assert confirm(gateway, f"{code[:5]}-{code[5:]} ".upper())
    assert not confirm(gateway, code)
    [row] = directory.list_subscribers()
    assert (row.mail, row.is_mail_confirmed) == (MAILBOX, True)


def test_the_mail_with_the_code_leaves_by_the_queue(gateway: Gateway) -> None:
    text = enter_mailbox(gateway)
    [delivery] = gateway.owed()
    assert delivery.message.recipient.value == MAILBOX
    assert delivery.message.sender.value == "MAILER-DAEMON@example.org"
    assert delivery.message.mail_kind is MailKind.CODE
    assert delivery.message.text == text
    assert not LINK.search(text)


def test_with_public_pages_the_mail_has_a_link(gateway: Gateway) -> None:
    assert LINK.findall(enter_mailbox(with_pages(gateway)))[0].startswith(
        "https://gw.example.org/mailbox/"
    )


def test_the_mail_is_in_the_language_of_the_subscriber(gateway: Gateway) -> None:
    Subscriber.objects.update(language="de", time_zone="Europe/Berlin")
    assert "Der Code gilt bis 2026-01-08 13:00 CET." in enter_mailbox(gateway)
    assert Stored.objects.get().subject == "Bestätige dieses Postfach"


def test_a_code_ends_after_seven_days(gateway: Gateway) -> None:
    code = code_of(enter_mailbox(gateway))
    gateway.clock.turn(7 * 86_400)
    assert not confirm(gateway, code)


def test_a_new_code_makes_the_old_one_void(gateway: Gateway) -> None:
    first = code_of(enter_mailbox(gateway))
    gateway.clock.turn(60)
    second = code_of(enter_mailbox(gateway))
    assert not confirm(gateway, first)
    assert confirm(gateway, second)


def test_a_code_is_for_one_address_and_one_subscriber(gateway: Gateway) -> None:
    code = code_of(enter_mailbox(gateway))
    directory.add_subscriber("ann")
    with pytest.raises(InvalidInput):
        confirm_mailbox("ann", code, gateway.settings, gateway.clock())
    enter_mailbox(gateway, "other@home.example")
    assert not confirm(gateway, code)


def test_codes_are_limited_also_by_removal_and_entry(gateway: Gateway) -> None:
    for number in range(MAX_DAILY_CODES):
        enter_mailbox(gateway, f"m{number}@home.example")
        change_mailbox("boop", "", gateway.settings, ACCOUNT, gateway.clock())
    with pytest.raises(InvalidInput, match="try again tomorrow"):
        enter_mailbox(gateway)
    assert Stored.objects.count() == MAX_DAILY_CODES
    gateway.clock.turn(86_400)
    assert confirm(gateway, code_of(enter_mailbox(gateway)))


def test_a_confirmed_mailbox_gets_no_second_code(gateway: Gateway) -> None:
    hold_for_mailbox(gateway)
    done = change_mailbox("boop", MAILBOX, gateway.settings, ACCOUNT, gateway.clock())
    assert done.is_confirmed
    assert Stored.objects.count() == 1


def test_an_empty_address_removes_the_mailbox(gateway: Gateway) -> None:
    hold_for_mailbox(gateway)
    change_mailbox("boop", "", gateway.settings, None, gateway.clock())
    [row] = directory.list_subscribers()
    assert (row.mail, row.is_mail_confirmed) == ("", False)


@pytest.mark.parametrize(
    ("address", "account", "reason"),
    [
        ("+15551230000", ACCOUNT, "is not a mailbox"),
        ("boop@example.org", ACCOUNT, "its mails go to a device"),
        ("other+x@Example.ORG", ACCOUNT, "its mails go to a device"),
        (MAILBOX, None, "SATBRIDGE_RELAY_URL is not set"),
    ],
)
def test_mailboxes_that_can_hear_of_nothing_are_refused(
    address: str, account: str | None, reason: str
) -> None:
    with pytest.raises(InvalidInput, match=reason):
        check_mailbox(address, "example.org", account)


def test_subscribers_without_a_confirmed_mailbox_are_named(gateway: Gateway) -> None:
    assert without_mailbox() == []  # messages of strangers are delivered, none is held
    Subscriber.objects.update(senders="known")
    assert without_mailbox() == ["boop"]
    code = code_of(enter_mailbox(gateway))
    assert without_mailbox() == ["boop"]
    assert confirm(gateway, code)
    assert without_mailbox() == []
    change_mailbox("boop", "new@home.example", gateway.settings, ACCOUNT, gateway.clock())
    assert without_mailbox() == ["boop"]
    directory.change_subscriber("boop", is_active=False)
    assert without_mailbox() == []


def test_the_audit_has_every_change_and_no_address(gateway: Gateway) -> None:
    number = AuditEntry.objects.count()
    with acting_as(lambda: Actor("test", "")):
        hold_for_mailbox(gateway)
    entries = AuditEntry.objects.filter(kind="mailbox").order_by("-id")
    new = list(entries.values_list("action", "fields")[: AuditEntry.objects.count() - number])
    assert [action for action, _ in new] == ["change", "change", "add"]
    assert "confirmed_at" in new[0][1]


def test_export_and_erasure_have_the_mailbox(gateway: Gateway) -> None:
    hold_for_mailbox(gateway)
    exported = people.export("boop")
    assert exported["mailbox"]["address"] == MAILBOX
    people.erase("boop", gateway.clock() + timedelta(days=1))
    assert not OwnerMailbox.objects.exists()
    assert not Stored.objects.exclude(recipient="").exists()
