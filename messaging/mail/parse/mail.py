"""Parses a mail: its header, its text, and the files that it leaves out. Pure, and bounded in time and memory."""

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from messaging.errors import Rejected
from messaging.mail.parse.attachments import describe_counts, kind_of
from messaging.mail.parse.bounce import DeliveryReport, read_report
from messaging.mail.parse.fields import decode_words
from messaging.mail.parse.html import html_to_text, without_long_tags
from messaging.mail.parse.parts import MailPart, part_at, part_of
from messaging.mail.text import clean, decode_text, one_line
from messaging.words.spans import MarkedText, join_marked

MAX_PARTS: Final = 100
MAX_DEPTH: Final = 30
MAX_SUBJECT_CHARS: Final = 998
MAX_HTML_CHARS: Final = 300_000
MAX_HTML_TAGS: Final = 10_000
MAX_RAW_BYTES: Final = 4_000_000
MAX_SCANNED_BYTES: Final = 100_000_000
MAX_GUESSES: Final = 4
_MAX_ENCODED_CHARS: Final = 4000
# Four bytes of UTF-8, each encoded as `=F0`, with room for soft line ends.
_BYTES_PER_CHAR: Final = 16

_HTML: Final = frozenset(("text/html", "application/xhtml+xml"))
_READABLE: Final = _HTML | {"text/plain", "text/markdown", "text/x-markdown"}
_MAILS: Final = frozenset(("message/rfc822", "message/global", "message/news"))
_BETWEEN_BRACKETS: Final = re.compile(r"<([^\s<>@]+@[^\s<>@]+)>")
_BARE_ADDRESS: Final = re.compile(r"[^\s<>()\[\],;:\"\\@]{1,64}@[^\s<>()\[\],;:\"\\@]{1,255}")
_RECEIVED: Final = re.compile(rb"^received[ \t]*:", re.IGNORECASE | re.MULTILINE)
_KEYWORD_END: Final = re.compile(r"[;(\s]")  # a comment or parameters may follow
_ANSWER_FIELDS: Final = (b"x-autoreply", b"x-autorespond", b"x-autoresponder", b"x-auto-reply")
_LIST_FIELDS: Final = (b"list-id", b"list-unsubscribe")
_BULK: Final = frozenset(("bulk", "list", "junk"))


class Origin(Enum):
    """The kind of author of a mail."""

    HUMAN = "human"
    LIST = "list"
    MACHINE = "machine"
    ANSWER = "answer"
    """A machine that answers another mail: a holiday notice, a receipt, a bounce."""


@dataclass(frozen=True, slots=True)
class ParsedMail:
    """The content of a mail, and the fields of its header that decide where it goes.

    `text` ends with notes on omitted parts, which `left_out` has as well ("2 pictures"). `author` is the address in
    From, empty when there is none. `hops` is the number of servers that passed the mail on, `report` the report of a
    mail server. `message_id_header` is the Message-ID as the author's program wrote it.
    """

    subject: str
    text: str
    message_id_header: str | None
    origin: Origin
    hops: int
    report: DeliveryReport | None
    author: str
    left_out: tuple[str, ...]


def read_mail(data: bytes, max_text_chars: int = 20_000) -> ParsedMail:
    """Parse a mail; the text has at most `max_text_chars` characters, and a note if it was cut.

    Raises Rejected for a mail without subject, text, attachment and report, and nothing else on any input.
    """
    mail = part_of(data)
    reader = TextReader(max_text_chars + 1)
    text = clean(reader.read(mail, 0).text)
    subject = subject_of(mail)
    left_out = tuple(describe_counts(reader.left_out)) if reader.left_out else ()
    report = read_report(mail) if mail.content_type == "multipart/report" else None
    if not (subject or text or left_out or report):
        raise Rejected("the mail has no readable text" if reader.cut else "the mail has no text")
    notes = []
    if reader.cut or len(text) > max_text_chars:
        notes.append(f"[cut after {min(len(text), max_text_chars)} characters]")
    if left_out:
        *others, last = left_out
        listing = f"{', '.join(others)} and {last}" if others else last
        notes.append(f"[{listing} left out]")
    blocks = [text[:max_text_chars].rstrip(), "\n".join(notes)]
    return ParsedMail(
        subject=subject,
        text="\n\n".join(block for block in blocks if block),
        message_id_header=one_line(mail.field(b"message-id"), 998) or None,
        origin=origin_of(mail),
        hops=len(_RECEIVED.findall(mail.data, 0, mail.start)),  # RFC 5321 section 6.3
        report=report,
        author=author_of(mail),
        left_out=left_out,
    )


def subject_of(mail: MailPart) -> str:
    """Return the subject on one line, with its encoded words decoded (RFC 2047)."""
    subject = mail.field(b"subject")
    if "=?" in subject:
        subject = decode_words(subject[:_MAX_ENCODED_CHARS])
    return one_line(subject, MAX_SUBJECT_CHARS)


def author_of(mail: MailPart) -> str:
    """Return the address in From, empty when there is none."""
    text = mail.field(b"from")[:2000]
    if match := _BETWEEN_BRACKETS.search(text):
        return one_line(match[1], 320)
    match = _BARE_ADDRESS.search(text)
    return one_line(match[0], 320) if match else ""


def origin_of(mail: MailPart) -> Origin:
    """Return the origin that the header declares (RFC 3834, RFC 2919, and common fields without an RFC)."""
    submitted = _KEYWORD_END.split(mail.field(b"auto-submitted").lower(), maxsplit=1)[0]
    precedence = _KEYWORD_END.split(mail.field(b"precedence").lower(), maxsplit=1)[0]
    if (
        submitted == "auto-replied"
        or mail.content_type == "multipart/report"
        or precedence in ("auto_reply", "auto-reply")
        or any(name in mail.fields for name in _ANSWER_FIELDS)
    ):
        return Origin.ANSWER
    if submitted not in ("", "no"):
        return Origin.MACHINE
    if precedence in _BULK or any(name in mail.fields for name in _LIST_FIELDS):
        return Origin.LIST
    return Origin.HUMAN


def _read_html_unmarked(markup: str) -> MarkedText:
    return MarkedText(html_to_text(markup))


_NO_TEXT: Final = MarkedText("")


@dataclass
class TextReader:
    """Reads the text of one mail, and counts the parts that it leaves out. `read_html` converts HTML.

    The budgets hold for the whole mail, so that many parts cost no more than one. `raw_bytes` are those that are
    decoded, `scanned_bytes` those that are searched for boundaries, once for each multipart around them.
    """

    plain_chars: int
    read_html: Callable[[str], MarkedText] = _read_html_unmarked
    html_chars: int = MAX_HTML_CHARS
    html_tags: int = MAX_HTML_TAGS
    raw_bytes: int = MAX_RAW_BYTES
    scanned_bytes: int = MAX_SCANNED_BYTES
    guesses: int = MAX_GUESSES
    parts: int = 0
    cut: bool = False
    left_out: Counter[str] = field(default_factory=Counter)

    def read(self, part: MailPart, depth: int) -> MarkedText:
        """Return the text of a part and of all parts in it."""
        self.parts += 1
        content_type = part.content_type
        if self.parts > MAX_PARTS or depth > MAX_DEPTH:
            self.cut = True
            return _NO_TEXT
        if content_type in _MAILS:
            return self._read_attached_mail(part, depth)
        if content_type.startswith("multipart/"):
            return self._read_multipart(part, depth)
        if content_type in _READABLE and not part.is_attachment:
            return self._read_text(part)
        self._leave_out(part)
        return _NO_TEXT

    def _read_text(self, part: MailPart) -> MarkedText:
        is_html = part.content_type in _HTML
        room = self.html_chars if is_html else self.plain_chars
        size = part.end - part.start
        count = min(size, max(0, min(self.raw_bytes, room * _BYTES_PER_CHAR)))
        self.raw_bytes -= count
        data = part.body(count)
        if not data.isascii():
            self.guesses -= 1
        text = decode_text(data, part.parameter("charset"), guess=self.guesses >= 0)
        if is_html:
            text = without_long_tags(text)
        self.cut = self.cut or count < size or len(text) > room
        text = text[:room]
        if is_html:
            self.html_chars -= len(text)
            marked = self.read_html(self._limit_tags(text))
        else:
            marked = MarkedText(text.replace("\r\n", "\n").replace("\r", "\n"))
        self.plain_chars -= len(marked.text)
        return marked

    def _limit_tags(self, markup: str) -> str:
        count = markup.count("<")
        if count > self.html_tags:
            self.cut = True
            markup = "<".join(markup.split("<", self.html_tags + 1)[: self.html_tags + 1])
        self.html_tags -= min(count, self.html_tags)
        return markup

    def _read_multipart(self, part: MailPart, depth: int) -> MarkedText:
        children = self._children(part)
        if not children:
            return self._read_text(part)
        if part.content_type == "multipart/alternative":
            return self._read_best(children, depth)
        if part.content_type == "multipart/report":
            # The text for people (RFC 6522); the author knows the mail that was sent back.
            self.left_out["mail"] += sum(child.content_type in _MAILS for child in children)
            readable = [child for child in children if child.content_type in _READABLE]
            nested = [child for child in children if child.content_type.startswith("multipart/")]
            children = readable + nested
        texts = [self.read(child, depth + 1) for child in children]
        return join_marked([marked for marked in texts if marked.text.strip()], "\n\n")

    def _children(self, part: MailPart) -> list[MailPart]:
        children: list[MailPart] = []
        self.scanned_bytes -= part.end - part.start
        if self.scanned_bytes < 0:
            self.cut = True
            return children
        for child in part.children():
            if self.parts + len(children) >= MAX_PARTS:
                self.cut = True
                break
            children.append(child)
        return children

    def _read_best(self, children: list[MailPart], depth: int) -> MarkedText:
        """Return plain text if there is any, else the richest form (the last one, RFC 2046 section 5.1.4)."""
        in_order = [c for c in children if c.content_type == "text/plain"]
        in_order += [c for c in reversed(children) if c.content_type != "text/plain"]
        marked = _NO_TEXT
        for child in in_order:
            if marked.text.strip():
                self._count_files(child, depth + 1)
            else:
                marked = self.read(child, depth + 1)
        return marked

    def _count_files(self, part: MailPart, depth: int) -> None:
        """Count the files within a form of the text that was not chosen, but not the form itself."""
        self.parts += 1
        if depth > MAX_DEPTH or not part.content_type.startswith("multipart/"):
            return
        for child in self._children(part):
            if child.content_type.startswith("multipart/"):
                self._count_files(child, depth + 1)
            elif child.content_type not in _READABLE or child.is_attachment:
                self._leave_out(child)

    def _read_attached_mail(self, part: MailPart, depth: int) -> MarkedText:
        if part.encoding in ("base64", "quoted-printable"):
            size = part.end - part.start
            count = min(size, max(0, self.raw_bytes))
            self.raw_bytes -= count
            self.cut = self.cut or count < size
            mail = part_of(part.body(count))
        else:
            mail = part_at(part.data, part.start, part.end)
        subject, author = subject_of(mail), author_of(mail)
        title = "attached mail" + (f" from {author}" if author else "")
        heading = MarkedText(f"[{title}: {subject}]" if subject else f"[{title}]")
        return join_marked([heading, self.read(mail, depth + 1)], "\n")

    def _leave_out(self, part: MailPart) -> None:
        if kind := kind_of(part.content_type, part.filename):
            self.left_out[kind] += 1
