"""Forwarded mails: with a note of the author, and without one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messaging.words.own_words import own_words
from messaging.words.spans import Mark, MarkedText, SpanKind
from messaging.words.split import split_words

FIELDS = "From: Bob <b@x.example>\nDate: 3 Jun 2024\nSubject: Gale\nTo: Ann <ann@x.example>\n"
SEPARATOR = "---------- Forwarded message ---------\n"
# The header block of each program, and the subject that announces it.
BLOCKS = [
    (f"{SEPARATOR}{FIELDS}\n", ""),
    ("---- Weitergeleitete Nachricht ----\nBetreff: \tSturm\nDatum: \t3.6.24\nVon: \tBob <b@x.example>\n\n", ""),
    ("---------- Message transféré ----------\nDe : Bob <b@x.example>\nDate : 3 juin 2024\nObjet : Gale\n\n", ""),
    ("---------- Mensaje reenviado ---------\nDe: Bob <b@x.example>\nFecha: 3 jun 2024\nAsunto: Gale\n\n", ""),
    ("---------- Пересылаемое сообщение ----------\nОт: Bob <b@x.example>\nДата: 3.6.2024\nТема: Gale\n\n", ""),
    ("---------- 转发的邮件 ----------\n发件人：Bob\n日期：2024-06-03\n主题：Gale\n\n", ""),
    (f"________________________________\n{FIELDS}\n", "Fwd: Gale"),
    (f"{FIELDS}\n", "FW: Gale"),
    ("Von: Bob <b@x.example>\nGesendet: Montag, 3. Juni 2024 10:00\nAn: Ann\nBetreff: Sturm\n\n", "WG: Sturm"),
    ("Da: Bob <b@x.example>\nInviato: lunedì 3 giugno 2024 10:00\nA: Ann\nOggetto: Burrasca\n\n", "I: Burrasca"),
]  # fmt: skip


def text_of(text: str, subject: str = "", author: str = "") -> str:
    words = own_words(MarkedText(text), subject, is_reply=False, author=author)
    assert len(words.split.own) + len(words.split.rest) == len(text)
    return " ".join(words.text.split())


def quote(text: str) -> str:
    return "".join(f"> {line}\n" for line in text.splitlines())


@pytest.mark.parametrize(("block", "subject"), BLOCKS)
def test_a_forward_without_a_note_tells_whose_words_it_has(block: str, subject: str) -> None:
    text = f"{block}Gale 8 at noon.\n"
    origin = next(line for line in block.splitlines() if "Bob" in line)
    whole = " ".join(f"{origin} Gale 8 at noon.".split())
    assert text_of(text, subject) == whole
    assert text_of(f"\n\n\n{text}", subject) == whole
    # Lines that programs and the author's signature put above it are no note.
    assert text_of(f"Sent from my iPhone\n\n{text}", subject) == whole
    assert text_of(f"-- \nAnn Lee\nYard Ltd\n\n{text}", subject) == whole
    assert text_of(f"Ann Lee\nYard Ltd\n+44 1595 000000\n\n{text}", subject, "Ann Lee") == whole


@pytest.mark.parametrize(("block", "subject"), BLOCKS)
@pytest.mark.parametrize(
    "note",
    ["FYI", "See below", "?", "👍", "Bob is right:\n\nAnn", "Call +44 1595 000000", "Ann Lee"],
)
def test_a_note_stands_above_the_forwarded_text_alone(block: str, subject: str, note: str) -> None:
    text = f"{note}\n\n{block}Gale 8 at noon.\n"
    assert text_of(text, subject, "Ann Lee") == f"{' '.join(note.split())} Gale 8 at noon."


def test_reads_the_quoted_header_block_of_apple_mail() -> None:
    block = quote(f"Begin forwarded message:\n\n{FIELDS}\nGale 8 at noon.\n")
    whole = "From: Bob <b@x.example> Gale 8 at noon."
    assert text_of(f"\n\n{block}") == whole
    assert text_of(f"Sent from my iPhone\n\n{block}") == whole
    assert text_of(f"FYI\n\n{block}") == "FYI Gale 8 at noon."


@pytest.mark.parametrize(
    "text",
    [
        f"Yes.\n\n{FIELDS}\nWhen?\n",
        f"Yes.\n\n-----Original Message-----\n{FIELDS}\nWhen?\n",
        f"Yes.\n\n________________________________\n{FIELDS}\nWhen?\n",
        f"Yes.\n\nOn 3 Jun 2024 10:11 Boop <b@sat.example> wrote:\n{quote(SEPARATOR + FIELDS + 'When?')}",
    ],
)
def test_history_is_no_forwarded_mail(text: str) -> None:
    assert text_of(text) == "Yes."


@pytest.mark.parametrize(
    "text",
    [
        "From: Lerwick\nTo: Oban\nOn Friday.",
        "Date: 3 June\nSubject: the anchor",
        "From: the yard\n\nThe mast is ready.",
        "---------- Forwarded message\nis a line that I typed",
        "Begin forwarded message",
        "FW: is a mark of forwarded mails.",
        "From Bob to Ann: come home",
        "Von: Kiel\nAn: Lerwick",
        "I forwarded message 7 to Bob.",
        "Weitergeleitete Nachricht 4 war leer.",
    ],
)
def test_keeps_own_lines_that_look_like_a_header_block(text: str) -> None:
    assert text_of(text) == " ".join(text.split())


def test_the_markup_of_a_header_block_counts_too() -> None:
    block = f"{SEPARATOR}{FIELDS}"
    mark = Mark(SpanKind.ATTRIBUTION, 0, len(block))
    marked = MarkedText(f"{block}\nGale 8.\n", (mark,))
    assert text_of(marked.text) == "From: Bob <b@x.example> Gale 8."


@given(
    st.lists(
        st.sampled_from(
            [
                SEPARATOR,
                FIELDS,
                "Begin forwarded message:\n",
                "> ",
                "\n",
                "FYI\n",
                "-- \n",
                "Ann Lee\n",
            ]
        ),
        max_size=12,
    ).map("".join),
    st.sampled_from(["", "Fwd: x"]),
    st.booleans(),
)
def test_spans_cover_a_forwarded_mail(text: str, subject: str, is_reply: bool) -> None:
    split = split_words(
        MarkedText(text), is_forward=bool(subject), is_reply=is_reply, author="Ann Lee"
    )
    assert "".join(text[span.start : span.end] for span in split.spans) == text
