"""Splits a text into numbered parts ("1/3 …") that a network can carry. Pure.

`size` measures a text as the network does: bytes of the whole packet, characters, or another unit. It must never
shrink when a text grows, and every character must count for one at least.
"""

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Callable
from typing import Final

from messaging.errors import Rejected

Size = Callable[[str], int]

# Belongs to the character before it: joiners, skin tones, tags of flags, Hangul vowels and finals, vowels of Thai and
# Lao, voiced marks of half width.
_EXTENDS = re.compile(
    "[\u200c\u200d\U0001f3fb-\U0001f3ff\U000e0020-\U000e007f\u1160-\u11ff\u0e33\u0eb3\uff9e\uff9f]"
)
# Joins two consonants of Indic scripts into one.
_VIRAMAS = frozenset("\u094d\u09cd\u0acd\u0b4d\u0c4d\u0d4d")
_JOINER = "\u200d"
_REGIONAL = re.compile("[\U0001f1e6-\U0001f1ff]*\\Z")
_LONGEST_CLUSTER = 64
_LEFT_OUT = re.compile(r"\[(?:([0-9,]+) more kept|\+([0-9,]+))\]\Z")

MAX_REST_PARTS: Final = 20
"""The most parts that the rest of a text has."""


def split(text: str, size: Size, limit: int, max_parts: int, rest_characters: int = 0) -> list[str]:
    """Return `text` as the fewest parts that each measure `limit` or less; the same for the same arguments.

    One part is not numbered. Cuts are made between words where that leaves a part more than half full, and else
    between whole characters (grapheme clusters), where one fits. Without their marks the parts join to `text`.
    Where `max_parts` do not suffice, the last part says how many characters were left out. With `rest_characters` it
    returns so many at the end of the text, numbered behind `max_parts` parts. Raises Rejected when a part has no room
    for a single character.
    """
    if rest_characters:
        return _split_rest(text[-rest_characters:].lstrip(), size, limit, max_parts)
    if size(text) <= limit:
        return [text]
    for count in range(2, max_parts + 1):
        chunks = _fill(text, count, count, size, limit)
        if sum(map(len, chunks)) == len(text):
            return [_mark(i, len(chunks)) + chunk for i, chunk in enumerate(chunks, 1)]
    return _shorten(text, size, limit, max_parts)


def count_left_out(last_part: str) -> int:
    """Return how many characters the last part of a text that was cut says are only kept."""
    found = _LEFT_OUT.search(last_part)
    return int((found[1] or found[2]).replace(",", "")) if found else 0


def _split_rest(text: str, size: Size, limit: int, before: int) -> list[str]:
    for count in range(1, MAX_REST_PARTS + 1):
        chunks = _fill(text, count, count, size, limit, before)
        if sum(map(len, chunks)) == len(text):
            return [_mark(i, len(chunks), before) + chunk for i, chunk in enumerate(chunks, 1)]
    return _shorten(text, size, limit, MAX_REST_PARTS, before)


def _mark(number: int, count: int, before: int = 0) -> str:
    return f"{before + number}/{before + count} " if before + count > 1 else ""


def _fill(text: str, parts: int, count: int, size: Size, limit: int, before: int = 0) -> list[str]:
    """Cut the first `parts` chunks, or as many as there is text for, of a text in `count` parts."""
    chunks: list[str] = []
    start = 0
    for number in range(1, parts + 1):
        end = _end(text, start, _mark(number, count, before), "", size, limit)
        if end <= start:
            raise Rejected("the sender's address leaves no room for text in this network's packets")
        chunks.append(text[start:end])
        start = end
        if start == len(text):
            break
    return chunks


def _shorten(text: str, size: Size, limit: int, max_parts: int, before: int = 0) -> list[str]:
    """Fill `max_parts` parts; the last one ends with the number of characters that are only kept."""
    chunks = _fill(text, max_parts - 1, max_parts, size, limit, before)
    start = sum(map(len, chunks))
    mark = _mark(max_parts, max_parts, before)
    for notice in (" [{:,} more kept]", " [+{:,}]"):
        end = _end(text, start, mark, notice.format(len(text) - start), size, limit)
        if end >= start:
            last = text[start:end].rstrip() + notice.format(len(text) - end)
            marked = [_mark(i, max_parts, before) + chunk for i, chunk in enumerate(chunks, 1)]
            return [*marked, mark + last.lstrip()]
    raise Rejected("the sender's address leaves no room for text in this network's packets")


def _end(text: str, start: int, mark: str, notice: str, size: Size, limit: int) -> int:
    """Return where the chunk that begins at `start` ends; less than `start` when not even an empty one fits."""
    longest = min(len(text), start + max(limit, 0))
    ends = range(start, longest + 1)
    fitting = bisect_right(
        ends, False, key=lambda end: size(mark + text[start:end] + notice) > limit
    )
    end = start + fitting - 1
    return end if end <= start or end == len(text) else _boundary(text, start, end)


def _boundary(text: str, start: int, end: int) -> int:
    """Return the best place to cut between `start` and `end`."""
    half = start + (end - start) // 2
    for place in range(end, half, -1):
        between_words = text[place - 1].isspace() or text[place].isspace()
        if between_words and not _continues(text, place):
            return place
    for place in range(end, max(start, end - _LONGEST_CLUSTER), -1):
        if not _continues(text, place):
            return place
    return end


def _continues(text: str, place: int) -> bool:
    """Return whether a cut at `place` would fall within one grapheme cluster (UAX #29, the common cases)."""
    before, after = text[place - 1], text[place]
    if before == _JOINER or (before == "\r" and after == "\n"):
        return True
    if _EXTENDS.match(after) or unicodedata.category(after).startswith("M"):
        return True
    if before in _VIRAMAS and after.isalpha():
        return True
    flags = _REGIONAL.search(text[max(0, place - _LONGEST_CLUSTER) : place])
    return bool(_REGIONAL.match(after) and flags and len(flags.group()) % 2)
