"""Finds the parts of a mail as positions in one block of bytes, and decodes their fields and bodies.

The parser of the standard library recurses once per nested multipart (a few hundred raise RecursionError), compares
every line with every open boundary, and copies every line of every attachment. This one copies nothing: a mail of
10 MiB costs a few searches.
"""

import binascii
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

from messaging.mail.parse.fields import StructuredField, from_base64, parse_field
from messaging.mail.text import decode_text

MAX_HEADER_FIELDS: Final = 2000
MAX_HEADER_BYTES: Final = 1_000_000
MAX_FIELD_BYTES: Final = 8192
MAX_STRUCTURED_BYTES: Final = 1024
MAX_FALSE_DELIMITERS: Final = 10_000
_MAX_BOUNDARY_CHARS: Final = 200  # RFC 2046 section 5.1.1 allows 70

_FIELD: Final = re.compile(rb"([!-9;-~]+)[ \t]*:(.*(?:\n[ \t].*)*)\n?")
_WANTED: Final = frozenset(
    b"subject from message-id auto-submitted content-type content-disposition"
    b" content-transfer-encoding content-id in-reply-to references reply-to precedence list-id"
    b" list-unsubscribe x-autoreply x-autorespond x-autoresponder x-auto-reply".split()
)
_NEWLINE: Final = 10
_STRUCTURED: Final = frozenset(
    (b"content-type", b"content-disposition", b"content-transfer-encoding")
)
_KNOWN_FIELD: Final = re.compile(
    rb"^(?:from|to|cc|subject|date|message-id|mime-version|content-[a-z-]+|received|reply-to|sender|return-path"
    rb"|in-reply-to|references|x-mailer|user-agent|dkim-signature|list-[a-z-]+|importance|x-priority)[ \t]*:",
    re.IGNORECASE | re.MULTILINE,
)
_TYPE_IN_BODY: Final = re.compile(rb"\n*(?=content-type[ \t]*:[ \t]*[a-z]+/)", re.IGNORECASE)
_PARAMETER_LINE: Final = re.compile(rb"[\w*-]{1,40}[ \t]*=")
_LOOK_AHEAD_BYTES: Final = 2000
_MAX_ODD_LINE_BYTES: Final = 1000
_COMMENT: Final = re.compile(r"\([^()]*\)")
_UUENCODINGS: Final = frozenset(("x-uuencode", "uuencode", "uue", "x-uue"))


@dataclass(frozen=True)
class MailPart:
    """A header, and a body as a position in `data`, whose line ends are all `\\n`."""

    data: bytes
    start: int
    end: int
    fields: Mapping[bytes, bytes]
    default_type: str = "text/plain"
    repeated: frozenset[bytes] = frozenset()
    """The names of the fields that come more than once; `fields` has the first of each."""

    def field(self, name: bytes) -> str:
        """Return a field unfolded onto one line, empty when missing."""
        raw = self.fields.get(name)
        return " ".join(decode_text(raw, guess=False).split()) if raw else ""

    @cached_property
    def _type(self) -> StructuredField:
        return parse_field(self.field(b"content-type"))

    @cached_property
    def _disposition(self) -> StructuredField:
        return parse_field(self.field(b"content-disposition"))

    @cached_property
    def content_type(self) -> str:
        """The media type in lower case; `text/plain` if it is malformed (RFC 2045 section 5.2)."""
        value = _first_token(self._type.value)
        if not value:
            return self.default_type
        return value if value.count("/") == 1 else "text/plain"

    @cached_property
    def encoding(self) -> str:
        """The transfer encoding in lower case, empty when missing."""
        return _first_token(self.field(b"content-transfer-encoding")).strip(" ;\"'").lower()

    @property
    def is_attachment(self) -> bool:
        """Whether the part is marked as a file."""
        return self._disposition.value.startswith("attachment")

    @property
    def filename(self) -> str:
        """The name of the file, empty when missing."""
        return self._disposition.parameters.get("filename") or self.parameter("name")

    def parameter(self, name: str) -> str:
        """Return a parameter of the content type, empty when missing."""
        return self._type.parameters.get(name, "")

    def body(self, max_bytes: int | None = None) -> bytes:
        """Return the body without its transfer encoding, of at most the first `max_bytes` encoded bytes."""
        end = self.end if max_bytes is None else min(self.end, self.start + max(0, max_bytes))
        raw = self.data[self.start : end]
        match self.encoding:
            case "quoted-printable":
                return binascii.a2b_qp(raw)
            case "base64":
                return from_base64(raw)
            case encoding if encoding in _UUENCODINGS:
                return b"".join(_from_uu(line) for line in raw.split(b"\n"))
        return raw

    def children(self) -> Iterator["MailPart"]:
        """Yield the parts of a multipart, none when its boundary is missing or never used."""
        boundary = self.parameter("boundary").rstrip()
        if not boundary or len(boundary) > _MAX_BOUNDARY_CHARS:
            return
        default = "message/rfc822" if self.content_type == "multipart/digest" else "text/plain"
        marker = b"--" + boundary.encode("utf-8", "surrogateescape")
        begin = None
        for line_start, line_end, closing in _delimiters(self.data, self.start, self.end, marker):
            if begin is not None:
                yield part_at(self.data, begin, max(begin, line_start - 1), default)
            if closing:
                return
            begin = min(line_end + 1, self.end)
        if begin is not None:
            yield part_at(self.data, begin, self.end, default)


def part_of(data: bytes) -> MailPart:
    """Return a whole mail as a part; accepts every kind of line end."""
    data = data.removeprefix(b"\xef\xbb\xbf")
    # Text mode on Windows, where the program wrote CR LF itself.
    if b"\r\r\n" in data:
        data = data.replace(b"\r\r\n", b"\n")
    data = data.replace(b"\r\n", b"\n")
    if b"\r" in data:
        data = data.replace(b"\r", b"\n")
    start = 0
    if data.startswith((b"From ", b">From ")):  # the envelope line of an mbox file
        start = data.find(b"\n") + 1
    return part_at(data, start, len(data))


def part_at(data: bytes, start: int, end: int, default_type: str = "text/plain") -> MailPart:
    """Read the header fields at `start`; the body is the rest, or everything when there is no header.

    Skips lines that are no fields while known fields follow.
    """
    fields: dict[bytes, bytes] = {}
    repeated: set[bytes] = set()
    at, limit, name = start, min(end, start + MAX_HEADER_BYTES), b""
    for _ in range(MAX_HEADER_FIELDS):
        match = _FIELD.match(data, at, limit)
        if match is None:
            after = _skip_odd_line(data, at, limit, fields, name) if at > start else 0
            if not after:
                break
            at = after
            continue
        name = match[1].lower()
        if name in fields:
            repeated.add(name)
        elif name in _WANTED:
            limit_bytes = MAX_STRUCTURED_BYTES if name in _STRUCTURED else MAX_FIELD_BYTES
            fields[name] = match[2][:limit_bytes]
        at = match.end()
    else:
        limit = at
    if at >= limit:
        blank = data.find(b"\n\n", at, end)
        at = end if blank < 0 else blank + 1
    if at < end and data[at] == _NEWLINE:
        at += 1
    if fields and b"content-type" not in fields and (late := _TYPE_IN_BODY.match(data, at, end)):
        # Scripts end the header too early.
        rest = part_at(data, late.end(), end, default_type)
        return replace(rest, fields={**rest.fields, **fields}, repeated=frozenset(repeated))
    return MailPart(data, at, end, fields, default_type, frozenset(repeated))


def _skip_odd_line(
    data: bytes, at: int, limit: int, fields: dict[bytes, bytes], last: bytes
) -> int:
    """Return the position behind a line that is no field, 0 when the header has ended before it.

    A parameter that is not indented belongs to the field above it.
    """
    line_end = data.find(b"\n", at, limit)
    if line_end <= at:
        return 0
    line = data[at : min(line_end, at + _MAX_ODD_LINE_BYTES)]
    is_parameter = last in _STRUCTURED and _PARAMETER_LINE.match(line)
    if is_parameter and fields[last].rstrip().endswith(b";"):
        fields[last] = (fields[last] + b" " + line)[:MAX_STRUCTURED_BYTES]
        return line_end + 1
    following = data[line_end + 1 : min(limit, line_end + 1 + _LOOK_AHEAD_BYTES)]
    rest_of_header = b"" if following.startswith(b"\n") else following.partition(b"\n\n")[0]
    return line_end + 1 if _KNOWN_FIELD.search(rest_of_header) else 0


def _first_token(value: str) -> str:
    """Return the first word of a value without its comments (RFC 2045 section 5.1)."""
    words = _COMMENT.sub(" ", value).split(None, 1)
    return words[0] if words else ""


def _delimiters(
    data: bytes, start: int, end: int, marker: bytes
) -> Iterator[tuple[int, int, bool]]:
    """Yield the start and end of each delimiter line, and whether it is the closing one."""
    false = 0
    at = data.find(marker, start, end)
    while at >= 0 and false < MAX_FALSE_DELIMITERS:
        after = at + len(marker)
        rest = None
        # A marker within a line is skipped before the search for its line end, so each line is searched once.
        if at == start or data[at - 1] == _NEWLINE:
            line_end = data.find(b"\n", after, end)
            line_end = end if line_end < 0 else line_end
            rest = data[after : min(line_end, after + 80)].strip()
            after = line_end
        if rest in (b"", b"--"):
            yield at, after, rest == b"--"
        else:
            false += 1
        at = data.find(marker, after, end)


def _from_uu(line: bytes) -> bytes:
    if line.startswith((b"begin ", b"end", b"`")):
        return b""
    try:
        return binascii.a2b_uu(line)
    except binascii.Error:
        return b""
