"""Mailboxes and numbers are compared the way people mean them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messaging.store.addresses import e164, is_mailbox, own_mailbox, subscriber_name


@pytest.mark.parametrize(
    ("mailbox", "name"),
    [
        ("boop@example.org", "boop"),
        ("BOOP@EXAMPLE.ORG", "boop"),
        ("boop+weather@example.org", "boop"),
        ("boop@example.org.", "boop"),
        ('"boop"@example.org', "boop"),
        ("boop@example.com", None),
        ("boop@mail.example.org", None),
        ("boop", None),
        ("", None),
        ("@example.org", ""),
        ("a@b@example.org", "a@b"),
    ],
)
def test_our_mailboxes_are_recognised(mailbox: str, name: str | None) -> None:
    assert own_mailbox(mailbox, "example.org") == name


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("+15550001111", "+15550001111"),
        ("+1 555 000-1111", "+15550001111"),
        ("+49 (30) 901820", "+4930901820"),
        ("15550001111", None),
        ("STOP", None),
        ("", None),
        ("+", None),
        ("+1", None),
        ("+123456789012345678901", None),
    ],
)
def test_numbers_are_brought_into_one_form(text: str, number: str | None) -> None:
    assert e164(text) == number


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Boop", "boop"),
        (" o'neil ", "o'neil"),
        ("first.last", "first.last"),
        ("boop+x", None),
        ("a b", None),
        ("a@b", None),
        (".a", None),
        ("ünï", None),
        ("", None),
        ("a" * 64, "a" * 64),
        ("a" * 65, None),
    ],
)
def test_a_name_is_what_may_stand_before_the_at(text: str, name: str | None) -> None:
    assert subscriber_name(text) == name


@given(st.text())
def test_any_text_is_read_without_an_exception(text: str) -> None:
    number = e164(text)
    assert number is None or e164(number) == number
    name = subscriber_name(text)
    assert name is None or own_mailbox(f"{name}@example.org", "example.org") == name
    assert is_mailbox(text) in (True, False)
    own_mailbox(text, "example.org")


@pytest.mark.parametrize("text", ["a@b c", "a@b@c", "a\n@b", "a@", "@b", "a"])
def test_what_mail_cannot_be_addressed_to_is_no_mailbox(text: str) -> None:
    assert not is_mailbox(text)
