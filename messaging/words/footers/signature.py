"""Finds the address lines below the name of an author, without a delimiter above them. Pure, in linear time."""

import re
from collections.abc import Collection, Iterable, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Final, NamedTuple

from messaging.words.lines import Line
from messaging.words.phrases import (
    CLOSINGS,
    CONTACT_EVIDENCE,
    FIRMS,
    NAME_PARTICLES,
    OFFICES,
    PHONE_LABELS,
    REGISTERS,
)
from messaging.words.spans import SpanKind

MAX_SIGNATURE_LINES: Final = 20
MAX_LOOSE_SIGNATURE_LINES: Final = 8
MAX_CLOSING_CHARS: Final = 100
MAX_BLOCK_LINE_CHARS: Final = 100
MAX_BEHIND_NAME_CHARS: Final = 40
_MAX_NAME_CHARS: Final = 40
_MAX_NAME_WORDS: Final = 8
_MAX_TITLE_CHARS: Final = 7
_DIGIT: Final = re.compile(r"\d")
PHONE_DIGITS: Final = 7
_REGISTER_DIGITS: Final = 6
_SMALL_WORDS: Final = 3
_SENTENCE_ENDS: Final = (".", "!", "?", "。", "？", "！")
_POSTSCRIPTS: Final = ("ps", "p.s")
CLOSING_BEGINNINGS: Final = tuple(phrase.rstrip(",") for phrase in CLOSINGS)
# A time of day makes an appointment.
_TIME: Final = re.compile(r"\b(?<!\d[.])[0-2]?\d[:.h][0-5]\d\b(?![.\d])")
# A date or a position belongs to a message.
_DATE: Final = re.compile(r"(?<![\d./-])\d{1,4}[./-]\d{1,2}[./-]\d{2,4}(?![\d./-])")
_POSITION: Final = re.compile(
    r"[°′″]|\d[.,]\d{3,}\b(?![.,]\d)|\b\d+\s?[NS]\b.{0,20}\b\d+\s?[EWO]\b"
)
# Words in which sentences of languages without blanks end, and of Korean.
_EASTERN_VERB: Final = re.compile(
    r"(?:ます|です|した|せん|さい|ね|よ|요|니다|했다|죠|了|吗|嗎|吧|呢)\Z"
)
_LABEL: Final = re.compile(r"\w{1,12}[.:]")
_LINK: Final = re.compile(r"https?://|www\.|\S@\S", re.IGNORECASE)
_AROUND_NAME: Final = " \t/-–—~*_,.!;:|"
# `Fiona Abernathy (Surveyors)`, `Fiona Abernathy | Surveyors`, `Fiona via List`
_BEHIND_NAME: Final = re.compile(r"\s*[(\[|/].*|\s+[-–—]\s.*|\s+via\s.*")


def _any_of(words: Iterable[str]) -> str:
    return "|".join(map(re.escape, sorted(words, key=len, reverse=True)))


_OFFICE: Final = re.compile(rf"(?<!\w)(?:{_any_of(OFFICES)})", re.IGNORECASE)
# The form stands behind a word: `40 KG` is none.
_FIRM: Final = re.compile(
    rf"(?<=[^\W\d] )(?:{_any_of(FIRMS)})(?!\w)|(?<=[^\W\d], )(?:{_any_of(FIRMS)})(?!\w)"
)
_FIRM_AT_END: Final = re.compile(rf"(?:{_FIRM.pattern})\.?\Z")
_REGISTER: Final = re.compile(rf"(?<!\w)(?:{_any_of(REGISTERS)})(?!\w)", re.IGNORECASE)


class AuthorNames(NamedTuple):
    """The forms of an author's name, case-folded: the words of the full ones, and those that end a message.

    Each form has one of the `beginnings`.
    """

    full: frozenset[tuple[str, ...]] = frozenset()
    closings: frozenset[str] = frozenset()
    beginnings: tuple[str, ...] = ()


NO_NAMES: Final = AuthorNames()


@lru_cache(maxsize=1000)
def names_of(display_name: str) -> AuthorNames:
    """Return the forms of the name in From; none without a name."""
    name = _BEHIND_NAME.sub("", display_name, count=1).casefold()
    last, comma, first = name.partition(",")
    words = tuple(_skip_titles((f"{first} {last}" if comma else name).split()))
    if not words or "@" in name or len(name) > 2 * _MAX_NAME_CHARS:
        return AuthorNames()
    # Chinese, Japanese and Korean names may stand without a blank.
    joined = "".join(words)
    full: set[tuple[str, ...]] = set()
    if len(joined) > 1 and not joined.isascii() and joined.upper() == joined:
        full.add((joined,))
    if len(words) == 1:
        return AuthorNames(frozenset(full), frozenset(words), words)
    given, family = words[0], words[-1]
    full |= {words, (family, *words[:-1]), (given, family)}
    closings = {given, " ".join(words[:-1]), f"{given[0]}. {family}", f"{given} {family[0]}"}
    closings.update(map(" ".join, full))
    return AuthorNames(frozenset(full), frozenset(closings), (given, family, f"{given[0]}."))


def mark_contact_block(
    lines: Sequence[Line],
    kinds: list[SpanKind],
    start: int,
    end: int,
    names: AuthorNames,
    *,
    is_first: bool,
) -> None:
    """Fold the address lines below a closing phrase and a name, which stay, and those below the author's name.

    With `is_first` no own words stand above `start`.
    """
    filled = [at for at in range(max(start, end - 2 * MAX_SIGNATURE_LINES), end) if lines[at].words]
    # Below a closing phrase and a name, an address has a few lines, and one at least.
    for position in range(max(0, len(filled) - MAX_LOOSE_SIGNATURE_LINES - 2), len(filled) - 1):
        if not _is_closing(lines[filled[position]].words):
            continue
        below = filled[position + 1 :]
        if (
            below
            and len(lines[below[0]].words) <= _MAX_NAME_CHARS
            and not is_contact(lines[below[0]].words)
        ):
            below = below[1:]
        if is_address([lines[index] for index in below]):
            kinds[below[0] : end] = [SpanKind.SIGNATURE] * (end - below[0])
            return
    if names.closings:
        first = _find_block_of_author(lines, filled, names, is_first=is_first)
        if first is not None:
            kinds[first:end] = [SpanKind.SIGNATURE] * (end - first)


def _find_block_of_author(
    lines: Sequence[Line], filled: Sequence[int], names: AuthorNames, *, is_first: bool
) -> int | None:
    """Return the first line of a signature that begins with the author's name, None when there is none.

    The full name belongs to the signature; a name that ends the message stays. Each line below must read like one of
    an address.
    """
    candidates = _find_candidates(lines, filled, names)
    below: list[str] = []
    for position in range(len(filled) - 1, candidates[0] - 1, -1) if candidates else ():
        at = filled[position]
        words = lines[at].words
        above = lines[filled[position - 1]].words if position else ""
        if position in candidates and not above.endswith((":", "：")):
            has_contact = _has_contact(below)
            is_apart = at > 0 and (lines[at - 1].is_blank or _is_closing(above))
            is_signature = has_contact or (is_apart and _have_titles(below))
            if is_signature and _begins_with_name(words, names.full):
                if not above and is_first:
                    return None
                return filled[position + 1] if above and _is_closing(above) else at
            is_closing = words.casefold().strip(_AROUND_NAME) in names.closings
            # The nearest line stands last.
            is_office = _OFFICE.search(below[-1]) or _is_evidence(below[-1])
            if is_closing and has_contact and is_office and len(below) > 1:
                return filled[position + 1]
        if not _is_address_line(words):
            return None
        below.append(words)
    return None


def _find_candidates(lines: Sequence[Line], filled: Sequence[int], names: AuthorNames) -> list[int]:
    """Return the positions in `filled` at which a name may begin a signature.

    Most mails have none, and the other tests take longer.
    """
    candidates = []
    for position in range(max(0, len(filled) - MAX_LOOSE_SIGNATURE_LINES - 1), len(filled) - 1):
        beginning = lines[filled[position]].words[:_MAX_NAME_CHARS].casefold().lstrip(_AROUND_NAME)
        if beginning.startswith(names.beginnings) or "." in beginning[:_MAX_TITLE_CHARS]:
            candidates.append(position)
    return candidates


def _skip_titles(pieces: Sequence[str]) -> Sequence[str]:
    """Return the words of a name without titles such as `Dr.` before it; an initial is none."""
    for at, piece in enumerate(pieces):
        if not piece.endswith(".") or not 2 < len(piece) <= _MAX_TITLE_CHARS:
            return pieces[at:]
    return ()


def _begins_with_name(words: str, names: Collection[tuple[str, ...]]) -> bool:
    """Whether a line is one of some names, with titles before it, and letters such as `MSc` or an office behind it."""
    pieces = _skip_titles(words.strip(_AROUND_NAME).split())
    folded = tuple(piece.casefold().strip(",;|") for piece in pieces[:_MAX_NAME_WORDS])
    length = next((len(name) for name in names if folded[: len(name)] == name), 0)
    rest = pieces[length:]
    if not length or len(" ".join(rest)) > MAX_BEHIND_NAME_CHARS:
        return False
    if rest and words.endswith(_SENTENCE_ENDS) and "." not in rest[-1][:-1]:
        return False
    return not any(piece[0].islower() for piece in rest)


def _is_address_line(words: str) -> bool:
    """Whether a line may stand in a signature: words of the author begin small, end in a stop, or tell a date."""
    if len(words) > MAX_BLOCK_LINE_CHARS:
        return False
    if _REGISTER.search(words) and len(_DIGIT.findall(words)) >= _REGISTER_DIGITS:
        return True
    is_firm = _FIRM_AT_END.search(words)
    if (
        is_sentence(words.rstrip(".") if is_firm else words)
        or _DATE.search(words)
        or _POSITION.search(words)
    ):
        return False
    if _EASTERN_VERB.search(words):
        return False
    if words.endswith((*_SENTENCE_ENDS, "…", ":", "：", ";")) and not is_firm:
        return False
    is_small = words[0].islower()
    return not is_small or bool(_LABEL.match(words) or _LINK.search(words.partition(" ")[0]))


def _is_evidence(words: str) -> bool:
    """Whether a line has a phone number, an address in the net, a firm or the number of a register."""
    digits = len(_DIGIT.findall(words))
    return bool(
        digits >= PHONE_DIGITS
        or _LINK.search(words)
        or _FIRM.search(words)
        or (digits >= _REGISTER_DIGITS and _REGISTER.search(words))
    )


def _has_contact(below: Sequence[str]) -> bool:
    """Whether some lines tell how to reach a person; `Call 0171 1234567` alone is a request."""
    if len(below) == 1 and not (_LINK.search(below[0]) or _FIRM.search(below[0])):
        first = below[0].casefold().split()[0].rstrip(".:")
        if first.isalpha() and len(first) > 2 and not first.startswith(PHONE_LABELS):
            return False
    return any(map(_is_evidence, below))


def _have_titles(below: Sequence[str]) -> bool:
    """Whether some lines name an office: `Bureau des guides`, but not `Office closed Monday`."""
    if not any(map(_OFFICE.search, below)):
        return False
    for words in below:
        for before, word in pairwise(words.split()):
            if word[0].islower() and word not in NAME_PARTICLES and before not in NAME_PARTICLES:
                return False
    return True


def is_address(lines: Sequence[Line]) -> bool:
    """Whether some lines tell how to reach a person; one sentence among them makes them words of the author."""
    return (
        len(lines) <= MAX_LOOSE_SIGNATURE_LINES
        and any(is_contact(line.words) for line in lines)
        and not any(is_sentence(line.words) for line in lines)
    )


def _is_closing(words: str) -> bool:
    """Whether a line is a closing phrase, with a name at most."""
    if len(words) > MAX_CLOSING_CHARS:
        return False
    folded = words.casefold().rstrip(",.!;:、， ")
    if not folded.startswith(CLOSING_BEGINNINGS):
        return False
    rest = folded[len(next(phrase for phrase in CLOSING_BEGINNINGS if folded.startswith(phrase))) :]
    return not rest or (not rest[0].isalnum() and len(rest.split()) <= 1)


def is_contact(words: str) -> bool:
    """Whether a line has a phone number, an address in the net or the like."""
    folded = words.casefold()
    has_evidence = any(map(folded.__contains__, CONTACT_EVIDENCE))
    return has_evidence or len(_DIGIT.findall(folded)) >= PHONE_DIGITS


def is_sentence(words: str) -> bool:
    """Whether a line is a sentence rather than a name, an office or an address."""
    pieces = words.split()
    if words.casefold().startswith(_POSTSCRIPTS):
        return True
    if (len(pieces) >= 4 and words.endswith(_SENTENCE_ENDS)) or _TIME.search(words):
        return True
    small = sum(piece[0].islower() and piece.isalpha() for piece in pieces)
    return small >= _SMALL_WORDS
