"""Parses a mail: its header, its text, and the files that it leaves out. Pure, and bounded in time and memory."""

import re
from collections import Counter
from dataclasses import dataclass
from typing import Final

from messaging.errors import Rejected
from messaging.mail.parse.attachments import describe_counts, kind_of
from messaging.mail.parse.automatic import Origin as Origin
from messaging.mail.parse.automatic import origin_of
from messaging.mail.parse.bounce import DeliveryReport, find_report
from messaging.mail.parse.header import (
    answer_address_of,
    author_of,
    display_name_of,
    signing_name_of,
    subject_of,
)
from messaging.mail.parse.parts import MailPart, part_of
from messaging.mail.parse.reader import InlineReader, TextReader, TooExpensive
from messaging.mail.text import one_line
from messaging.model.invitation import Invitation
from messaging.words.history import points_below
from messaging.words.own_words import OwnWords, own_words
from messaging.words.spans import MarkedText, SpanKind

INLINE_TEXT_LINES: Final = 500  # each is compared with the phrases of programs
# A pattern with a fixed first byte is searched for many times faster than one with `^`.
_RECEIVED: Final = re.compile(rb"\nreceived[ \t]*:", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ParsedMail:
    """The content of a mail, and the fields of its header that decide where it goes.

    `text` is the author's own words, and `whole_text` all of the text with its history and footers. Both end with
    notes on omitted parts, which `left_out` has as well ("2 pictures"). `author` is the address in From, empty when
    there is none or more than one; `answer_address` is that in Reply-To if it is another one. `hops` is the
    number of servers that passed the mail on, `report` the report of a mail server. `message_id_header` is the
    Message-ID as the author's program wrote it. `display_name` is that of the author. `invitation`
    is the one that the texts describe.
    """

    subject: str
    text: str
    whole_text: str
    message_id_header: str | None
    origin: Origin
    hops: int
    report: DeliveryReport | None
    author: str
    answer_address: str
    left_out: tuple[str, ...]
    invitation: Invitation | None = None
    display_name: str = ""


def read_mail(data: bytes, max_text_chars: int = 20_000, *, is_inline: bool = False) -> ParsedMail:
    """Parse a mail; its texts have at most `max_text_chars` characters, and a note if they were cut.

    Raises Rejected for a mail without subject, text, attachment and report, and nothing else on any input; with
    `is_inline` raises TooExpensive for a mail of much HTML or of many lines.
    """
    mail = part_of(data)
    subject = subject_of(mail)
    author = author_of(mail)
    name = display_name_of(mail, author)
    signing = signing_name_of(author, name)
    reader, words = read_words(
        mail, subject, max_text_chars, author=signing, address=author, is_inline=is_inline
    )
    whole = words.whole_text
    report = find_report(mail, subject)
    kinds = [kind_of("", name) or "document" for name in words.file_names]
    kinds += ["encrypted text"] * words.encrypted_texts
    left_out = whole_left_out = describe_counts(reader.left_out)
    if kinds:
        left_out = describe_counts(Counter(reader.left_out) + Counter(kinds))
    if not (subject or whole or left_out or report):
        raise Rejected("the mail has no readable text" if reader.cut else "the mail has no text")
    spans = words.split.spans
    cut_note = f"[cut after {len(words.split.text)} characters]" if reader.cut else ""
    # The cut takes nothing from the author's own words where it falls into the history.
    is_own_cut = not spans or spans[-1].kind is SpanKind.OWN
    return ParsedMail(
        subject=subject,
        text=_with_notes(words.text, cut_note if is_own_cut else "", left_out),
        whole_text=_with_notes(whole, cut_note, whole_left_out),
        message_id_header=one_line(mail.field(b"message-id"), 998) or None,
        origin=origin_of(mail, subject),
        hops=len(_RECEIVED.findall(b"\n" + mail.data[: mail.start])),  # RFC 5321 section 6.3
        report=report,
        author=author,
        answer_address=answer_address_of(mail, author),
        left_out=left_out,
        invitation=reader.invitation,
        display_name=name,
    )


def read_words(
    mail: MailPart,
    subject: str,
    max_text_chars: int,
    *,
    author: str,
    address: str = "",
    is_inline: bool = False,
) -> tuple[TextReader, OwnWords]:
    """Return the own words of a mail by `author` at `address`, and the reader with the counts of the omitted parts."""
    make_reader = InlineReader if is_inline else TextReader
    reader = make_reader(max_text_chars + 1)
    marked = reader.read_mail(mail)
    # Only the HTML tells answers in colour from the history that they stand in.
    may_have_html = reader.parts > 1 and not reader.has_html
    if may_have_html and points_below(marked.text[:2000].split("\n")):
        rich = make_reader(max_text_chars + 1, prefers_html=True)
        rich_text = rich.read_mail(mail)
        if rich.has_html and rich_text.text.strip():
            reader, marked = rich, rich_text
    if len(marked.text) > max_text_chars:
        reader.cut = True
        marked = MarkedText(marked.text[:max_text_chars], marked.marks)
    if is_inline and marked.text.count("\n") > INLINE_TEXT_LINES:
        raise TooExpensive
    is_reply = b"in-reply-to" in mail.fields or b"references" in mail.fields
    return reader, own_words(
        marked,
        subject,
        is_reply=is_reply,
        author=author,
        address=address,
        has_files=bool(reader.left_out),
    )


def _with_notes(text: str, cut_note: str, left_out: tuple[str, ...]) -> str:
    if not cut_note and not left_out:
        return text.rstrip()
    notes = [cut_note] if cut_note else []
    if left_out:
        *others, last = left_out
        listing = f"{', '.join(others)} and {last}" if others else last
        notes.append(f"[{listing} left out]")
    blocks = [text.rstrip(), "\n".join(notes)]
    return "\n\n".join(block for block in blocks if block)
