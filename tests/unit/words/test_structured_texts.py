"""The parsers of texts and pages, on texts built as people and programs build them."""

import itertools

from hypothesis import given, settings
from hypothesis import strategies as st

from messaging.words.alphabet import Alphabet, write_plainly
from messaging.words.html import read_html
from messaging.words.invisible import clean, is_invisible, read_controls, remove_invisible
from messaging.words.lines import read_lines, unflow
from messaging.words.own_words import own_words, shorten_question
from messaging.words.placeholders import find_placeholders
from messaging.words.reactions import shorten_reaction
from messaging.words.spans import Mark, MarkedText, SpanKind
from messaging.words.split import split_words
from messaging.words.styles import read_declarations, read_sheets
from messaging.words.subject import lines_to_show, strip_reply_marks, subject_to_show
from tests.support.examples import examples
from tests.support.mail.strategies import PAGES, SENTENCES, SUBJECTS, TEXTS, Page

FEW = settings(max_examples=examples(100), derandomize=True)


@st.composite
def marked_texts(draw: st.DrawFn) -> MarkedText:
    """A text with marks in order, some of which begin within lines."""
    text = draw(TEXTS)
    cuts = sorted(set(draw(st.lists(st.integers(0, len(text)), max_size=8))))
    pairs = itertools.pairwise(cuts)
    kinds = st.sampled_from([kind for kind in SpanKind if kind is not SpanKind.FILE])
    marks = [
        Mark(draw(kinds), start, end, draw(st.integers(0, 3)))
        for start, end in pairs
        if draw(st.booleans())
    ]
    return MarkedText(text, tuple(marks))


@FEW
@given(marked_texts(), st.booleans(), st.booleans())
def test_spans_cover_each_text_in_order(
    marked: MarkedText, is_forward: bool, is_reply: bool
) -> None:
    split = split_words(marked, is_forward=is_forward, is_reply=is_reply)
    assert all(span.start < span.end for span in split.spans)
    assert all(before.end == after.start for before, after in itertools.pairwise(split.spans))
    pieces = [split.text[span.start : span.end] for span in split.spans]
    assert "".join(pieces) == marked.text


@FEW
@given(marked_texts(), SUBJECTS, st.booleans())
def test_own_words_are_words_of_the_text(marked: MarkedText, subject: str, is_reply: bool) -> None:
    words = own_words(marked, subject, is_reply=is_reply)
    questions = sum(span.kind is SpanKind.ANSWERED for span in words.split.spans)
    assert len(words.text) <= len(marked.text) + 8 * questions
    assert words.text == words.text.strip()
    assert remove_invisible(words.text).strip() == words.text
    assert len(words.file_names) >= sum(s.kind is SpanKind.FILE for s in words.split.spans)


@FEW
@given(TEXTS)
def test_a_text_without_folds_stays_when_it_is_read_again(text: str) -> None:
    once = own_words(MarkedText(text))
    again = own_words(MarkedText(once.text))
    if all(span.kind is SpanKind.OWN for span in again.split.spans):
        assert again.text == once.text


OWN = st.lists(
    st.sampled_from(
        [
            "Yes, we are fine.", "Der Anker hält.", "On arrive demain.", "Llegamos mañana.", "Vi kommer i morgon.",
            "Tulemme huomenna.", "Będziemy jutro.", "Мы идём на север.", "Yarın geliyoruz.", "明日着きます。",
            "我们明天到。", "내일 도착해요.", "Wind W 4, sea slight.", "👍",
        ]
    ),
    min_size=1,
    max_size=4,
)  # fmt: skip
HISTORY = st.tuples(
    st.sampled_from(
        [
            "On Fri, 27 Nov 2026 at 15:14, Boop <b@x.example> wrote:", "Am 27.11.26 um 15:14 schrieb Boop:",
            "27.11.2026 15:14, Boop пишет:", "2026年11月27日(金) 15:14 Boop <b@x.example>:",
            "Boop <b@x.example> 于2026年11月27日 15:14写道：", "2026. 11. 27. 15:14, Boop <b@x.example> 작성:",
        ]
    ),
    st.lists(st.sampled_from(["When?", "> Where?", "", "Love, Boop", "> > Why?"]), min_size=1, max_size=5),
)  # fmt: skip
CLIENT_FOOTERS = st.sampled_from(
    [
        "",
        "\n\nSent from my iPhone",
        "\n\nVon meinem iPhone gesendet",
        "\n\niPhoneから送信",
        "\n-- \nAnn",
    ]
)


@FEW
@given(OWN, HISTORY, CLIENT_FOOTERS, st.booleans())
def test_an_answer_above_its_history_is_shown_alone_and_whole(
    own: list[str], history: tuple[str, list[str]], footer: str, is_spaced: bool
) -> None:
    attribution, quoted = history
    gap = "\n\n" if is_spaced else "\n"
    quotation = "\n".join(f"> {line}" for line in ["Hi,", *quoted])
    text = "\n\n".join(own) + footer + f"\n\n{attribution}{gap}{quotation}\n"
    assert own_words(MarkedText(text)).text == "\n\n".join(own)


@FEW
@given(OWN, HISTORY, CLIENT_FOOTERS)
def test_an_answer_below_its_history_is_shown_alone_and_whole(
    own: list[str], history: tuple[str, list[str]], footer: str
) -> None:
    attribution, quoted = history
    quotation = "\n".join(f"> {line}" for line in ["Hi,", *quoted])
    text = f"{attribution}\n\n{quotation}\n\n" + "\n\n".join(own) + footer
    assert own_words(MarkedText(text)).text == "\n\n".join(own)


@FEW
@given(OWN, HISTORY)
def test_answers_between_quoted_lines_are_all_shown(
    own: list[str], history: tuple[str, list[str]]
) -> None:
    blocks = [f"> Question {number}?\n\n{answer}" for number, answer in enumerate(own)]
    text = f"{history[0]}\n" + "\n\n".join(blocks)
    shown = own_words(MarkedText(text)).text
    lines = [line for line in shown.split("\n") if line and not line.startswith("> ")]
    assert lines == own


@FEW
@given(TEXTS)
def test_lines_cover_each_text(text: str) -> None:
    lines = read_lines(MarkedText(text))
    assert "".join(text[line.start : line.end] for line in lines) == text
    assert all(line.depth >= 0 for line in lines)


@FEW
@given(TEXTS, st.booleans())
def test_unflowing_loses_blanks_and_line_ends_alone(text: str, delete_space: bool) -> None:
    text = text.replace("\r", "")
    flowed = unflow(text, delete_space=delete_space)
    assert "".join(flowed.split()).replace(">", "") == "".join(text.split()).replace(">", "")


@FEW
@given(TEXTS)
def test_stand_ins_are_in_order_and_within_lines(text: str) -> None:
    at = 0
    for span in find_placeholders(text):
        assert at <= span.start < span.end <= len(text)
        assert "\n" not in text[span.start : span.end]
        at = span.end


@FEW
@given(st.one_of(TEXTS, st.text()))
def test_cleaning_twice_changes_nothing(text: str) -> None:
    for change in (clean, remove_invisible, read_controls):
        once = change(text)
        assert change(once) == once
    assert is_invisible(text) is (not remove_invisible(text).strip())


@FEW
@given(st.one_of(SENTENCES, st.text()))
def test_plain_characters_are_plain_for_good(text: str) -> None:
    plain = write_plainly(text, Alphabet.PLAIN)
    assert write_plainly(plain, Alphabet.PLAIN) == plain
    assert write_plainly(text, Alphabet.EXACT) == text
    assert write_plainly(text, Alphabet.ASCII).isascii()
    assert len(write_plainly(text, Alphabet.PLAIN, len)) <= len(text)


@FEW
@given(SUBJECTS, st.text(max_size=30), SENTENCES)
def test_a_subject_is_shown_once_or_not_at_all(mark: str, subject: str, text: str) -> None:
    whole = f"{mark}{subject}"
    bare, is_answer = strip_reply_marks(whole)
    assert whole.endswith(bare) or bare in whole
    assert strip_reply_marks(bare) == (bare, False) or len(bare) < len(whole)
    assert subject_to_show(whole, text) in ("", bare)
    assert lines_to_show(whole, text).endswith(text)
    assert not (is_answer and subject_to_show(whole, text))


@FEW
@given(st.sampled_from(("Liked ", "Laughed at ", "👍 to ", "Gefällt ", "")), SENTENCES)
def test_a_reaction_becomes_no_longer(verb: str, text: str) -> None:
    reaction = f"{verb}“{text}”"
    assert len(shorten_reaction(reaction)) <= len(reaction) + 3
    assert shorten_question(text).startswith("> ")
    assert len(shorten_question(text)) <= 50


@FEW
@given(PAGES)
def test_readers_see_the_visible_words_of_a_page_and_no_others(page: Page) -> None:
    marked = read_html(page.markup)
    words = tuple(word for word in marked.text.split() if word.startswith("w"))
    assert words == page.visible
    at = 0
    for mark in marked.marks:
        assert at <= mark.start < mark.end <= len(marked.text)
        at = mark.end


@FEW
@given(
    st.lists(
        st.one_of(
            st.sampled_from(
                [
                    ".a",
                    "{",
                    "}",
                    "@media",
                    "screen",
                    "display:none",
                    ";",
                    ",",
                    "/*",
                    "*/",
                    "[class=a]",
                    "!important",
                ]
            ),
            st.text(max_size=4),
        ),
        max_size=30,
    ).map(" ".join)
)
def test_any_style_is_read(style: str) -> None:
    assert isinstance(read_declarations(style), dict)
    rules = read_sheets([style])
    assert rules.declarations_of("p", "a b", "c", style) is not None
