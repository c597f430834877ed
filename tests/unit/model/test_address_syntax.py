"""Mailboxes, domains and phone numbers are checked and normalised in one place."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messaging.model.address_syntax import (
    ascii_domain,
    e164,
    mailbox,
    own_mailbox,
    phone_number,
    relay_mailbox,
    sms_address,
    subscriber_name,
)


@pytest.mark.parametrize(
    ("text", "name"),
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
def test_our_mailboxes_are_recognised(text: str, name: str | None) -> None:
    assert own_mailbox(text, "example.org") == name


def test_our_mailboxes_are_recognised_in_both_forms_of_the_domain() -> None:
    assert own_mailbox("boop@xn--mnchen-3ya.example", "münchen.example") == "boop"
    assert own_mailbox("boop@MÜNCHEN.example", "xn--mnchen-3ya.example") == "boop"


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


MAILBOXES = [
    ("alice@example.org", "alice@example.org"),
    ("Alice.B+tag@EXAMPLE.Org", "Alice.B+tag@example.org"),
    ("PostMaster@example.org", "PostMaster@example.org"),
    ("o'neil@example.org", "o'neil@example.org"),
    ("ü@example.org", "ü@example.org"),
    ("a@MÜNCHEN.example", "a@münchen.example"),
    ("a@xn--mnchen-3ya.example", "a@xn--mnchen-3ya.example"),
    ("a@straße.example", "a@straße.example"),
    ("a@localhost", "a@localhost"),
    ("ops@mail.local", "ops@mail.local"),
    ("a@host.test", "a@host.test"),
    ("a@host.invalid", "a@host.invalid"),
    ("a@192.0.2.1", "a@192.0.2.1"),
    (f"{'a' * 64}@example.org", f"{'a' * 64}@example.org"),
]
NOT_TYPED = ["a..b@example.org", "a.@example.org", "a@a_b.example", "a@-b.example"]
NO_MAILBOXES = [
    "",
    "a",
    "a@",
    "@b",
    "a@b c",
    "a@b@c",
    "a\n@b",
    "a@b\0",
    "a@b..example",
    "a@example.org, b@example.org",
    "Alice <alice@example.org>",
    '"a b"@example.org',
    "a@[192.0.2.1]",
    f"{'a' * 65}@example.org",
]


@pytest.mark.parametrize(("text", "normalised"), MAILBOXES)
def test_a_mailbox_keeps_its_local_part(text: str, normalised: str) -> None:
    assert mailbox(text) == normalised
    assert relay_mailbox(text) is not None


@pytest.mark.parametrize("text", [*NO_MAILBOXES, *NOT_TYPED, f"a@{'b' * 64}.org", "x" * 10_000])
def test_a_text_that_is_no_mailbox_is_refused(text: str) -> None:
    assert mailbox(text) is None


@pytest.mark.parametrize("text", NO_MAILBOXES)
def test_a_relay_gets_no_mail_for_what_is_no_mailbox(text: str) -> None:
    assert relay_mailbox(text) is None


@pytest.mark.parametrize("text", NOT_TYPED)
def test_mail_that_came_from_an_odd_address_can_be_answered(text: str) -> None:
    assert relay_mailbox(text) == text


@pytest.mark.parametrize(
    ("domain", "ascii_form"),
    [
        ("Example.ORG.", "example.org"),
        ("MÜNCHEN.example", "xn--mnchen-3ya.example"),
        ("straße.example", "xn--strae-oqa.example"),
        ("ü" * 70, "ü" * 70),
        ("☃.example", "☃.example"),
    ],
)
def test_domains_have_one_ascii_form(domain: str, ascii_form: str) -> None:
    assert ascii_domain(domain) == ascii_form


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("+1 (555) 000-1111", "+15550001111"),
        ("0049 30 901820", "+4930901820"),
        ("+1555000", None),
        ("+1 555 000 1111 ext. 5", None),
        ("+1 800 FLOWERS", None),
        ("555 000 1111", None),
    ],
)
def test_a_typed_number_is_whole_and_has_its_country(text: str, number: str | None) -> None:
    assert phone_number(text) == number


def test_a_number_without_a_country_is_one_of_the_region() -> None:
    assert phone_number("(212) 555-0123", "US") == "+12125550123"


@given(st.text())
def test_any_text_is_read_without_an_exception(text: str) -> None:
    number = e164(text)
    assert number is None or e164(number) == number
    name = subscriber_name(text)
    assert name is None or own_mailbox(f"{name}@example.org", "example.org") == name
    found = mailbox(text)
    assert found is None or mailbox(found) == found
    sent = relay_mailbox(text)
    assert sent is None or relay_mailbox(sent) == sent
    own_mailbox(text, "example.org")


@given(st.from_regex(r"[A-Za-z0-9._+ü\u0301<>\"-]{1,12}@[A-Za-z0-9._üß。-]{1,12}", fullmatch=True))
def test_every_mailbox_that_can_be_typed_can_be_sent_to(text: str) -> None:
    found = mailbox(text)
    if found is not None:
        assert mailbox(found) == found
        assert relay_mailbox(found) is not None


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        ("+15550001111", "+15550001111"),
        (" +1 (555) 000-1111 ", "+15550001111"),
        ("+49 1512 3456789", "+4915123456789"),
        ("+5215512345678", "+5215512345678"),
        ("12345", "12345"),
        ("ACME", "ACME"),
        ("whatsapp:+15550001111", "whatsapp:+15550001111"),
        ("+", "+"),
        ("+999", "+999"),
        ("+1\u0000555 000 1111", "+15550001111"),
        ("", ""),
    ],
)
def test_senders_of_sms_are_normalised(value: str, wanted: str) -> None:
    assert sms_address(value) == wanted


@given(st.text() | st.text("+0123456789 -()."))
def test_any_sender_of_sms_has_a_stable_form_without_nul(value: str) -> None:
    once = sms_address(value)
    assert "\0" not in once
    assert sms_address(once) == once
