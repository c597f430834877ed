"""Reads the text of a mail from its parts, and counts the parts that it leaves out. Pure, within budgets."""

import re
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Final

from messaging.mail.parse.attachments import kind_of
from messaging.mail.parse.calendar import read_invitation
from messaging.mail.parse.header import author_of, subject_of
from messaging.mail.parse.parts import MailPart, part_at, part_of
from messaging.mail.parse.smime import extract_content
from messaging.mail.parse.tnef import TnefContent, read_tnef
from messaging.mail.text import decode_text
from messaging.model.invitation import Invitation
from messaging.words.device.invitation import describe, is_told_by
from messaging.words.html import read_html
from messaging.words.invisible import is_invisible
from messaging.words.lines import unflow
from messaging.words.phrases import POINTERS_TO_HTML, SIGNS_OF_POINTERS_TO_HTML
from messaging.words.spans import MarkedText, join_marked

MAX_PARTS: Final = 100
MAX_DEPTH: Final = 30
MAX_HTML_CHARS: Final = 300_000
MAX_HTML_TAGS: Final = 10_000
MAX_RAW_BYTES: Final = 4_000_000
MAX_SCANNED_BYTES: Final = 100_000_000
MAX_GUESSES: Final = 4
MAX_POINTER_CHARS: Final = 400
MAX_LOGO_BYTES: Final = 20_000
MAX_SPARE_PARTS: Final = 5
# Four bytes of UTF-8, each encoded as `=F0`, with room for soft line ends.
_BYTES_PER_CHAR: Final = 16

_HTML: Final = frozenset(("text/html", "application/xhtml+xml", "text/enriched", "text/richtext"))
# Any other text is read as plain: programs make up types.
_NOT_READ: Final = frozenset(
    ("text/calendar", "text/vcard", "text/x-vcard", "text/directory", "text/rtf", "text/css",
     "text/rfc822-headers", "text/x-amp-html", "text/watch-html", "text/x-moz-deleted")
)  # fmt: skip
# Forms of a text for some programs, beside the form for all others.
_FOR_SOME_PROGRAMS: Final = frozenset(("text/x-amp-html", "text/watch-html"))
_MAILS: Final = frozenset(("message/rfc822", "message/global", "message/news"))
_CALENDARS: Final = frozenset(("text/calendar", "application/ics"))
_SMIME: Final = frozenset(("application/pkcs7-mime", "application/x-pkcs7-mime"))
_TNEF: Final = frozenset(("application/ms-tnef", "application/vnd.ms-tnef"))
_LONG_TAG: Final = re.compile(r"<[^<>]{2000,}>")
_META_CHARSET: Final = re.compile(
    rb"<meta[^<>]{0,200}charset\s*=\s*[\"']?\s*([\w.:-]{1,40})", re.IGNORECASE
)
_META_BYTES: Final = 4096
# A page under the label of plain text, and plain text under that of a page.
_PAGE: Final = re.compile(
    r"\s*(?:<\?xml[^<>]{0,200}>\s*)?<(?:!doctype html|html)[\s>]", re.IGNORECASE
)
_MARKUP: Final = re.compile(r"<[a-z!/]|&[a-z#]", re.IGNORECASE)
_ENRICHED: Final = frozenset(("text/enriched", "text/richtext"))
_ENRICHED_PARAMETER: Final = re.compile(r"<param>[^<>]{0,200}</param>", re.IGNORECASE)
# The names of texts that programs attach as bytes of any kind.
_TEXT_NAMES: Final = (".txt", ".text")
_NO_TEXT: Final = MarkedText("")


# The most that is read of a mail within an event loop; at these limits HTML takes 9 ms.
INLINE_HTML_CHARS: Final = 8 * 1024
INLINE_HTML_TAGS: Final = 400
INLINE_SCANNED_BYTES: Final = 256 * 1024


class TooExpensive(Exception):
    """A mail may take longer to parse than an event loop can wait."""


def is_readable(content_type: str) -> bool:
    """Whether a part of this type is text for people."""
    is_text = content_type.startswith("text/") and content_type not in _NOT_READ
    return is_text or content_type in _HTML


@dataclass
class TextReader:
    """Reads the text of one mail, and counts the parts that it leaves out.

    The budgets hold for the whole mail, so that many parts cost no more than one. `raw_bytes` are those that are
    decoded, `scanned_bytes` those that are searched for boundaries, once for each multipart around them. With
    `prefers_html` the HTML is read where there is a plain text too. `invitation` is the one that the text describes.
    """

    plain_chars: int
    prefers_html: bool = False
    html_chars: int = MAX_HTML_CHARS
    html_tags: int = MAX_HTML_TAGS
    raw_bytes: int = MAX_RAW_BYTES
    scanned_bytes: int = MAX_SCANNED_BYTES
    guesses: int = MAX_GUESSES
    parts: int = 0
    cut: bool = False
    has_html: bool = False
    invitation: Invitation | None = None
    left_out: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))
    spare_parts: list[MailPart] = field(default_factory=list)
    calendars: list[MailPart] = field(default_factory=list)
    outlook_files: list[TnefContent | None] = field(default_factory=list)

    def read_mail(self, mail: MailPart) -> MarkedText:
        """Return the text of a mail; that of its attachments when it has no other."""
        marked = self.read(mail, 0)
        if is_invisible(marked.text):
            # Some programs attach the message itself.
            texts = [self._read_text(part) for part in self.spare_parts[:MAX_SPARE_PARTS]]
            marked = join_marked([one for one in texts if not is_invisible(one.text)], "\n\n")
            others = self.spare_parts[MAX_SPARE_PARTS:]
        else:
            others = self.spare_parts
        for part in others:
            self._leave_out(part)
        return self._add_invitations(self._add_outlook_text(marked))

    def read(self, part: MailPart, depth: int) -> MarkedText:
        """Return the text of a part and of all parts in it."""
        self.parts += 1
        content_type = part.content_type
        if self.parts > MAX_PARTS or depth > MAX_DEPTH:
            self._note_cut()
            return _NO_TEXT
        if content_type in _MAILS:
            return self._read_attached_mail(part, depth)
        if content_type == "multipart/encrypted":
            self.left_out["encrypted text"] += 1
            return _NO_TEXT
        if content_type.startswith("multipart/"):
            return self._read_multipart(part, depth)
        if content_type in _SMIME or part.filename.lower() == "smime.p7m":
            return self._read_signed(part, depth)
        if is_readable(content_type):
            if part.is_attachment:
                self.spare_parts.append(part)
                return _NO_TEXT
            # Scripts name the type of one part for the whole.
            if part.parameter("boundary") and (children := self._children(part)):
                return self._read_all(children, depth)
            return self._read_text(part)
        self._put_aside(part)
        return _NO_TEXT

    def _put_aside(self, part: MailPart) -> None:
        """Keep a part that may be read later, and count any other."""
        name = part.filename.lower()
        if part.content_type in _CALENDARS or name.endswith(".ics"):
            self.calendars.append(part)
        elif part.content_type in _TNEF or name == "winmail.dat":
            self.outlook_files.append(read_tnef(part.body(self._take_bytes(part, MAX_RAW_BYTES))))
        elif part.content_type == "application/octet-stream" and name.endswith(_TEXT_NAMES):
            self.spare_parts.append(part)
        elif part.content_type not in _FOR_SOME_PROGRAMS:
            self._leave_out(part)

    def _take_bytes(self, part: MailPart, most: int) -> int:
        """Take bytes of a part from the budget; return how many."""
        size = part.end - part.start
        count = min(size, max(0, min(self.raw_bytes, most)))
        self.raw_bytes -= count
        if count < size:
            self._note_cut()
        return count

    def _read_text(self, part: MailPart) -> MarkedText:
        is_html = part.content_type in _HTML
        room = self.html_chars if is_html else self.plain_chars
        data = part.body(self._take_bytes(part, room * _BYTES_PER_CHAR))
        if not data.isascii():
            self.guesses -= 1
        meta = _META_CHARSET.search(data, 0, _META_BYTES) if is_html else None
        text = decode_text(
            data,
            part.parameter("charset"),
            guess=self.guesses >= 0,
            other_label=meta[1].decode() if meta else None,
        )
        if is_html:
            text = _LONG_TAG.sub(" ", text)
        if part.content_type in _ENRICHED:
            text = _ENRICHED_PARAMETER.sub("", text)
        if len(text) > room:
            self._note_cut()
        text = text[:room]
        if is_html and part.content_type == "text/html":
            is_html = bool(_MARKUP.search(text))
        elif part.content_type == "text/plain" and _PAGE.match(text):
            is_html = True
            if len(text) > self.html_chars:
                self._note_cut()
                text = text[: max(0, self.html_chars)]
        if is_html:
            self.has_html = True
            self.html_chars -= len(text)
            marked = read_html(self._limit_tags(text))
        else:
            text = text.replace("\r\n", "\n").replace("\r", "\n")
            if part.parameter("format").lower() == "flowed":
                text = unflow(text, delete_space=part.parameter("delsp").lower() == "yes")
            marked = MarkedText(text)
        self.plain_chars -= len(marked.text)
        return marked

    def _limit_tags(self, markup: str) -> str:
        count = markup.count("<")
        if count > self.html_tags:
            self._note_cut()
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
            readable = [child for child in children if is_readable(child.content_type)]
            nested = [child for child in children if child.content_type.startswith("multipart/")]
            children = readable + nested
        return self._read_all(children, depth)

    def _read_all(self, children: list[MailPart], depth: int) -> MarkedText:
        texts: list[MarkedText] = []
        plain_words: list[str] = []
        for child in children:
            marked = self.read(child, depth + 1)
            words = marked.text.split() if _is_plain(child) or child.content_type in _HTML else []
            # Some programs put both forms of a text in a row.
            if not is_invisible(marked.text) and (
                _is_plain(child) or not words or words != plain_words
            ):
                texts.append(marked)
            plain_words = words if _is_plain(child) else []
        return join_marked(texts, "\n\n")

    def _children(self, part: MailPart) -> list[MailPart]:
        children: list[MailPart] = []
        self.scanned_bytes -= part.end - part.start
        if self.scanned_bytes < 0:
            self._note_cut()
            return children
        for child in part.children():
            if self.parts + len(children) >= MAX_PARTS:
                self._note_cut()
                break
            children.append(child)
        return children

    def _read_best(self, children: list[MailPart], depth: int) -> MarkedText:
        """Return the plain text if it says something, else the richest form (the last one, RFC 2046 section 5.1.4)."""
        plain_parts = [one for one in children if _is_plain(one)]
        others = [one for one in children if not _is_plain(one)]
        plain = self._join_halves([self.read(child, depth + 1) for child in plain_parts])
        has_words = not is_invisible(plain.text) and not points_to_html(plain.text)
        if has_words and not self.prefers_html:
            for child in others:
                self._count_files(child, depth + 1)
            return plain
        best = _NO_TEXT
        for child in reversed(others):
            if is_invisible(best.text):
                best = self.read(child, depth + 1)
            else:
                self._count_files(child, depth + 1)
        return plain if is_invisible(best.text) else best

    def _join_halves(self, texts: list[MarkedText]) -> MarkedText:
        """Join the plain texts of one alternative, without repeats."""
        halves: list[MarkedText] = []
        for marked in texts:
            words = marked.text.split()
            if words and all(words != other.text.split() for other in halves):
                halves.append(marked)
        return halves[0] if len(halves) == 1 else join_marked(halves, "\n\n")

    def _count_files(self, part: MailPart, depth: int) -> None:
        """Count the files within a form of the text that was not chosen, but not the form itself."""
        self.parts += 1
        if depth > MAX_DEPTH:
            return
        if part.content_type.startswith("multipart/"):
            for child in self._children(part):
                if child.content_type.startswith("multipart/"):
                    self._count_files(child, depth + 1)
                elif not is_readable(child.content_type) or child.is_attachment:
                    self._put_aside(child)
        elif not is_readable(part.content_type) or part.is_attachment:
            self._put_aside(part)

    def _read_attached_mail(self, part: MailPart, depth: int) -> MarkedText:
        if part.encoding in ("base64", "quoted-printable"):
            mail = part_of(part.body(self._take_bytes(part, MAX_RAW_BYTES)))
        else:
            mail = part_at(part.data, part.start, part.end)
        subject, author = subject_of(mail), author_of(mail)
        title = "attached mail" + (f" from {author}" if author else "")
        heading = MarkedText(f"[{title}: {subject}]" if subject else f"[{title}]")
        return join_marked([heading, self.read(mail, depth + 1)], "\n")

    def _read_signed(self, part: MailPart, depth: int) -> MarkedText:
        """Return the text of signed data, which is not encrypted; count encrypted text."""
        content = extract_content(part.body(self._take_bytes(part, MAX_RAW_BYTES)))
        if content is None:
            self.left_out["encrypted text"] += 1
            return _NO_TEXT
        return self.read(part_of(content), depth + 1)

    def _add_outlook_text(self, marked: MarkedText) -> MarkedText:
        """Return the text of a winmail.dat when the mail has no other; count the files in it."""
        for content in self.outlook_files:
            if content is None:
                self.left_out["Outlook file"] += is_invisible(marked.text)
                continue
            for name in content.files:
                self.left_out[kind_of("", decode_text(name, guess=False)) or "document"] += 1
            if is_invisible(marked.text):
                marked = self._text_of_tnef(content)
        return marked

    def _text_of_tnef(self, content: TnefContent) -> MarkedText:
        text = content.text
        if isinstance(text, bytes):
            text = decode_text(text[: self.plain_chars * 2], guess=False)
        text = text[: self.plain_chars].replace("\r\n", "\n").replace("\r", "\n")
        if is_invisible(text) and content.html:
            if len(content.html) > self.html_chars:
                self._note_cut()
            markup = decode_text(content.html[: self.html_chars], guess=False)
            return read_html(self._limit_tags(_LONG_TAG.sub(" ", markup)))
        if is_invisible(text):
            self.left_out["Outlook file"] += 1
        return MarkedText(text)

    def _add_invitations(self, marked: MarkedText) -> MarkedText:
        """Add what, when and where of an invitation that the text does not tell."""
        for part in self.calendars[:1]:
            count = self._take_bytes(part, MAX_RAW_BYTES)
            label = part.parameter("charset")
            text = decode_text(part.body(count), label, guess=False)
            invitation = read_invitation(text)
            if invitation is None:
                if part.is_attachment:
                    self._leave_out(part)
            elif is_invisible(marked.text) or not is_told_by(invitation, marked.text):
                self.invitation = invitation
                texts = [MarkedText("\n".join(describe(invitation)))]
                texts += [] if is_invisible(marked.text) else [marked]
                marked = join_marked(texts, "\n\n")
        return marked

    def _note_cut(self) -> None:
        """Note that something of the mail is not read."""
        self.cut = True

    def _leave_out(self, part: MailPart) -> None:
        kind = kind_of(part.content_type, part.filename)
        # A small picture that the page itself shows is a logo, or the dot of a tracker.
        is_logo = (
            kind == "picture"
            and b"content-id" in part.fields
            and not part.is_attachment
            and part.end - part.start <= MAX_LOGO_BYTES
        )
        if kind and not is_logo:
            self.left_out[kind] += 1


@dataclass
class InlineReader(TextReader):
    """A reader with small budgets, which raises TooExpensive instead of a cut."""

    html_chars: int = INLINE_HTML_CHARS
    html_tags: int = INLINE_HTML_TAGS
    scanned_bytes: int = INLINE_SCANNED_BYTES

    def _note_cut(self) -> None:
        raise TooExpensive


def _is_plain(part: MailPart) -> bool:
    return part.content_type == "text/plain" and not part.is_attachment


def points_to_html(text: str) -> bool:
    """Whether a plain text only says that the message is in the HTML."""
    if len(text) > MAX_POINTER_CHARS:
        return False
    folded = " ".join(text.casefold().split())
    has_sign = any(map(folded.__contains__, SIGNS_OF_POINTERS_TO_HTML))
    return has_sign and any(map(folded.__contains__, POINTERS_TO_HTML))
