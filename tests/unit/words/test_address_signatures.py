"""Signatures of the author's address, and words of the author that hold it."""

import pytest

from messaging.words.own_words import own_words
from messaging.words.spans import MarkedText
from messaging.words.split import split_words

ADDRESS = "Ann@Lee.example"


def text_of(text: str) -> str:
    return own_words(MarkedText(text), is_reply=False, author="Ann Lee", address=ADDRESS).text


@pytest.mark.parametrize(
    ("text", "own"),
    [
        ("Wait until noon.\n\nann@lee.example", "Wait until noon."),
        ("Wait until noon.\n\nE-mail: ann@lee.example\n", "Wait until noon."),
        ("OK\n\n\n\nann@lee.example\n", "OK"),
        ("好的，请看。\n\nann@lee.example", "好的，请看。"),
        ("OK, noon\n\nAnn\nann@lee.example", "OK, noon\n\nAnn"),
        ("Noon is fine.\n\nann@lee.example\n+44 20 7946 0011\nLee Ltd", "Noon is fine."),
    ],
)
def test_folds_the_address_of_the_author(text: str, own: str) -> None:
    assert text_of(text) == own


@pytest.mark.parametrize(
    "text",
    [
        "ann@lee.example",
        "Use\n\nann@lee.example",
        "My mailbox is full, use this one.\n\nann@lee.example",
        "My new address.\n\nann@lee.example",
        "From now on:\n\nann@lee.example",
        "The rigger answers fast.\n\nbob@rigging.example",
        "My number changed.\n\n+44 20 7946 0011\nann@lee.example",
        "The pump is here.\n\n+44 20 7946 0011",
        "Bring the parts to\nann@lee.example",
    ],
)
def test_keeps_an_address_that_is_news(text: str) -> None:
    assert text_of(text) == text


def test_takes_linear_time_for_many_addresses() -> None:
    text = "x.\n\n" + "ann@lee.example\n" * 20_000
    assert split_words(MarkedText(text), address=ADDRESS).text == text
