"""The tables of docs/plain-text.md are true, and whatever is typed is read as somebody or as nobody."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messaging.model.address_syntax import mailbox, phone_number
from messaging.model.message import Address, Network
from messaging.store.accept.address_line import (
    NO_RECIPIENT,
    KnownAddresses,
    parse_address_line,
)
from messaging.store.accept.refusals import Refusal
from tests.support.paths import ROOT

DOCUMENT = (ROOT / "docs/plain-text.md").read_text()
SECTIONS = dict(re.findall(r"^## (.*?)\n(.*?)(?=^## |\Z)", DOCUMENT, re.DOTALL | re.MULTILINE))
DORA = Address(Network.EMAIL, "dora@example.net")
CONTACTS = {
    "alice": Address(Network.EMAIL, "alice@example.net"),
    "bob": Address(Network.SMS, "+15551230000"),
}
KNOWN = KnownAddresses(CONTACTS, DORA)
HOME = "home"


def rows(section: str) -> list[tuple[str, ...]]:
    lines = re.findall(r"^\| `.*\|$", SECTIONS[section], re.MULTILINE)
    return [tuple(cell.replace("↵", "\n") for cell in re.findall("`(.*?)`", row)) for row in lines]


UNDERSTOOD, NOT_UNDERSTOOD = rows("What you type"), rows("What is not understood")


def test_the_tables_are_found() -> None:
    assert len(UNDERSTOOD) >= 15
    assert len(NOT_UNDERSTOOD) >= 8


@pytest.mark.parametrize(("typed", "to", "text"), UNDERSTOOD, ids=lambda cell: repr(cell))
def test_what_is_typed_goes_where_the_document_says(typed: str, to: str, text: str) -> None:
    network = Network.EMAIL if "@" in to else Network.SMS
    assert parse_address_line(typed, KNOWN, HOME) == (Address(network, to), text)


@pytest.mark.parametrize(("typed", "told"), NOT_UNDERSTOOD, ids=lambda cell: repr(cell))
def test_what_is_not_understood_says_why(typed: str, told: str) -> None:
    refusal = parse_address_line(typed, KNOWN, HOME)
    assert isinstance(refusal, Refusal)
    assert f"Not sent: {refusal.reason}" == told


def test_an_answer_needs_somebody_who_wrote() -> None:
    assert parse_address_line("See you", KnownAddresses(CONTACTS), HOME) == NO_RECIPIENT
    assert f"`Not sent: {NO_RECIPIENT.reason}`" in DOCUMENT


@pytest.mark.parametrize("typed", ["", " ", "\n"])
def test_nothing_is_no_answer(typed: str) -> None:
    assert parse_address_line(typed, KNOWN, HOME) == NO_RECIPIENT


def test_a_reason_does_not_quote_a_long_word_whole() -> None:
    refusal = parse_address_line(f"@{'a' * 300} hi", KNOWN, HOME)
    assert isinstance(refusal, Refusal)
    assert len(refusal.reason) < 60


WORDS = st.sampled_from(
    [
        "@alice",
        "@",
        "+15551230000",
        "001",
        "a@b.org",
        "a@b",
        ":",
        "é",
        "\n",
        "5551230000",
        "+1",
        "x",
    ]
)
TYPED = st.one_of(st.text(), st.lists(WORDS | st.text(max_size=4)).map(" ".join))


@given(TYPED, st.sampled_from([KNOWN, KnownAddresses(), KnownAddresses(default=DORA)]))
def test_whatever_is_typed_is_for_somebody_or_refused(typed: str, known: KnownAddresses) -> None:
    found = parse_address_line(typed, known, HOME)
    if isinstance(found, Refusal):
        assert 0 < len(found.reason) < 100
        return
    to, text = found
    assert text
    assert text in typed
    if to not in (*known.contacts.values(), known.default):
        checked = mailbox(to.value) if to.network is Network.EMAIL else phone_number(to.value)
        assert checked == to.value


@given(TYPED)
def test_only_what_names_nobody_is_an_answer(typed: str) -> None:
    found = parse_address_line(typed, KNOWN, HOME)
    if not isinstance(found, Refusal) and found[0] == DORA:
        assert found[1] == typed.strip()
