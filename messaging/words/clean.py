"""Removes control characters and superfluous white space. Pure."""

import re
from typing import Final

# Controls but newline and tab, lone surrogates (no store takes them), and invisible characters that cost a device
# money: soft hyphen, grapheme joiner, zero width space, word joiner, byte order mark.
_UNWANTED: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\u00ad\u034f\u200b\u2060\ufeff]"
)
_LINE_ENDS: Final = re.compile("\r\n|[\r\x0b\x0c\x85\u2028\u2029]")
_MANY_NEWLINES: Final = re.compile("\n{4,}")


def clean(text: str) -> str:
    """Return `text` with `\\n` as its only line end, without control characters, trailing space or long gaps.

    At most two blank lines follow each other. All other characters stay unchanged, without Unicode normalisation.
    """
    text = _LINE_ENDS.sub("\n", text).replace("\xa0", " ")
    text = _UNWANTED.sub("", text)
    text = "\n".join([line.rstrip() for line in text.split("\n")])
    return _MANY_NEWLINES.sub("\n\n\n", text).strip("\n")


def one_line(text: str, max_chars: int) -> str:
    """Return `text` on one line of at most `max_chars` characters, without control characters."""
    line = _UNWANTED.sub("", " ".join(text.split()))
    return line if len(line) <= max_chars else line[: max_chars - 1] + "…"
