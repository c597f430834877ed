"""Parses structured header fields in linear time: parameters (RFC 2045, RFC 2231) and encoded words (RFC 2047). Pure.

The functions of the standard library need quadratic time on hostile fields.
"""

import binascii
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import unquote_to_bytes

from messaging.mail.text import decode_text

MAX_PARAMETERS: Final = 50
MAX_WORDS: Final = 200

_PARAMETER: Final = re.compile(
    r'\s*([^\s=;"]{1,60})\s*=\s*(?:"((?:[^"\\]|\\.)*)|([^;]*))', re.DOTALL
)
_NO_SEMICOLON: Final = re.compile(r"^(\s*[\w.+-]{1,40}/[\w.+-]{1,80})[\s,]+(?=[\w-]{1,40}\s*=)")
_QUOTED_PAIR: Final = re.compile(r"\\(.)", re.DOTALL)
_SECTION: Final = re.compile(r"([^*]+)(?:\*(\d{1,2}))?(\*)?")
_WORD_START: Final = re.compile(r"=\?([^\s?]{1,60})\?([bBqQ])\?")
_PADDING: Final = re.compile(rb"=[=\s]*")
_PADDING_WITHIN: Final = re.compile(rb"=[=\s]*[A-Za-z0-9+/]")
_NO_BASE64_LINE: Final = re.compile(rb"[^A-Za-z0-9+/=\s]")
_FROM_URL: Final = bytes.maketrans(b"-_", b"+/")
_NO_BASE64: Final = re.compile(rb"[^A-Za-z0-9+/]")


@dataclass(frozen=True, slots=True)
class StructuredField:
    """A field's value in lower case, and its parameters by their names in lower case."""

    value: str
    parameters: Mapping[str, str] = field(default_factory=dict)


NO_FIELD: Final = StructuredField("")


def parse_field(text: str) -> StructuredField:
    """Parse `value; name=parameter; …`. Never raises: a malformed parameter is left out; of two the first counts."""
    if "=" not in text:
        return StructuredField(text.partition(";")[0].strip().lower())
    value, _, _ = text.partition(";")
    if "=" in value:
        text = _NO_SEMICOLON.sub(r"\1; ", text, count=1)
        value, _, _ = text.partition(";")
    plain: dict[str, str] = {}
    sections: dict[str, dict[int, tuple[str, bool]]] = {}
    for name, content in _parameters(text):
        match = _SECTION.fullmatch(name) if "*" in name else None
        if match is None or (match[2] is None and match[3] is None):
            plain.setdefault(name, content)
        else:
            sections.setdefault(match[1], {}).setdefault(
                int(match[2] or 0), (content, match[3] is not None)
            )
    joined = {name: _join_sections(each) for name, each in sections.items()}
    return StructuredField(value.strip().lower(), plain | joined)


def _parameters(text: str) -> Iterator[tuple[str, str]]:
    """Yield the names in lower case and the values without quotes."""
    at = text.find(";")
    for _ in range(MAX_PARAMETERS):
        if at < 0:
            return
        match = _PARAMETER.match(text, at + 1)
        if match is None:
            at = text.find(";", at + 1)
            continue
        name, quoted, bare = match.groups()
        if quoted is not None and "\\" in quoted:
            quoted = _QUOTED_PAIR.sub(r"\1", quoted)
        yield name.lower(), bare.strip() if quoted is None else quoted
        at = text.find(";", match.end())


def _join_sections(sections: dict[int, tuple[str, bool]]) -> str:
    """Join the sections `name*0`, `name*1*` … as far as none is missing, and decode the encoded ones."""
    charset, content = "", b""
    for number in range(len(sections)):
        if number not in sections:
            break
        text, is_encoded = sections[number]
        if number == 0 and is_encoded and text.count("'") >= 2:
            charset, _, text = text.split("'", 2)
        content += unquote_to_bytes(text) if is_encoded else text.encode("utf-8", "replace")
    return decode_text(content, charset, guess=False)


def decode_words(text: str) -> str:
    """Decode the encoded words of an unstructured field; returns the text unchanged if one is broken. Never raises."""
    # Words of one charset that follow each other are decoded together: a character may be split between them.
    pieces: list[tuple[bytes, str]] = []
    read_to = at = 0
    for _ in range(MAX_WORDS):
        at = text.find("=?", at)
        match = _WORD_START.match(text, at) if at >= 0 else None
        end = text.find("?=", match.end()) if match else -1
        if at < 0 or (match and end < 0):
            break
        if match is None:
            at += 2
            continue
        gap = text[read_to:at]
        if gap and not (pieces and pieces[-1][1] and gap.isspace()):
            pieces.append((gap.encode("utf-8", "replace"), ""))
        content = text[match.end() : end].encode("utf-8", "replace")
        is_base64 = match[2] in "bB"
        if is_base64 and len(_NO_BASE64.sub(b"", content)) % 4 == 1:
            return text  # a character is missing
        data = from_base64(content) if is_base64 else binascii.a2b_qp(content, header=True)
        charset = match[1].partition("*")[0].lower()  # a language may follow (RFC 2231 section 5)
        if pieces and pieces[-1][1] == charset:
            data = pieces.pop()[0] + data
        pieces.append((data, charset))
        read_to = at = end + 2
    rest = [text[read_to:]] if read_to < len(text) else []
    return "".join([decode_text(*piece, guess=False) for piece in pieces] + rest)


def from_base64(raw: bytes) -> bytes:
    """Decode base64 of any quality: in padded pieces, without padding, with noise, with a piece too little.

    Never raises.
    """
    if b"\n\n" in raw:
        # Some list servers add a footer in plain text.
        head, _, rest = raw.strip(b"\n").partition(b"\n\n")
        raw = head if _NO_BASE64_LINE.search(rest) else raw
    if (b"-" in raw or b"_" in raw) and b"+" not in raw and b"/" not in raw:
        raw = raw.translate(_FROM_URL)
    try:
        if not _PADDING_WITHIN.search(raw):
            return binascii.a2b_base64(raw)
        # The decoder stops at the first padding.
        return b"".join([_from_piece(piece) for piece in _PADDING.split(raw)])
    except binascii.Error:
        return _from_piece(raw)


def _from_piece(raw: bytes) -> bytes:
    """Decode base64 without regard to padding, with noise."""
    clean = _NO_BASE64.sub(b"", raw)
    whole, rest = clean[: len(clean) // 4 * 4], clean[len(clean) // 4 * 4 :]
    return binascii.a2b_base64(whole + (rest + b"=" * (4 - len(rest)) if len(rest) > 1 else b""))
