"""An envelope sender names its delivery, is short, and cannot be made by others."""

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messaging.errors import ConfigurationError
from messaging.mail.bounce_addresses import BounceAddresses
from messaging.mail.message_ids import Reference


def secret() -> str:
    return "a secret of this gateway"


def no_secret() -> str:
    raise ConfigurationError("no folder for it")


ADDRESSES = BounceAddresses(secret)
OTHER = BounceAddresses(lambda: "another secret")
MESSAGE = "0123456789abcdef" * 2


def sub_address(address: str) -> str:
    return address.partition("@")[0].partition("+")[2]


@given(st.binary(min_size=16, max_size=16), st.integers(0, 2**63 - 1))
def test_an_address_names_its_delivery(message: bytes, delivery: int) -> None:
    reference = Reference(message.hex(), delivery)
    address = ADDRESSES.make("boop@example.org", reference)
    assert address.startswith("boop+b.")
    assert address.endswith("@example.org")
    assert address == address.lower()
    assert len(address.partition("@")[0]) <= 64
    assert ADDRESSES.read(sub_address(address)) == reference
    assert OTHER.read(sub_address(address)) is None
    assert pickle.loads(pickle.dumps(ADDRESSES)).read(sub_address(address)) == reference


@given(st.text(max_size=80) | st.text("abcdefghijklmnopqrstuvwxyz234567", max_size=80))
def test_any_other_sub_address_names_none(text: str) -> None:
    assert ADDRESSES.read(text) is None
    assert ADDRESSES.read(f"b.{text}") is None


def test_a_changed_address_names_none() -> None:
    token = sub_address(ADDRESSES.make("boop@example.org", Reference(MESSAGE, 7)))
    for place in range(2, len(token) - 1):
        changed = "a" if token[place] != "a" else "b"
        assert ADDRESSES.read(token[:place] + changed + token[place + 1 :]) is None


@pytest.mark.parametrize(
    "mailbox",
    [
        "boop+spare@example.org",
        '"a b"@example.org',
        "b\u00f6p@example.org",
        f"{'b' * 40}@example.org",
    ],
)
def test_a_mailbox_without_room_for_it_stays(mailbox: str) -> None:
    assert ADDRESSES.make(mailbox, Reference(MESSAGE, 7)) == mailbox


def test_without_a_key_the_mailbox_stays_and_nothing_is_named() -> None:
    addresses = BounceAddresses(no_secret)
    assert addresses.make("boop@example.org", Reference(MESSAGE, 7)) == "boop@example.org"
    token = sub_address(ADDRESSES.make("boop@example.org", Reference(MESSAGE, 7)))
    assert addresses.read(token) is None
