"""Finds the blocks in a text that are for programs: armour of OpenPGP, uuencode, yEnc and BinHex. Pure."""

import re
from collections.abc import Sequence
from typing import Final

from messaging.words.lines import Line
from messaging.words.spans import Span, SpanKind

_BEGIN_FILE: Final = re.compile(r"begin [0-7]{3,4} \S")
_BEGIN_YENC: Final = ("=ybegin line=", "=ybegin part=")
_BEGIN_BASE64: Final = re.compile(r"begin-base64 [0-7]{3,4} \S")
_END_BASE64: Final = "===="
_BEGIN_BINHEX: Final = "(This file must be converted with BinHex"
_BEGIN_ARMOUR: Final = re.compile(r"-----BEGIN [A-Z0-9 ,/]{3,40}-----\Z")
_END_ARMOUR: Final = "-----END "
_SIGNED: Final = "-----BEGIN PGP SIGNED MESSAGE-----"
_ENCRYPTED: Final = "-----BEGIN PGP MESSAGE"
_LONGEST_UU_LINE: Final = 62
_LONGEST_BINHEX_LINE: Final = 65


def mark_machine_lines(text: str, lines: Sequence[Line], kinds: list[SpanKind]) -> list[Span]:
    """Set the kind of each line that is for programs; return the dash escapes of signed text (RFC 9580, 7.2)."""
    escapes: list[Span] = []
    at, signed = 0, False
    while at < len(lines):
        line = lines[at]
        if line.words == _SIGNED:
            signed = True
            at = _mark(kinds, at, _end_of_armour_headers(lines, at + 1), SpanKind.MACHINE)
        elif _BEGIN_ARMOUR.match(line.words):
            signed = False
            kind = SpanKind.ENCRYPTED if line.words.startswith(_ENCRYPTED) else SpanKind.MACHINE
            at = _mark(kinds, at, _end_of_armour(lines, at + 1, _END_ARMOUR), kind)
        elif line.words.startswith(_BEGIN_YENC):
            at = _mark(kinds, at, _end_of_yenc(lines, at + 1), SpanKind.FILE)
        elif _BEGIN_BASE64.match(line.words):
            at = _mark(kinds, at, _end_of_armour(lines, at + 1, _END_BASE64), SpanKind.FILE)
        elif (line.words.startswith(_BEGIN_BINHEX) and (end := _end_of_binhex(lines, at + 1))) or (
            _BEGIN_FILE.match(line.words) and (end := _end_of_uu(text, lines, at + 1)) > at + 1
        ):
            at = _mark(kinds, at, end, SpanKind.FILE)
        else:
            if signed and text.startswith("- ", line.start) and kinds[at] is SpanKind.OWN:
                escapes.append(Span(SpanKind.MACHINE, line.start, line.start + 2))
            at += 1
    return escapes


def _mark(kinds: list[SpanKind], start: int, end: int, kind: SpanKind) -> int:
    kinds[start:end] = [kind] * (end - start)
    return end


def _end_of_armour_headers(lines: Sequence[Line], at: int) -> int:
    """Return the line after the fields of an armour, such as `Hash: SHA256`, and the blank line behind them."""
    while at < len(lines) and ": " in lines[at].words:
        at += 1
    return at + 1 if at < len(lines) and lines[at].is_blank else at


def _end_of_armour(lines: Sequence[Line], at: int, end: str) -> int:
    """Return the line after the armour; without its `end` line the armour ends before the first line with blanks."""
    at = _end_of_armour_headers(lines, at)
    while at < len(lines):
        words = lines[at].words
        if words.startswith(end):
            return at + 1
        if " " in words or (words and not words.isascii()):
            return at
        at += 1
    return at


def _end_of_yenc(lines: Sequence[Line], at: int) -> int:
    while at < len(lines):
        if lines[at].words.startswith("=yend"):
            return at + 1
        at += 1
    return at


def _end_of_binhex(lines: Sequence[Line], at: int) -> int:
    """Return the line after the encoded lines, which stand between two colons; 0 without both."""
    while at < len(lines) and lines[at].is_blank:
        at += 1
    if at == len(lines) or not lines[at].words.startswith(":"):
        return 0
    is_open = True
    while is_open and at < len(lines) and 0 < len(lines[at].words) <= _LONGEST_BINHEX_LINE:
        words = lines[at].words
        if " " in words or not words.isascii():
            break
        is_open = len(words) == 1 or not words.endswith(":")
        at += 1
    return 0 if is_open else at


def _end_of_uu(text: str, lines: Sequence[Line], at: int) -> int:
    """Return the line after the encoded lines; the first character of each tells its length."""
    while at < len(lines):
        raw = text[lines[at].start : lines[at].end].rstrip("\r\n")
        if raw.strip() == "end":
            return at + 1
        if not raw.strip() or raw.strip() == "`":
            at += 1
            continue
        # Programs strip blanks at the end of a line, so that a line may be shorter than it says.
        count = (ord(raw[0]) - 32) & 63
        if (
            not raw.isascii()
            or len(raw) > _LONGEST_UU_LINE
            or len(raw) > 1 + (count + 2) // 3 * 4 + 1
        ):
            return at
        at += 1
    return at
