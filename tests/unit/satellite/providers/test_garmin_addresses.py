"""The addresses of inReach messages: one table of examples, and there and back."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messaging.model.message import Address, Network
from messaging.satellite.codecs.protobuf import Undecodable, mailbox
from messaging.satellite.providers.garmin.addresses import recipient, sender_address

DOMAIN = "in.example.org"


@pytest.mark.parametrize(
    ("typed", "region", "expected"),
    [
        ("bob@example.net", None, "bob@example.net"),
        (" Bob@EXAMPLE.net ", None, "Bob@example.net"),
        ("+15551230000", None, "+15551230000"),
        ("+1 (555) 123-0000", None, "+15551230000"),
        ("0015551230000", None, "+15551230000"),
        ("5551230000", "US", "+15551230000"),
        ("15551230000", "US", "+15551230000"),
        ("+4915112345678", "US", "+4915112345678"),
        ("0151 12345678", "DE", "+4915112345678"),
    ],
)
def test_without_a_domain_addresses_are_what_they_are(
    typed: str, region: str | None, expected: str
) -> None:
    network = Network.EMAIL if "@" in expected else Network.SMS
    assert recipient(typed, "", region) == Address(network, expected)


@pytest.mark.parametrize(
    ("typed", "region", "why"),
    [
        ("5551230000", None, "country code"),
        ("911", "US", "only Garmin knows"),
        ("7", None, "only Garmin knows"),
        ("", None, "country code"),
        ("bob", None, "country code"),
        ("@example.net", None, "not a mail address"),
        ("bob@", None, "not a mail address"),
    ],
)
def test_what_is_no_address_says_why(typed: str, region: str | None, why: str) -> None:
    with pytest.raises(Undecodable, match=why):
        recipient(typed, "", region)


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("bob=example.net@in.example.org", "bob@example.net"),
        ("bob=x=example.net@IN.example.org", "bob=x@example.net"),
        ("15551230000@in.example.org", "+15551230000"),
        ("+15551230000@in.example.org", "+15551230000"),
    ],
)
def test_with_a_domain_what_stands_before_it_is_the_address(typed: str, expected: str) -> None:
    found = recipient(typed, DOMAIN, None)
    assert found is not None
    assert found.value == expected


@pytest.mark.parametrize(
    "typed", ["bob@example.net", "+15551230000", "7", "", "@in.example.org", "in.example.org"]
)
def test_with_a_domain_what_is_addressed_elsewhere_is_left_to_garmin(typed: str) -> None:
    assert recipient(typed, DOMAIN, None) is None


@pytest.mark.parametrize("typed", ["bob@in.example.org", "=@in.example.org", "12@in.example.org"])
def test_an_address_without_a_recipient_says_why(typed: str) -> None:
    with pytest.raises(Undecodable):
        recipient(typed, DOMAIN, None)


PHONES = st.integers(min_value=2_000_000_000, max_value=9_999_999_999).map(lambda n: f"+1{n}")
LOCAL_PARTS = st.from_regex(r"[a-z0-9=+_-]{1,20}(\.[a-z0-9]{1,8})?", fullmatch=True)
MAILBOXES = LOCAL_PARTS.map(lambda local: f"{local}@mail.example.net")


@pytest.mark.parametrize("domain", ["", DOMAIN])
@given(st.one_of(PHONES, MAILBOXES))
def test_the_device_answers_to_whom_it_was_shown(domain: str, address: str) -> None:
    network = Network.EMAIL if "@" in address else Network.SMS
    sender = Address(network, mailbox(address) if "@" in address else address)
    assert recipient(sender_address(sender, domain), domain, None) == sender


@given(st.text(), st.sampled_from(["", DOMAIN]), st.sampled_from([None, "US", "DE"]))
def test_no_address_is_too_strange_to_be_refused(
    typed: str, domain: str, region: str | None
) -> None:
    for text in (typed, f"{typed}@{DOMAIN}"):
        with suppress(Undecodable):
            recipient(text, domain, region)


@pytest.mark.parametrize("domain", ["", "boat.example.net"])
def test_a_message_of_the_gateway_itself_comes_from_its_postmaster(domain: str) -> None:
    sender = sender_address(Address(Network.EMAIL, ""), domain)
    assert sender == f"postmaster@{domain or 'localhost'}"
