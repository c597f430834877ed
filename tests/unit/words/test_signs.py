"""A text without signs of folded words is split at once, with the same spans as line by line."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from messaging.mail.parse.header import author_of, display_name_of, subject_of
from messaging.mail.parse.parts import part_of
from messaging.mail.parse.reader import TextReader
from messaging.words import phrases
from messaging.words.footers.author_names import NO_NAMES, names_of
from messaging.words.own_words import is_forward_subject
from messaging.words.signs import choose_signs, may_be_folded
from messaging.words.spans import MarkedText
from messaging.words.split import split_by_lines, split_words
from tests.support.own_words_corpus import BLIND_CORPUS, CORPUS, load_corpus

# Every phrase that a step of the split knows.
TABLES = (
    phrases.ORIGINAL, phrases.FORWARDED, phrases.FORWARD_LINES, phrases.FOOTER_BEGINNINGS, phrases.GET_BEFORE,
    phrases.GET_BEHIND, phrases.CLIENTS, phrases.PLATFORMS, phrases.DEVICES, phrases.FOOTER_APOLOGIES,
    phrases.DISCLAIMER_CORE, phrases.DISCLAIMER_HINTS, phrases.DISCLAIMER_CERTAIN, phrases.PRINT_HINTS,
    phrases.ENVIRONMENT_HINTS, phrases.LIST_FOOTERS, phrases.LIST_FOOTERS_CERTAIN, phrases.LIST_HINTS,
    phrases.LIST_EVIDENCE, phrases.NOTICES_ABOVE, phrases.CLOSINGS, phrases.CONTACT_EVIDENCE, phrases.OFFICES,
    phrases.FIRMS, phrases.REGISTERS, tuple(phrases.WROTE), tuple(phrases.LABELS),
    tuple(begin for begin, _ in phrases.FOOTER_FRAMES), tuple(end for _, end in phrases.FOOTER_FRAMES),
)  # fmt: skip
PHRASES = [phrase for table in TABLES for phrase in table]
SIGNS = (
    "\n", "\n\n", "  ", "\t", ": ", ":\n", "：\n", "> ", "-- \n", "--\n", "—", "-", "=-=", "____", "* ", "•", "\u00ad",
    "\u034f", "\u200d", "\x0b", "\u2028", "\xa0", "[", "]", "(http://x)", "<", "@", "1", "0171 1234567", "10:00",
    "begin 644 x\n", "=ybegin line=1 name=x\n", "Ann", "Ann Example\n", "Dr. ", "Hello", "word " * 120, "x" * 490,
)  # fmt: skip
PIECES = st.one_of(
    st.sampled_from(PHRASES),
    st.sampled_from(PHRASES).map(str.title),
    st.sampled_from(PHRASES).map(lambda phrase: phrase.replace(" ", "\n", 1)),
    st.sampled_from(SIGNS),
    st.text(max_size=12),
)
TEXTS = st.lists(st.tuples(PIECES, st.sampled_from(["", " ", "\n", "\n\n", "  "])), max_size=8).map(
    lambda pieces: "".join(piece + gap for piece, gap in pieces)
)


@pytest.mark.parametrize("folder", [CORPUS, BLIND_CORPUS], ids=lambda folder: folder.name)
def test_the_mails_of_the_corpus_are_split_as_line_by_line(folder: Path) -> None:
    for one in load_corpus(folder):
        mail = part_of(one.data)
        marked = TextReader(20_000).read_mail(mail)
        author = display_name_of(mail, author_of(mail))
        is_forward = is_forward_subject(subject_of(mail))
        split = split_words(marked, is_forward=is_forward, author=author)
        names = names_of(author)
        assert split == split_by_lines(marked, names, is_forward=is_forward, is_reply=True), (
            one.name
        )


@settings(max_examples=400)
@given(TEXTS, st.booleans(), st.booleans(), st.sampled_from(["", "Ann Example", "Example, Ann"]))
def test_a_text_is_split_as_line_by_line(
    text: str, is_forward: bool, is_reply: bool, author: str
) -> None:
    marked = MarkedText(text)
    split = split_words(marked, is_forward=is_forward, is_reply=is_reply, author=author)
    names = names_of(author) if author else NO_NAMES
    assert split == split_by_lines(marked, names, is_forward=is_forward, is_reply=is_reply)


@pytest.mark.parametrize(
    "text",
    [
        "hi\n",
        "Hello Boop,\n\nall is well here. We meet in Horta: call me from there.\n\nLove, Ann\n",
        "Moin,\n\nÄnderung: wir kommen erst um zehn – bis dann 😀\n\nLiebe Grüße\nAnn\n",
        "hello world, this is a text line of some length\n" * 8,
    ],
)
def test_a_plain_text_has_no_sign(text: str) -> None:
    assert not may_be_folded(text, text.casefold())


def test_each_phrase_has_a_sign_without_blanks() -> None:
    table = (*phrases.DISCLAIMER_CERTAIN, *phrases.DISCLAIMER_CORE, *phrases.NOTICES_ABOVE)
    signs = choose_signs(table)
    assert len(signs) < len(table)
    assert not any(" " in sign for sign in signs)
    assert all(any(sign in phrase for sign in signs) for phrase in table)
