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


@pytest.mark.parametrize(
    "typed",
    [
        *(
            "@ALICE: hi",
            "＠ａｌｉｃｅ hi",
            "@alice\u3000hi",
            "@alice、hi",
            "@alice，hi",
            "@alice：hi",
            "@alice! hi",
        ),
        *(
            "alice:hi",
            "Alice: hi",
            "To:alice hi",
            "TO: @alice hi",
            "An: alice hi",
            "À : alice hi",
            "Para: alice hi",
        ),
        *(
            "Кому: alice hi",
            "宛先：alice hi",
            "收件人：alice hi",
            "Komu: alice hi",
            "Vastaanottaja: alice hi",
        ),
        *(
            "<@alice> hi",
            "(@alice) hi",
            "[@alice] hi",
            '"@alice" hi',
            "*@alice* hi",
            "@alice> hi",
            "=> @alice hi",
        ),
        *("\ufeff@alice hi", "@\u200balice hi", "\u200e@alice hi", "@alice\u00a0hi"),
        *(
            "<alice@example.net> hi",
            "mailto:alice@example.net hi",
            "alice@example.net:hi",
            "alice@example.net,hi",
        ),
        *(
            "alice＠example.net hi",
            '"alice@example.net" hi',
            "to: <alice@example.net> hi",
            "\u200balice@example.net hi",
        ),
    ],
)
def test_signs_around_a_recipient_do_not_count(typed: str) -> None:
    assert parse_address_line(typed, KNOWN, HOME) == (CONTACTS["alice"], "hi")


@pytest.mark.parametrize(
    "typed",
    [
        *(
            "＋１５５５１２３００００ hi",
            "tel:+15551230000 hi",
            "SMS:+15551230000 hi",
            "<+15551230000> hi",
        ),
        *("\u202a+15551230000\u202c hi", "To: +15551230000 hi", "@bob: hi"),
    ],
)
def test_signs_around_a_number_do_not_count(typed: str) -> None:
    assert parse_address_line(typed, KNOWN, HOME) == (CONTACTS["bob"], "hi")


@pytest.mark.parametrize(
    "typed",
    [
        *(
            "alice@ example.net hi",
            "alice @example.net hi",
            "alice(at)example.net hi",
            "alice [at] example.net hi",
        ),
        *(
            "alice@example,net hi",
            "alice@@example.net hi",
            "(555) 123-0000 hi",
            "0171 123 4567 hi",
            "+1 555 123 0000 hi",
        ),
        *("@alice @bob hi", "@alise hi", "to: nobody hi"),
    ],
)
def test_a_mistyped_address_goes_to_nobody(typed: str) -> None:
    assert isinstance(parse_address_line(typed, KNOWN, HOME), Refusal)


@pytest.mark.parametrize(
    "typed",
    [
        *(
            "A: yes",
            "Do: nothing",
            "Time: 6 pm",
            "2130 0645 UTC",
            "0600 1200 1800 2400 watches",
            "12.5 N 34.2 W",
        ),
        *(
            "60.1234 24.9876 here",
            "@ 6 pm",
            "to you all",
            "alice is here",
            '"Hi" she said',
            "> you?",
            "4 at 5.30",
        ),
    ],
)
def test_words_that_only_resemble_an_address_are_an_answer(typed: str) -> None:
    assert parse_address_line(typed, KNOWN, HOME) == (DORA, typed)


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
        "alice:",
        "To:",
        "<alice@b.org>",
        "->",
        "\u200b",
        "mailto:",
        "(at)",
        "0171",
        "1234567",
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


@pytest.mark.parametrize("sign", ["\u200b", "\u200e", "\ufeff", "\x1a", "\u00ad", "\x02"])
def test_signs_that_cannot_be_seen_change_no_recipient(sign: str) -> None:
    alice = CONTACTS["alice"]
    for typed in (f"{sign}@alice hi", f"@alice{sign} hi", f"{sign} alice: hi", f"@al{sign}ice hi"):
        assert parse_address_line(typed, KNOWN, HOME) == (alice, "hi")


def test_plain_words_name_nobody() -> None:
    for typed in ("10:30 at the pier", "http://x.org see", "To do: buy milk", "to bob we said no"):
        assert parse_address_line(typed, KNOWN, HOME) == (DORA, typed)


@given(TYPED)
def test_only_what_names_nobody_is_an_answer(typed: str) -> None:
    found = parse_address_line(typed, KNOWN, HOME)
    if not isinstance(found, Refusal) and found[0] == DORA:
        assert found[1] == typed.strip()
