"""The text that a device is shown of a mail."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messaging.words.invisible import remove_invisible
from messaging.words.own_words import is_forward_subject, own_words, shorten_question
from messaging.words.spans import MarkedText

FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467"
SCOTLAND = "\U0001f3f4\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f"


def text_of(text: str) -> str:
    return own_words(MarkedText(text)).text


@pytest.mark.parametrize(
    ("text", "visible"),
    [
        ("Gale tonight " + "\u200c\u200b\u200d\u200e\u200f\ufeff " * 150, "Gale tonight"),
        ("a \xa0 \u2003 b", "a b"),
        (FAMILY, FAMILY),
        (SCOTLAND, SCOTLAND),
        ("x" + SCOTLAND[1:], "x"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("a\u200cb", "ab"),
        ("東\u3000西", "東\u3000西"),
        ("soft\u00adhyphen", "softhyphen"),
    ],
)
def test_removes_what_nobody_sees(text: str, visible: str) -> None:
    assert remove_invisible(text) == visible


@given(st.text(max_size=200))
def test_removing_twice_changes_nothing(text: str) -> None:
    once = remove_invisible(text)
    assert remove_invisible(once) == once


def test_shows_interleaved_answers_below_shortened_questions() -> None:
    text = "> Will you bring the long chain and the second anchor on Sunday?\n\nYes.\n\n> When?\n\nAt six.\n"
    assert (
        text_of(text) == "> Will you bring the long chain and the ...\n\nYes.\n\n> When?\n\nAt six."
    )


@pytest.mark.parametrize(
    ("quoted", "short"),
    [
        ("> When?\n", "> When?"),
        ("> > When?\n> > Where?\n", "> When? Where?"),
        ("x" * 100, "> " + "x" * 40 + " ..."),
        (
            "> Hvor mange rugbrød skal I bruge til turen?",
            "> Hvor mange rugbrød skal I bruge til turen?",
        ),
        (
            "> Hvor mange rugbrød skal I bruge til turen dertil?",
            "> Hvor mange rugbrød skal I bruge til ...",
        ),
    ],
)
def test_shortens_questions_between_words(quoted: str, short: str) -> None:
    assert shorten_question(quoted) == short


@pytest.mark.parametrize(
    ("subject", "is_forward"),
    [("Fwd: Gale", True), ("WG: Sturm", True), ("Re: Fwd: x", False), ("Forward!", False)],
)
def test_knows_the_subjects_of_forwarded_mails(subject: str, is_forward: bool) -> None:
    assert is_forward_subject(subject) is is_forward


def test_names_encrypted_text() -> None:
    words = own_words(
        MarkedText("-----BEGIN PGP MESSAGE-----\n\nhQEM\n=abcd\n-----END PGP MESSAGE-----\n")
    )
    assert (words.text, words.encrypted_texts) == ("", 1)


@pytest.mark.parametrize(
    "text",
    [
        "On a " * 20_000,
        "On a\n" * 20_000,
        ">" * 5000 + " x\n",
        "> q\na\n" * 15_000,
        "Sent from my iPhone\n" * 5000,
        "this e-mail is confidential and privileged\n\n" * 2500,
        "From: a@b\n" * 10_000,
        "<http://" * 12_500,
        "[cid:" * 20_000,
        "-----BEGIN PGP MESSAGE-----\n" * 4000,
        "begin 644 a\n" * 9000,
        "-- \n" * 25_000,
        "\n" * 100_000,
    ],
    ids=lambda text: text[:12].strip() or "newlines",
)
def test_takes_bounded_time_for_hostile_text(text: str) -> None:
    start = time.process_time()
    words = own_words(MarkedText(text))
    # An idle machine needs a tenth; a step that is not linear would need minutes.
    assert time.process_time() - start < 10
    assert len(words.split.own) + len(words.split.rest) == len(text)
