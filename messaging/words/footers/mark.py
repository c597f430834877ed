"""Finds the footers below own lines: of signatures, clients, disclaimers, lists. Pure, in linear time."""

import re
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
from messaging.words.history import count_numbers
from messaging.words.lines import Line
from messaging.words.phrases import (
    CARE_HINTS,
    DISCLAIMER_CERTAIN,
    DISCLAIMER_CORE,
    DISCLAIMER_HINTS,
    ENVIRONMENT_HINTS,
    EXTERNAL_SENDERS,
    LINES_OF_NOTICES,
    LIST_EVIDENCE,
    LIST_FOOTERS,
    LIST_FOOTERS_CERTAIN,
    LIST_HINTS,
    NOTICES_ABOVE,
    PRINT_HINTS,
    PRIVACY_NOTES,
    SIGNS_OF_PRINT,
    UNSUBSCRIBE_LINKS,
)
from messaging.words.spans import SpanKind
from messaging.words.tickets import is_token

MIN_BOX_RULE_CHARS: Final = 10
MIN_DISCLAIMER_CHARS: Final = 20
MAX_NOTICE_CHARS: Final = 120
MAX_PARAGRAPH_CHARS: Final = 8000
DASHES: Final = frozenset(("--", "—", "- --"))
_HINTS_NEEDED: Final = 3
MAX_WARNING_CHARS: Final = 600
MAX_HEADING_CHARS: Final = 80
MAX_BEFORE_LINK_CHARS: Final = 40
_MAX_BANNERS: Final = 3
_CARE_HINTS_NEEDED: Final = 2
# Ticket systems frame their notice so in all languages.
_FRAMES_OF_NOTICES: Final = ("##-", "##")
_FRAME_ENDS: Final = ("-##", "##")
_DATE_NUMBERS: Final = 3


_LINK_OF_LOGO: Final = re.compile(r"<https?://[^/<> ]+/?>")
_UNSUBSCRIBE_LINK: Final = re.compile(
    rf"(?:{'|'.join(map(re.escape, UNSUBSCRIBE_LINKS))})"
    r"(?: from (?:these|this)[\w ]{0,20}| here| hier| ici| aquí| qui)?[.: ]{0,3}<https?://"
)


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
    """Fold the warnings and notices that mail servers and ticket systems put above a mail."""
    for _ in range(_MAX_BANNERS):
        first = start
        while first < end and lines[first].is_blank:
            first += 1
        # The link of a logo, of which the plain form has nothing else.
        if first + 1 < end and _LINK_OF_LOGO.fullmatch(lines[first].words):
            start = _mark(kinds, first, first + 1, SpanKind.ATTRIBUTION)
            continue
        stop = first
        while stop < end and not lines[stop].is_blank:
            stop += 1
        words = _paragraph(lines, first, stop)
        if stop < end and (
            any(map(words.__contains__, DISCLAIMER_CERTAIN)) or _warns_of_senders(words)
        ):
            start = _mark(kinds, first, stop, SpanKind.DISCLAIMER)
            continue
        # A rule stands above the words of some.
        is_line = stop == first + 1 or (stop == first + 2 and _is_rule(lines[first].words))
        # The address of a link counts for nothing.
        is_short = is_line and len(words.partition("<http")[0]) <= MAX_NOTICE_CHARS
        is_framed = words.startswith(_FRAMES_OF_NOTICES) and words.endswith(_FRAME_ENDS)
        # The author may draw the shorter frame.
        is_framed = is_framed and (
            words.startswith(_FRAMES_OF_NOTICES[0])
            or any(map(words.__contains__, LINES_OF_NOTICES))
        )
        if not (is_short and (is_framed or any(map(words.__contains__, NOTICES_ABOVE)))):
            break
        start = _mark(kinds, first, stop, SpanKind.ATTRIBUTION)
        if is_framed and (heading := _end_of_heading(lines, start, end)):
            start = _mark(kinds, start, heading, SpanKind.ATTRIBUTION)
    return start


def _warns_of_senders(words: str) -> bool:
    """Whether a paragraph warns of mails from outside, in the words of a mail server."""
    return (
        len(words) <= MAX_WARNING_CHARS
        and any(map(words.__contains__, EXTERNAL_SENDERS))
        and sum(map(words.__contains__, CARE_HINTS)) >= _CARE_HINTS_NEEDED
    )


def _end_of_heading(lines: Sequence[Line], at: int, end: int) -> int:
    """Return the line after the name and the date that a ticket system puts above an entry, 0 without both."""
    filled = [one for one in range(at, min(end, at + 6)) if lines[one].words][:2]
    for one in filled:
        words = lines[one].words
        if len(words) > MAX_HEADING_CHARS or words.endswith(("!", "?")):
            return 0
        if count_numbers(words) > _DATE_NUMBERS:
            return one + 1
    return 0


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
        link = _UNSUBSCRIBE_LINK.search(line) if has_evidence else None
        if link and link.start() <= MAX_BEFORE_LINK_CHARS:
            return at, SpanKind.LIST_FOOTER
    found = _find_disclaimer(lines, first, last, words, has_evidence=has_evidence)
    return None if found is None else (found, SpanKind.DISCLAIMER)


def _find_disclaimer(
    lines: Sequence[Line], first: int, last: int, words: str, *, has_evidence: bool
) -> int | None:
    """Return the line of a paragraph at which a disclaimer begins; `words` are those of the paragraph."""
    is_short = len(words) < MIN_DISCLAIMER_CHARS
    if is_short and (words.isascii() or not _asks_not_to_print(words)):
        return None
    core = sum(map(words.__contains__, DISCLAIMER_CORE))
    hints = sum(map(words.__contains__, DISCLAIMER_HINTS)) if core else 0
    is_disclaimer = core > 0 and core + hints >= _HINTS_NEEDED
    is_about_paper = _asks_not_to_print(words)
    is_about_data = has_evidence and any(map(words.__contains__, PRIVACY_NOTES))
    is_certain = any(map(words.__contains__, DISCLAIMER_CERTAIN))
    if not (is_disclaimer or is_about_paper or is_about_data or is_certain):
        return None
    wanted = (
        *DISCLAIMER_CERTAIN,
        *(DISCLAIMER_CORE + DISCLAIMER_HINTS if is_disclaimer else ()),
        *(PRINT_HINTS + ENVIRONMENT_HINTS if is_about_paper else ()),
        *(PRIVACY_NOTES if is_about_data else ()),
    )
    for at in range(first, last):
        if any(phrase in lines[at].words.casefold() for phrase in wanted):
            return at
    return first


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
