"""Finds the entries of a ticket system: the newest one is the message, the others are history. Pure."""

from collections.abc import Sequence
from typing import Final

from messaging.words.history import count_numbers
from messaging.words.lines import Line
from messaging.words.phrases import TICKET_NOTICES
from messaging.words.spans import SpanKind

MIN_RULE_CHARS: Final = 10
MAX_HEADING_CHARS: Final = 100
MAX_TOKEN_CHARS: Final = 30
_DATE_NUMBERS: Final = 3
_MIN_TOKEN_CHARS: Final = 8
_SENTENCE_ENDS: Final = (".", "!", "?")


def mark_tickets(lines: Sequence[Line], kinds: list[SpanKind]) -> None:
    """Fold the notice, the headings and the older entries of a ticket, each below a rule.

    Without a notice above the first entry the rules are the author's own.
    """
    entries = _find_entries(lines, kinds)
    if not entries:
        return
    start, body = entries[0]
    notice = " ".join(line.words for line in lines[:start]).casefold()
    if not any(phrase in notice for phrase in TICKET_NOTICES):
        return
    kinds[:body] = [SpanKind.ATTRIBUTION] * body
    if len(entries) > 1:
        kinds[entries[1][0] :] = [SpanKind.QUOTE] * (len(lines) - entries[1][0])


def is_token(words: str) -> bool:
    """Whether a line is nothing but the token of a ticket, such as `[K7Q2MZ-4X9P1]`."""
    inner = words[1:-1]
    return (
        _MIN_TOKEN_CHARS <= len(words) <= MAX_TOKEN_CHARS
        and words[0] == "["
        and words[-1] == "]"
        and "-" in inner
        and inner == inner.upper()
        and inner.replace("-", "").isalnum()
        and any(character.isdecimal() for character in inner)
    )


def _find_entries(lines: Sequence[Line], kinds: Sequence[SpanKind]) -> list[tuple[int, int]]:
    """Return the first line of each entry, and the first line of its text."""
    entries: list[tuple[int, int]] = []
    rule: int | None = None
    for at, line in enumerate(lines):
        if kinds[at] is not SpanKind.OWN or line.is_blank:
            continue
        if rule is not None and _is_heading(line.words):
            entries.append((rule, at + 1))
        is_rule = len(line.words) >= MIN_RULE_CHARS and not line.words.strip("-_=")
        rule = at if is_rule else None
    return entries


def _is_heading(words: str) -> bool:
    """Whether a line is a name with a date and a time: `Marta Silva, Nov 27, 2026, 15:14 GMT+1`."""
    return (
        len(words) <= MAX_HEADING_CHARS
        and not words.endswith(_SENTENCE_ENDS)
        and not words[0].isdecimal()
        and ("," in words or "(" in words)
        and count_numbers(words) > _DATE_NUMBERS
    )
