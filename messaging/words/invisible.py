"""Removes invisible characters, control characters and superfluous white space. Pure."""

import re
from typing import Final

# Soft hyphen, joiners, marks of direction, fillers, byte order mark, interlinear marks, invisible operators.
_ALWAYS_INVISIBLE: Final = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b\u2060-\u206f\u202a-\u202e\u2800\u3164\ufeff\uffa0\ufff9-\ufffb]"
)
# Joiners shape letters beyond Latin and emoji, and stay between two of them; the marks of direction order text of two
# directions.
_JOINABLE: Final = "[^\x00-\u02ff\\s\u200c-\u200f]"
_LONE_JOINERS: Final = re.compile(f"(?<!{_JOINABLE})[\u200c\u200d]|[\u200c\u200d](?!{_JOINABLE})")
_DIRECTION_MARKS: Final = re.compile("[\u200e\u200f]")
_RIGHT_TO_LEFT: Final = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]")
# Runs of blanks, and each single one that is neither a plain nor a wide one.
_BLANKS: Final = re.compile(
    "[ \t\xa0\u1680\u2000-\u200a\u202f\u205f\u3000]{2,}|[\t\xa0\u1680\u2000-\u200a\u202f\u205f]"
)
# All characters that `remove_invisible` may change, but single plain blanks: most texts have none of them.
_SPECIAL: Final = re.compile(
    "[\t\xa0\u00ad\u034f\u061c\u115f\u1160\u1680\u17b4\u17b5\u180b-\u180e\u2000-\u200f\u202a-\u202f\u205f-\u206f\u2800"
    "\u3000\u3164\ufeff\uffa0\ufff9-\ufffb\U000e0000-\U000e007f]"
)
_ASCII_SIGN: Final = re.compile("[!-~]")
_MAX_PADDING: Final = 500
# Tags stay behind a black flag: those of Scotland make its flag.
_TAGS: Final = re.compile("(?<![\U0001f3f4\U000e0000-\U000e007f])[\U000e0000-\U000e007f]+")

# Controls but newline and tab, lone surrogates (no store takes them), and invisible characters that cost a device
# money: soft hyphen, grapheme joiner, zero width space, word joiner, byte order mark.
_UNWANTED: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\u00ad\u034f\u200b\u2060\ufeff]"
)
# Programs write these bytes of Windows-1252 under other labels, and as numbers of Unicode.
_CONTROLS: Final = re.compile("[\x80-\x9f]")
_CONTROLS_AS_MEANT: Final = {
    byte: bytes((byte,)).decode("cp1252", "replace") for byte in range(0x80, 0xA0)
}
_LINE_ENDS: Final = re.compile("\r\n|[\r\x0b\x0c\x85\u2028\u2029]")
# All that `_LINE_ENDS` and `_UNWANTED` match, and the no-break space: most texts have nothing of it.
_UNCLEAN: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\xa0\ud800-\udfff\u00ad\u034f\u200b\u2028\u2029\u2060\ufeff]"
)
_MANY_NEWLINES: Final = re.compile("\n{4,}")


def clean(text: str) -> str:
    """Return `text` with `\\n` as its only line end, without control characters, trailing space or long gaps.

    At most two blank lines follow each other. All other characters stay unchanged, without Unicode normalisation.
    """
    if _UNCLEAN.search(text):
        text = _LINE_ENDS.sub("\n", text).replace("\xa0", " ")
        text = _UNWANTED.sub("", text)
    # Without the characters above, lines of ASCII can end in blanks and tabs alone.
    if not text.isascii() or " \n" in text or "\t\n" in text:
        text = "\n".join([line.rstrip() for line in text.split("\n")])
    if "\n\n\n\n" in text:
        text = _MANY_NEWLINES.sub("\n\n\n", text)
    return text.rstrip().lstrip("\n")


def read_controls(text: str) -> str:
    """Return `text` with the typographic characters that controls beyond ASCII stand for; U+FFFD for any other."""
    if text.isascii() or not _CONTROLS.search(text):
        return text
    return text.translate(_CONTROLS_AS_MEANT)


def one_line(text: str, max_chars: int) -> str:
    """Return `text` on one line of at most `max_chars` characters, without control characters."""
    if text.isascii() and text.isprintable() and "  " not in text:
        line = text.strip()
    else:
        line = _UNWANTED.sub("", " ".join(text.split()))
    return line if len(line) <= max_chars else line[: max_chars - 1] + "…"


def remove_invisible(text: str) -> str:
    """Return `text` without invisible characters, with one blank for each run of blanks, and no blank at line ends."""
    if "  " in text or ("\t" in text if text.isascii() else _SPECIAL.search(text)):
        text = _remove_special(text)
    if " \n" in text or "\n " in text:
        text = "\n".join([line.strip(" ") for line in text.split("\n")])
    return text.strip(" ")


def _remove_special(text: str) -> str:
    if not text.isascii():
        text = _ALWAYS_INVISIBLE.sub("", text)
        text = _LONE_JOINERS.sub("", text)
        if not _RIGHT_TO_LEFT.search(text):
            text = _DIRECTION_MARKS.sub("", text)
        text = _TAGS.sub("", text)
    return _BLANKS.sub(" ", text)


def is_invisible(text: str) -> bool:
    """Whether nothing of a text can be seen."""
    beginning = text[:_MAX_PADDING]
    if _ASCII_SIGN.search(beginning):
        return False
    return not remove_invisible(beginning).strip() and not remove_invisible(text).strip()
