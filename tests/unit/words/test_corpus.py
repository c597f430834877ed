"""The corpus of mails with the wanted own words, and its loader."""

from pathlib import Path

import pytest

from messaging.mail.parse.words import words_of_mail
from tests.support.own_words_corpus import BLIND_CORPUS, CorpusMail, load_corpus, measure


def text_of(data: bytes) -> str:
    return words_of_mail(data).text


def test_finds_the_own_words_of_the_corpus() -> None:
    figures = measure(load_corpus(), text_of)
    assert figures.right_share >= 0.95, figures.wrong
    assert figures.lossy == ()
    assert figures.junk_share <= 0.03


def test_finds_the_own_words_of_the_mails_that_its_authors_had_not_seen() -> None:
    figures = measure(load_corpus(BLIND_CORPUS), text_of)
    assert figures.wrong == ()


def test_spans_cover_the_text_of_each_mail() -> None:
    for mail in (*load_corpus(), *load_corpus(BLIND_CORPUS)):
        split = words_of_mail(mail.data).split
        assert "".join(split.text[span.start : span.end] for span in split.spans) == split.text


def test_loads_pairs_by_name(tmp_path: Path) -> None:
    (tmp_path / "a.eml").write_bytes(b"Subject: x\n\nhi\n")
    (tmp_path / "a.txt").write_text("hi\n", "utf-8")
    (tmp_path / "README.md").write_text("pairs", "utf-8")
    (mail,) = load_corpus(tmp_path)
    assert (mail.name, mail.data, mail.wanted) == ("a", b"Subject: x\n\nhi\n", "hi\n")


def test_a_mail_without_its_pair_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "a.eml").write_bytes(b"\n")
    with pytest.raises(ValueError, match="without its pair: a"):
        load_corpus(tmp_path)


def test_measures_losses_and_junk() -> None:
    mails = [
        CorpusMail("a", b"yes no", "yes"),
        CorpusMail("b", b"yes", "yes at six"),
        CorpusMail("c", b"x", " x\n"),
    ]
    figures = measure(mails, lambda data: data.decode())
    assert (figures.wrong, figures.lossy, figures.junk_bytes) == (("a", "b"), ("b",), 3)


@pytest.mark.parametrize(
    ("text", "is_right"),
    [
        ("> Will you bring the long chain and ...\nYes.", True),
        ("> Will you bring the long chain ...\nYes.", True),
        ("> Will you bring the long chain and the second?\nYes.", True),
        ("> Will you bring the chain and the ...\nYes.", False),
        ("> Will you bring the chain and the second one?\nYes.", False),
        ("> Will you bring the long chain\nYes.", False),
        ("Will you bring the long chain and ...\nYes.", False),
    ],
)
def test_compares_the_beginning_of_a_shortened_line(text: str, is_right: bool) -> None:
    mail = CorpusMail("a", text.encode(), "> Will you bring the long chain and the sec…\nYes.")
    assert (measure([mail], lambda data: data.decode()).wrong == ()) is is_right
