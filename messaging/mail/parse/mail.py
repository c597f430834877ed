"""Reads a mail: bytes to subject and text. Pure, and bounded in time and memory whatever the bytes are."""

import re
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from email.errors import HeaderParseError
from email.header import decode_header
from typing import Final

from messaging.errors import Rejected
from messaging.mail.parse.attachments import kind_of, phrases
from messaging.mail.parse.bodies import ParseBudget, decoded_body, text_of
from messaging.mail.parse.bounce import Report, read_report
from messaging.mail.parse.charsets import decode_text
from messaging.mail.parse.origin import Origin, hops_of, origin_of
from messaging.mail.parse.parts import Part, part_at, part_of
from messaging.mail.text import clean, one_line

MAX_PARTS: Final = 1000
MAX_DEPTH: Final = 30
MAX_SUBJECT_CHARS: Final = 998
_MAX_ENCODED_CHARS: Final = 4000

_READABLE: Final = frozenset(
    ("text/plain", "text/html", "text/markdown", "text/x-markdown", "application/xhtml+xml")
)
_MAILS: Final = frozenset(("message/rfc822", "message/global", "message/news"))
_BETWEEN_BRACKETS: Final = re.compile(r"<([^\s<>@]+@[^\s<>@]+)>")
_BARE_ADDRESS: Final = re.compile(r"[^\s<>()\[\],;:\"\\@]{1,64}@[^\s<>()\[\],;:\"\\@]{1,255}")


@dataclass(frozen=True, slots=True)
class ParsedMail:
    """What a person wants to know of a mail.

    `text` ends with what was left out, in words, also kept in `left_out` ("2 pictures"). `author` is the address in
    From, empty when there is none. `origin` says who wrote it, `hops` how many servers passed it on, `report` what it
    reports when a mail server wrote it. `message_id_header` is as the author's program wrote it.
    """

    subject: str
    text: str
    message_id_header: str | None
    origin: Origin
    hops: int
    report: Report | None
    author: str
    left_out: tuple[str, ...]


def read_mail(data: bytes, max_text_chars: int = 20_000) -> ParsedMail:
    """Read a mail; the text has at most `max_text_chars` characters and then says that it was cut.

    Raises Rejected when there is neither subject nor text nor attachment nor report, and nothing else on any input.
    """
    mail = part_of(data)
    reader = _Reader(ParseBudget(max_text_chars + 1))
    text = clean(reader.read(mail, 0))
    subject = subject_of(mail)
    left_out = tuple(phrases(reader.left_out))
    report = read_report(mail)
    if not (subject or text or left_out or report):
        raise Rejected("the mail has no readable text" if reader.cut else "the mail has no text")
    return ParsedMail(
        subject=subject,
        text=_with_notes(text, max_text_chars, reader.cut, left_out),
        message_id_header=one_line(mail.field(b"message-id"), 998) or None,
        origin=origin_of(mail),
        hops=hops_of(mail),
        report=report,
        author=author_of(mail),
        left_out=left_out,
    )


def subject_of(mail: Part) -> str:
    """Return the subject in plain characters (RFC 2047), on one line."""
    return one_line(_in_plain_words(mail.field(b"subject")), MAX_SUBJECT_CHARS)


def author_of(mail: Part) -> str:
    """Return the address in From, empty when there is none."""
    text = mail.field(b"from")[:2000]
    if match := _BETWEEN_BRACKETS.search(text):
        return one_line(match[1], 320)
    match = _BARE_ADDRESS.search(text)
    return one_line(match[0], 320) if match else ""


def _in_plain_words(value: str) -> str:
    if "=?" not in value:
        return value
    try:
        pieces = decode_header(value[:_MAX_ENCODED_CHARS])
    except (HeaderParseError, ValueError):
        return value
    return "".join(_word(piece, charset) for piece, charset in pieces)


def _word(piece: str | bytes, charset: str | None) -> str:
    if isinstance(piece, str):
        return piece
    if charset is None:
        # The library hands over what stands between encoded words in this form.
        with suppress(UnicodeDecodeError):
            return piece.decode("raw-unicode-escape")
    return decode_text(piece, charset, guess=False)


def _with_notes(text: str, max_chars: int, cut: bool, left_out: tuple[str, ...]) -> str:
    notes = []
    if cut or len(text) > max_chars:
        notes.append(f"[cut after {min(len(text), max_chars)} characters]")
    if left_out:
        *most, last = left_out
        notes.append(f"[{', '.join(most)} and {last} left out]" if most else f"[{last} left out]")
    blocks = [text[:max_chars].rstrip(), "\n".join(notes)]
    return "\n\n".join(block for block in blocks if block)


@dataclass
class _Reader:
    """Reads the parts of one mail and counts what it leaves out."""

    allowance: ParseBudget
    cut: bool = False
    left_out: Counter[str] = field(default_factory=Counter)
    parts: int = 0

    def read(self, part: Part, depth: int) -> str:
        """Return the text of a part and of all in it."""
        self.parts += 1
        content_type = part.content_type
        if self.parts > MAX_PARTS or depth > MAX_DEPTH:
            self.cut = True
            return ""
        if content_type in _MAILS:
            return self._attached_mail(part, depth)
        if content_type.startswith("multipart/"):
            return self._multipart(part, depth)
        if content_type in _READABLE and not part.is_attachment:
            return self._text(part)
        self._leave_out(part)
        return ""

    def _text(self, part: Part) -> str:
        text, more = text_of(part, self.allowance)
        self.cut = self.cut or more
        return text

    def _multipart(self, part: Part, depth: int) -> str:
        children = self._children(part)
        if not children:
            return self._text(part)
        if part.content_type == "multipart/alternative":
            return self._best(children, depth)
        if part.content_type == "multipart/report":
            return self._report(children, depth)
        return _joined([self.read(child, depth + 1) for child in children])

    def _children(self, part: Part) -> list[Part]:
        children: list[Part] = []
        for child in part.children():
            if self.parts + len(children) >= MAX_PARTS:
                self.cut = True
                break
            children.append(child)
        return children

    def _best(self, children: list[Part], depth: int) -> str:
        """Return plain text before anything else, then the richest form (RFC 2046 section 5.1.4: the last)."""
        in_order = [c for c in children if c.content_type == "text/plain"]
        in_order += [c for c in reversed(children) if c.content_type != "text/plain"]
        text = ""
        for child in in_order:
            if text.strip():
                self._count_things(child, depth + 1)
            else:
                text = self.read(child, depth + 1)
        return text

    def _count_things(self, part: Part, depth: int) -> None:
        """Count the files within a form of the text that was not chosen; the form itself is no loss."""
        self.parts += 1
        if depth > MAX_DEPTH or not part.content_type.startswith("multipart/"):
            return
        for child in self._children(part):
            if child.content_type.startswith("multipart/"):
                self._count_things(child, depth + 1)
            elif child.content_type not in _READABLE or child.is_attachment:
                self._leave_out(child)

    def _report(self, children: list[Part], depth: int) -> str:
        """Read what a report says to people (RFC 6522); the returned mail is no news to who wrote it."""
        told = [child for child in children if child.content_type in _READABLE]
        self.left_out["mail"] += sum(child.content_type in _MAILS for child in children)
        told += [child for child in children if child.content_type.startswith("multipart/")]
        return _joined([self.read(child, depth + 1) for child in told])

    def _attached_mail(self, part: Part, depth: int) -> str:
        if part.encoding in ("base64", "quoted-printable"):
            mail = part_of(decoded_body(part))
        else:
            mail = part_at(part.data, part.start, part.end)
        subject, author = subject_of(mail), author_of(mail)
        title = "attached mail" + (f" from {author}" if author else "")
        text = self.read(mail, depth + 1)
        return f"[{title}: {subject}]\n{text}" if subject else f"[{title}]\n{text}"

    def _leave_out(self, part: Part) -> None:
        if kind := kind_of(part.content_type, part.filename):
            self.left_out[kind] += 1


def _joined(texts: list[str]) -> str:
    return "\n\n".join(text for text in texts if text.strip())
