"""Finds the footers below own lines: of signatures, clients, disclaimers, lists. Pure, in linear time."""

import re
from collections.abc import Sequence
from typing import Final

from messaging.words.lines import Line
from messaging.words.phrases import (
    CLOSINGS,
    CONTACT_EVIDENCE,
    DEVICES,
    DISCLAIMER_CERTAIN,
    DISCLAIMER_CORE,
    DISCLAIMER_HINTS,
    FOOTER_APOLOGIES,
    FOOTER_BEGINNINGS,
    FOOTER_FRAMES,
    LIST_EVIDENCE,
    LIST_FOOTERS,
    LIST_FOOTERS_CERTAIN,
    LIST_HINTS,
    NOTICES_ABOVE,
)
from messaging.words.spans import SpanKind
from messaging.words.tickets import is_token

MAX_SIGNATURE_LINES: Final = 20
MAX_LOOSE_SIGNATURE_LINES: Final = 8
MAX_FOOTER_CHARS: Final = 80
MAX_APOLOGY_CHARS: Final = 45
MIN_BOX_RULE_CHARS: Final = 10
MIN_FOOTER_CHARS: Final = 5
MIN_DISCLAIMER_CHARS: Final = 20
MAX_PLAIN_FOOTER_CHARS: Final = 60
MAX_NOTICE_CHARS: Final = 120
MAX_CLOSING_CHARS: Final = 100
MAX_PARAGRAPH_CHARS: Final = 8000
_DASHES: Final = frozenset(("--", "—", "- --"))
_HINTS_NEEDED: Final = 3
_DIGIT: Final = re.compile(r"\d")
_PHONE_DIGITS: Final = 7
_SENTENCE_ENDS: Final = (".", "!", "?", "。", "？", "！")
_POSTSCRIPTS: Final = ("ps", "p.s")
_SMALL_WORDS: Final = 3
_MAX_NAME_CHARS: Final = 40
_CLOSINGS: Final = tuple(phrase.rstrip(",") for phrase in CLOSINGS)
_FRAME_ENDS: Final = tuple({end for _, end in FOOTER_FRAMES})
_ADDRESS: Final = re.compile(r"[<(]https?://[^<>()]{0,300}[>)]?")
# A time of day makes an appointment.
_TIME: Final = re.compile(r"\b[0-2]?\d[:.h][0-5]\d\b(?![.\d])")
_BULLETS: Final = "*_-–—[](){}<>|~ "


def mark_footers(text: str, lines: Sequence[Line], kinds: list[SpanKind]) -> None:
    """Set the kinds of all footers, in each run of own lines for itself."""
    at, is_first = 0, True
    while at < len(lines):
        if kinds[at] is not SpanKind.OWN:
            at += 1
            continue
        end = at
        while end < len(lines) and kinds[end] is SpanKind.OWN:
            end += 1
        start = _mark_banner(lines, kinds, at, end) if is_first else at
        end_of_words = _mark_signature(text, lines, kinds, start, end)
        _mark_contact_block(
            lines, kinds, start, _mark_last_paragraphs(lines, kinds, start, end_of_words)
        )
        at, is_first = end, False


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
    text: str, lines: Sequence[Line], kinds: list[SpanKind], start: int, end: int
) -> int:
    """Fold all from the last delimiter on, unless too much follows it; return the end of the rest."""
    filled = 0
    for at in range(end - 1, start - 1, -1):
        if lines[at].words in _DASHES:
            raw = text[lines[at].start : lines[at].end].rstrip("\r\n")
            if _is_signature(lines, at, end, filled, is_exact=raw == "-- "):
                _mark(kinds, at, end, SpanKind.SIGNATURE)
                return at
            return end
        filled += bool(lines[at].words)
        if filled > MAX_SIGNATURE_LINES:
            break
    return end


def _is_signature(lines: Sequence[Line], at: int, end: int, filled: int, *, is_exact: bool) -> bool:
    """Whether the lines below a delimiter are a signature: people draw a line of dashes between own words, too."""
    if is_exact:
        return filled <= MAX_SIGNATURE_LINES
    return (
        filled <= MAX_LOOSE_SIGNATURE_LINES
        and not any(_is_sentence(line.words) for line in lines[at + 1 : end])
        and (
            at == 0
            or lines[at - 1].is_blank
            or any(_is_contact(line.words) for line in lines[at + 1 : end])
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
            # A rule at the end belongs to the footer below it.
            if not (is_client or _is_rule(words) or is_token(words)):
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
        if _is_rule(lines[at].words) or lines[at].words in _DASHES:
            below = _paragraph(lines, at + 1, last)
            if any(map(below.__contains__, LIST_HINTS)):
                return at, SpanKind.LIST_FOOTER
            is_box = len(lines[at].words) >= MIN_BOX_RULE_CHARS
            return (
                (at, SpanKind.SIGNATURE) if is_box and _is_address(lines[at + 1 : last]) else None
            )
    has_evidence = any(map(words.__contains__, LIST_EVIDENCE))
    for at in range(first, last):
        line = lines[at].words.casefold().lstrip(_BULLETS)
        if line.startswith(LIST_FOOTERS_CERTAIN) or (
            has_evidence and line.startswith(LIST_FOOTERS)
        ):
            return at, SpanKind.LIST_FOOTER
    if len(words) < MIN_DISCLAIMER_CHARS:
        return None
    core = sum(map(words.__contains__, DISCLAIMER_CORE))
    hints = sum(map(words.__contains__, DISCLAIMER_HINTS)) if core else 0
    is_disclaimer = core > 0 and core + hints >= _HINTS_NEEDED
    if not is_disclaimer and not any(map(words.__contains__, DISCLAIMER_CERTAIN)):
        return None
    wanted = (*DISCLAIMER_CERTAIN, *(DISCLAIMER_CORE + DISCLAIMER_HINTS if is_disclaimer else ()))
    for at in range(first, last):
        if any(phrase in lines[at].words.casefold() for phrase in wanted):
            return at, SpanKind.DISCLAIMER
    return first, SpanKind.DISCLAIMER


def _is_rule(words: str) -> bool:
    return len(words) >= 3 and not words.strip("_-=*—―")


def is_client_footer(words: str) -> bool:
    """Whether a line is an advertisement of the author's device or program."""
    folded = words.casefold().strip(_BULLETS)
    if "http" in folded:  # the address behind `Outlook` does not count
        folded = " ".join(_ADDRESS.sub(" ", folded).split())
    sentence, _, more = folded.partition(". ")
    if len(more) <= MAX_APOLOGY_CHARS and any(map(more.__contains__, FOOTER_APOLOGIES)):
        folded = sentence
    if not MIN_FOOTER_CHARS <= len(folded) <= MAX_FOOTER_CHARS:
        return False
    is_footer = len(folded) <= MAX_PLAIN_FOOTER_CHARS and folded.startswith(FOOTER_BEGINNINGS)
    if not is_footer:
        core = folded.rstrip(".!。 ")
        is_footer = core.endswith(_FRAME_ENDS) and any(
            folded.startswith(begin) and core.endswith(end) for begin, end in FOOTER_FRAMES
        )
    return is_footer and any(map(folded.__contains__, DEVICES))


def _mark_contact_block(lines: Sequence[Line], kinds: list[SpanKind], start: int, end: int) -> None:
    """Fold the address lines below a closing phrase and a name, which stay."""
    filled = [at for at in range(max(start, end - 2 * MAX_SIGNATURE_LINES), end) if lines[at].words]
    for position, at in enumerate(filled):
        if not _is_closing(lines[at].words):
            continue
        below = filled[position + 1 :]
        if (
            below
            and len(lines[below[0]].words) <= _MAX_NAME_CHARS
            and not _is_contact(lines[below[0]].words)
        ):
            below = below[1:]
        if _is_address([lines[index] for index in below]):
            _mark(kinds, below[0], end, SpanKind.SIGNATURE)
            return


def _is_address(lines: Sequence[Line]) -> bool:
    """Whether some lines tell how to reach a person; one sentence among them makes them words of the author."""
    return (
        len(lines) <= MAX_LOOSE_SIGNATURE_LINES
        and any(_is_contact(line.words) for line in lines)
        and not any(_is_sentence(line.words) for line in lines)
    )


def _is_closing(words: str) -> bool:
    """Whether a line is a closing phrase, with a name at most."""
    if len(words) > MAX_CLOSING_CHARS:
        return False
    folded = words.casefold().rstrip(",.!;:、， ")
    if not folded.startswith(_CLOSINGS):
        return False
    rest = folded[len(next(phrase for phrase in _CLOSINGS if folded.startswith(phrase))) :]
    return not rest or (not rest[0].isalnum() and len(rest.split()) <= 1)


def _is_contact(words: str) -> bool:
    folded = words.casefold()
    has_evidence = any(map(folded.__contains__, CONTACT_EVIDENCE))
    return has_evidence or len(_DIGIT.findall(folded)) >= _PHONE_DIGITS


def _is_sentence(words: str) -> bool:
    """Whether a line is a sentence rather than a name, an office or an address."""
    pieces = words.split()
    if words.casefold().startswith(_POSTSCRIPTS):
        return True
    if (len(pieces) >= 4 and words.endswith(_SENTENCE_ENDS)) or _TIME.search(words):
        return True
    small = sum(piece[0].islower() and piece.isalpha() for piece in pieces)
    return small >= _SMALL_WORDS


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
