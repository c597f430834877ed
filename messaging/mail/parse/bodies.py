"""Undoes the transfer encoding and the charset of one text part."""

import binascii
import re
from dataclasses import dataclass
from typing import Final

from messaging.mail.parse.charsets import decode_text
from messaging.mail.parse.html import html_to_text, without_long_tags
from messaging.mail.parse.parts import Part

HTML: Final = frozenset(("text/html", "application/xhtml+xml"))
MAX_HTML_CHARS: Final = 300_000
MAX_RAW_BYTES: Final = 4_000_000
MAX_GUESSES: Final = 4
_BYTES_PER_CHAR: Final = (
    16  # four bytes of UTF-8, each written as `=F0`, with room for soft line ends
)
_NO_BASE64: Final = re.compile(rb"[^A-Za-z0-9+/]")
_UUENCODED: Final = {"x-uuencode", "uuencode", "uue", "x-uue"}


@dataclass
class ParseBudget:
    """What may still be read of one mail, so that a thousand parts cost no more than one."""

    plain_chars: int
    html_chars: int = MAX_HTML_CHARS
    raw_bytes: int = MAX_RAW_BYTES
    guesses: int = MAX_GUESSES


def text_of(part: Part, allowance: ParseBudget) -> tuple[str, bool]:
    """Return the text of a text part, as far as `allowance` goes, and whether there was more. Takes from it."""
    is_html = part.content_type in HTML
    room = allowance.html_chars if is_html else allowance.plain_chars
    raw, more = _raw(part, min(allowance.raw_bytes, room * _BYTES_PER_CHAR))
    allowance.raw_bytes -= len(raw)
    text = _text(_decoded(raw, part.encoding), part.parameter("charset"), allowance)
    if is_html:
        text = without_long_tags(text)
    more = more or len(text) > room
    text = text[:room]
    if is_html:
        allowance.html_chars -= len(text)
        text = html_to_text(text)
    allowance.plain_chars -= len(text)
    return text, more


def _text(data: bytes, charset: str, allowance: ParseBudget) -> str:
    if not data.isascii():
        allowance.guesses -= 1
    return decode_text(data, charset, guess=allowance.guesses >= 0)


def decoded_body(part: Part) -> bytes:
    """Return the whole body without its transfer encoding."""
    return _decoded(part.data[part.start : part.end], part.encoding)


def _raw(part: Part, max_bytes: int) -> tuple[bytes, bool]:
    """Return the body as it was sent, at most its first `max_bytes`, and whether it goes on."""
    stop = min(part.end, part.start + max(0, max_bytes))
    return part.data[part.start : stop], stop < part.end


def _decoded(raw: bytes, encoding: str) -> bytes:
    if encoding == "base64":
        return _from_base64(raw)
    if encoding == "quoted-printable":
        return binascii.a2b_qp(raw)
    if encoding in _UUENCODED:
        return b"".join(_from_uu(line) for line in raw.split(b"\n"))
    return raw


def _from_base64(raw: bytes) -> bytes:
    try:
        return binascii.a2b_base64(raw)
    except binascii.Error:
        clean = _NO_BASE64.sub(b"", raw)
        return binascii.a2b_base64(clean[: len(clean) // 4 * 4] + _last_group(clean))


def _last_group(clean: bytes) -> bytes:
    rest = clean[len(clean) // 4 * 4 :]
    return rest + b"=" * (4 - len(rest)) if len(rest) > 1 else b""


def _from_uu(line: bytes) -> bytes:
    if line.startswith((b"begin ", b"end", b"`")):
        return b""
    try:
        return binascii.a2b_uu(line)
    except binascii.Error:
        return b""
