"""Reads the lines of a text with their depth of quotation, and joins those of `format=flowed`. Pure."""

from typing import Final, NamedTuple

from messaging.words.spans import MarkedText, SpanKind

MAX_LINE_WORDS: Final = 500
_SIGNATURE: Final = "-- "
_INVISIBLE: Final = dict.fromkeys(map(ord, "\u00ad\u034f\u200b\u200e\u200f\u2060\ufeff"))


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
    for raw in text.split("\n"):
        end = min(at + len(raw) + 1, len(text))
        if at == end:  # the text ends with a line end
            break
        # A blank before the first mark is stuffing: the author typed the sign (RFC 3676 section 4.4).
        depth, skipped = _quote_depth(raw) if raw.startswith(">") else (0, 0)
        words = raw[skipped : skipped + MAX_LINE_WORDS]
        if not words.isascii():
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
