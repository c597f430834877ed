"""Finds the footers below own lines: of signatures, clients, disclaimers, lists. Pure, in linear time."""

from collections.abc import Sequence
from typing import Final

from messaging.words.footers.author_names import NO_NAMES, AuthorNames, begins_with_name
from messaging.words.footers.client import BULLETS, is_client_footer
from messaging.words.footers.signature import (
    MAX_LOOSE_SIGNATURE_LINES,
    MAX_SIGNATURE_LINES,
    RULE_CHARS,
    is_address,
    is_contact,
    is_sentence,
    mark_contact_block,
)
from messaging.words.lines import Line
from messaging.words.phrases import (
    DISCLAIMER_CERTAIN,
    DISCLAIMER_CORE,
    DISCLAIMER_HINTS,
    ENVIRONMENT_HINTS,
    LIST_EVIDENCE,
    LIST_FOOTERS,
    LIST_FOOTERS_CERTAIN,
    LIST_HINTS,
    NOTICES_ABOVE,
    PRINT_HINTS,
    SIGNS_OF_PRINT,
)
from messaging.words.spans import SpanKind
from messaging.words.tickets import is_token

MIN_BOX_RULE_CHARS: Final = 10
MIN_DISCLAIMER_CHARS: Final = 20
MAX_NOTICE_CHARS: Final = 120
MAX_PARAGRAPH_CHARS: Final = 8000
DASHES: Final = frozenset(("--", "—", "- --"))
_HINTS_NEEDED: Final = 3


def mark_footers(
    text: str,
    lines: Sequence[Line],
    kinds: list[SpanKind],
    names: AuthorNames = NO_NAMES,
    *,
    is_forward: bool = False,
) -> None:
    """Set the kinds of all footers, in each run of own lines for itself; `names` are those of the author.

    With `is_forward` the mail that the author forwards is the message, so that a signature may be all above it.
    """
    at, is_first, has_words = 0, True, is_forward
    while at < len(lines):
        if kinds[at] is not SpanKind.OWN:
            at += 1
            continue
        end = at
        while end < len(lines) and kinds[end] is SpanKind.OWN:
            end += 1
        start = _mark_banner(lines, kinds, at, end) if is_first else at
        end_of_words = _mark_signature(text, lines, kinds, start, end, names)
        end_of_words = _mark_last_paragraphs(lines, kinds, start, end_of_words)
        mark_contact_block(
            lines,
            kinds,
            start,
            end_of_words,
            names,
            is_first=not has_words,
            is_above_headers=end < len(lines) and kinds[end] is SpanKind.HEADERS,
        )
        has_words |= _mark_lone_footers(lines, kinds, start, end_of_words)
        at, is_first = end, False


def _mark_lone_footers(lines: Sequence[Line], kinds: list[SpanKind], start: int, end: int) -> bool:
    """Fold each footer of a program that is a paragraph, with own words below it; return whether any are left."""
    has_words = False
    for at in range(start, end):
        words = lines[at].words
        if not words or kinds[at] is not SpanKind.OWN:
            continue
        # The last line has been looked at.
        is_alone = (
            at + 1 < end and not lines[at + 1].words and (at == start or not lines[at - 1].words)
        )
        if is_alone and is_client_footer(words):
            kinds[at] = SpanKind.CLIENT_FOOTER
        else:
            has_words = True
    return has_words


def _mark_banner(lines: Sequence[Line], kinds: list[SpanKind], start: int, end: int) -> int:
    """Fold a warning that a mail server puts above a mail."""
    first = start
    while first < end and lines[first].is_blank:
        first += 1
    stop = first
    while stop < end and not lines[stop].is_blank:
        stop += 1
    words = _paragraph(lines, first, stop)
    if stop < end and any(map(words.__contains__, DISCLAIMER_CERTAIN)):
        return _mark(kinds, first, stop, SpanKind.DISCLAIMER)
    if (
        stop == first + 1
        and len(words) <= MAX_NOTICE_CHARS
        and any(map(words.__contains__, NOTICES_ABOVE))
    ):
        return _mark(kinds, first, stop, SpanKind.ATTRIBUTION)
    return start


def _mark_signature(
    text: str,
    lines: Sequence[Line],
    kinds: list[SpanKind],
    start: int,
    end: int,
    names: AuthorNames,
) -> int:
    """Fold all from the last delimiter on, unless too much follows it; return the end of the rest."""
    filled = 0
    for at in range(end - 1, start - 1, -1):
        if lines[at].words in DASHES:
            raw = text[lines[at].start : lines[at].end].rstrip("\r\n")
            is_exact = raw == "-- "
            if _is_signature(lines, at, end, filled, names, is_exact=is_exact):
                _mark(kinds, at, end, SpanKind.SIGNATURE)
                return at
            return end
        filled += bool(lines[at].words)
        if filled > MAX_SIGNATURE_LINES:
            break
    return end


def _is_signature(
    lines: Sequence[Line],
    at: int,
    end: int,
    filled: int,
    names: AuthorNames,
    *,
    is_exact: bool,
) -> bool:
    """Whether the lines below a delimiter are a signature: people draw a line of dashes between own words, too."""
    if is_exact:
        return filled <= MAX_SIGNATURE_LINES
    return (
        filled <= MAX_LOOSE_SIGNATURE_LINES
        and not any(is_sentence(line.words) for line in lines[at + 1 : end])
        and (
            at == 0
            or lines[at - 1].is_blank
            or any(is_contact(line.words) for line in lines[at + 1 : end])
            or (at + 1 < end and begins_with_name(lines[at + 1].words, names))
        )
    )


def _mark_last_paragraphs(
    lines: Sequence[Line], kinds: list[SpanKind], start: int, end: int
) -> int:
    """Fold footers from the end on, paragraph by paragraph; return the end of the rest.

    Each line is looked at a constant number of times.
    """
    while end > start:
        last = end
        while last > start:
            words = lines[last - 1].words
            is_client = is_client_footer(words)
            # A rule at the end belongs to the footer below it, and so does a delimiter.
            is_delimiter = last < end and words in DASHES
            if not (is_client or is_delimiter or _is_rule(words) or is_token(words)):
                break
            last -= 1
            kinds[last] = SpanKind.CLIENT_FOOTER if is_client else SpanKind.LIST_FOOTER
        if last == start:
            return start
        if lines[last - 1].is_blank:
            end = last - 1
            continue
        first = last - 1
        while first > start and not lines[first - 1].is_blank:
            first -= 1
        found = _find_footer(lines, first, last)
        if found is None:
            return last
        at, paragraph_kind = found
        _mark(kinds, at, last, paragraph_kind)
        if at > first:
            return at
        end = at
    return end


def _find_footer(lines: Sequence[Line], first: int, last: int) -> tuple[int, SpanKind] | None:
    """Return the line of a paragraph at which a footer of a list or a disclaimer begins, and its kind."""
    words = _paragraph(lines, first, last)
    for at in range(first, last):
        if _is_rule(lines[at].words) or lines[at].words in DASHES:
            below = _paragraph(lines, at + 1, last)
            if any(map(below.__contains__, LIST_HINTS)):
                return at, SpanKind.LIST_FOOTER
            is_box = len(lines[at].words) >= MIN_BOX_RULE_CHARS
            return (at, SpanKind.SIGNATURE) if is_box and is_address(lines[at + 1 : last]) else None
    has_evidence = any(map(words.__contains__, LIST_EVIDENCE))
    for at in range(first, last):
        line = lines[at].words.casefold().lstrip(BULLETS)
        if line.startswith(LIST_FOOTERS_CERTAIN) or (
            has_evidence and line.startswith(LIST_FOOTERS)
        ):
            return at, SpanKind.LIST_FOOTER
    is_short = len(words) < MIN_DISCLAIMER_CHARS
    if is_short and (words.isascii() or not _asks_not_to_print(words)):
        return None
    core = sum(map(words.__contains__, DISCLAIMER_CORE))
    hints = sum(map(words.__contains__, DISCLAIMER_HINTS)) if core else 0
    is_disclaimer = core > 0 and core + hints >= _HINTS_NEEDED
    is_about_paper = _asks_not_to_print(words)
    if not (is_disclaimer or is_about_paper or any(map(words.__contains__, DISCLAIMER_CERTAIN))):
        return None
    wanted = (
        *DISCLAIMER_CERTAIN,
        *(DISCLAIMER_CORE + DISCLAIMER_HINTS if is_disclaimer else ()),
        *(PRINT_HINTS + ENVIRONMENT_HINTS if is_about_paper else ()),
    )
    for at in range(first, last):
        if any(phrase in lines[at].words.casefold() for phrase in wanted):
            return at, SpanKind.DISCLAIMER
    return first, SpanKind.DISCLAIMER


def _asks_not_to_print(words: str) -> bool:
    """Whether a paragraph asks to save paper for the sake of nature."""
    return (
        any(map(words.__contains__, SIGNS_OF_PRINT))
        and any(map(words.__contains__, PRINT_HINTS))
        and any(map(words.__contains__, ENVIRONMENT_HINTS))
    )


def _is_rule(words: str) -> bool:
    return len(words) >= 3 and not words.strip(RULE_CHARS)


def _paragraph(lines: Sequence[Line], start: int, end: int) -> str:
    """Return the words of some lines in case-folded form, of a limited length."""
    pieces, length = [], 0
    for line in lines[start:end]:
        pieces.append(line.words)
        length += len(line.words)
        if length > MAX_PARAGRAPH_CHARS:
            break
    return " ".join(pieces).casefold()


def _mark(kinds: list[SpanKind], start: int, end: int, kind: SpanKind) -> int:
    kinds[start:end] = [kind] * (end - start)
    return end
