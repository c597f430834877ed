"""Reads the lines of a text with their depth of quotation, and joins those of `format=flowed`. Pure."""

import re
from typing import Final, NamedTuple

from messaging.words.spans import MarkedText, SpanKind

MAX_LINE_WORDS: Final = 500
_SIGNATURE: Final = "-- "
# The Bat! puts the initials of the author before the sign: `AB> text`, `AB>> text`.
INITIALS: Final = re.compile(r"[^\W\d_]{1,3}(>{1,9})(?:[ \t]|\Z)")
_LINE_WITH_INITIALS: Final = re.compile(r"\n[^\W\d_]{1,3}>{1,9}(?=[ \t\n])")
_MIN_LINES_WITH_INITIALS: Final = 2
_INVISIBLE: Final = dict.fromkeys(
    map(
        ord,
        "\u00ad\u034f\u200b\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2066\u2067\u2068\u2069\ufeff",
    )
)


class Line(NamedTuple):
    """A line as a position in its text; `end` includes the line end.

    `depth` is the number of quote marks, `words` the rest with single blanks, cut at `MAX_LINE_WORDS` characters.
    `mark` is the kind that the markup declares.
    """

    start: int
    end: int
    depth: int
    words: str
    mark: SpanKind | None

    @property
    def is_blank(self) -> bool:
        """Whether the line has no words."""
        return not self.words


def read_lines(marked: MarkedText) -> list[Line]:
    """Return all lines; their positions cover the text."""
    text, marks, lines, at, mark_index = marked.text, marked.marks, [], 0, 0
    has_initials, is_ascii, size = _has_initials(text), text.isascii(), len(text)
    for raw in text.split("\n"):
        if at == size:  # the text ends with a line end
            break
        end = at + len(raw) + 1
        if end > size:
            end = size
        # A blank before the first mark is stuffing: the author typed the sign (RFC 3676 section 4.4).
        depth, skipped = _quote_depth(raw) if raw.startswith(">") else (0, 0)
        if has_initials and (sign := match_initials(raw)):
            depth, skipped = len(sign[1]), sign.end()
        words = raw[skipped : skipped + MAX_LINE_WORDS]
        if not (is_ascii or words.isascii()):
            words = words.translate(_INVISIBLE)
        words = " ".join(words.split())
        while mark_index < len(marks) and marks[mark_index].end <= at:
            mark_index += 1
        kind = None
        if mark_index < len(marks) and marks[mark_index].start < end:
            mark = marks[mark_index]
            # A mark that begins within the line leaves words of the author before it.
            if not text[at : max(at, mark.start)].strip():
                kind, depth = mark.kind, depth + mark.depth
        lines.append(Line(at, end, depth, words, kind))
        at = end
    return lines


def match_initials(line: str) -> re.Match[str] | None:
    """Return the quote mark with capital initials that a line begins with."""
    sign = INITIALS.match(line)
    return sign if sign and sign[0] == sign[0].upper() else None


def _has_initials(text: str) -> bool:
    """Whether two lines at least begin with capital initials of one author and quote marks."""
    if ">" not in text:
        return False
    signs = [one for one in _LINE_WITH_INITIALS.findall(f"\n{text}\n") if one == one.upper()]
    # Two writers at one depth make a conversation that the author copied.
    writers = {one.strip(" \t\n>") for one in signs if one.count(">") == 1}
    return len(signs) >= _MIN_LINES_WITH_INITIALS and len(writers) <= 1


def _quote_depth(line: str) -> tuple[int, int]:
    """Return the number of quote marks of a line that begins with one, and where the words begin."""
    marks = line[: len(line) - len(line.lstrip("> \t"))]
    return marks.count(">"), marks.rindex(">") + 1


def unflow(text: str, *, delete_space: bool) -> str:
    """Return `text`, whose line ends are `\\n`, with each flowed paragraph (RFC 3676) on one line.

    With `delete_space` (DelSp) the space at a soft break is not part of the words. Quoted lines keep their marks.
    """
    pieces: list[str] = []
    flowing_depth = -1
    for line in text.split("\n"):
        words = line.lstrip(">")
        depth = len(line) - len(words)
        words = words.removeprefix(" ")
        is_soft = words.endswith(" ") and words != _SIGNATURE
        if flowing_depth != depth or words == _SIGNATURE:
            pieces.append(f"\n{'>' * depth} " if depth else "\n")
            # A stuffed `>` is the author's own: its blank tells it from a quote mark.
            if not depth and words.startswith(">"):
                pieces.append(" ")
        pieces.append(words[:-1] if is_soft and delete_space else words)
        flowing_depth = depth if is_soft else -1
    return "".join(pieces)[1:]
