"""Finds the address lines below the name of an author, without a delimiter above them. Pure, in linear time."""

import re
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Final

from messaging.words.footers.author_names import (
    AROUND_NAME,
    MAX_NAME_CHARS,
    AuthorNames,
    begins_with_name,
    is_name_in_other_spelling,
)
from messaging.words.lines import Line
from messaging.words.phrases import (
    ADDRESS_WORDS,
    CLOSINGS,
    CONTACT_EVIDENCE,
    EASTERN_FIRMS,
    EASTERN_REQUESTS,
    FIRMS,
    FIRMS_BEFORE,
    FORMS_OF_ADDRESS,
    NAME_PARTICLES,
    NEW_WORDS,
    NUMBER_WORDS,
    OFFICE_HOURS,
    OFFICES,
    PHONE_LABELS,
    REGISTERS,
    REQUESTS,
    STREETS,
    TITLES,
    VERBS,
    WORDS_FOR_NUMBERS,
)
from messaging.words.spans import SpanKind

MAX_SIGNATURE_LINES: Final = 20
MAX_LOOSE_SIGNATURE_LINES: Final = 8
MAX_CLOSING_CHARS: Final = 100
MAX_BLOCK_LINE_CHARS: Final = 100
MAX_AUTHOR_BLOCK_LINES: Final = 12
_MAX_TITLE_CHARS: Final = 12
_MAX_OFFICE_CHARS: Final = 90
_MIN_RULE_CHARS: Final = 10
_MIN_GAP_LINES: Final = 3
_MAX_FIRM_CHARS: Final = 25
_MAX_ADDRESS_LINES: Final = 6
# Characters of which people and programs draw a rule.
RULE_CHARS: Final = "_-=*—―━─═＿＝＊◇◆☆★■□"
_DIGIT: Final = re.compile(r"\d")
_ASCII_DIGIT: Final = re.compile("[0-9]")
PHONE_DIGITS: Final = 7
_LABELLED_DIGITS: Final = 5
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
_LABEL: Final = re.compile(r"[\w/-]{1,12}[.:]")
_LINK: Final = re.compile(r"https?://|www\.|\S@\S", re.IGNORECASE)
_OF_NUMBERS: Final = re.compile(r"[\d()+./,;|:#–—-]+\Z")


def _any_of(words: Iterable[str]) -> str:
    return "|".join(map(re.escape, sorted(words, key=len, reverse=True)))


_OFFICE: Final = re.compile(rf"(?<!\w)(?:{_any_of(OFFICES)})", re.IGNORECASE)
# The form stands behind a word: `40 KG` is none.
_FIRM: Final = re.compile(rf" (?<![\d\s] )(?:{_any_of(FIRMS)})(?!\w)")
_FIRM_AT_END: Final = re.compile(rf"(?:{_FIRM.pattern})\.?\Z")
# A firm whose form stands before a name in quotation marks.
_FIRM_BEFORE: Final = re.compile(rf"(?<!\w)(?:{_any_of(FIRMS_BEFORE)}) ?[«\"„“]")
_TITLE: Final = re.compile(rf"(?<!\w)(?:{_any_of((*OFFICES, *TITLES))})", re.IGNORECASE)
_REGISTER: Final = re.compile(rf"(?<!\w)(?:{_any_of(REGISTERS)})(?!\w)", re.IGNORECASE)


def mark_contact_block(
    lines: Sequence[Line],
    kinds: list[SpanKind],
    start: int,
    end: int,
    names: AuthorNames,
    *,
    is_first: bool,
    is_above_headers: bool = False,
) -> None:
    """Fold the address lines below a closing phrase and a name, which stay, and those below the author's name.

    With `is_first` no own words stand above `start`, with `is_above_headers` a header block follows at `end`.
    """
    filled = [at for at in range(max(start, end - 2 * MAX_SIGNATURE_LINES), end) if lines[at].words]
    if names.closings and filled:
        first = _find_block_of_author(lines, filled, names, is_first=is_first)
        if first is None:
            first = _find_lone_name(lines, filled, names, is_above_headers=is_above_headers)
        if first is not None:
            first = _extend_above(lines, filled, first)
            kinds[first:end] = [SpanKind.SIGNATURE] * (end - first)
            return
    if names.address and filled and not (is_first and len(filled) == 1):
        first = _find_block_of_address(lines, filled, names)
        if first is not None:
            kinds[first:end] = [SpanKind.SIGNATURE] * (end - first)
            return
    # Below a closing phrase and a name, an address has a few lines, and one at least.
    for position in range(max(0, len(filled) - MAX_LOOSE_SIGNATURE_LINES - 2), len(filled) - 1):
        if not _is_closing(lines[filled[position]].words):
            continue
        below = filled[position + 1 :]
        if (
            below
            and len(lines[below[0]].words) <= MAX_NAME_CHARS
            and not is_contact(lines[below[0]].words)
        ):
            below = below[1:]
        if is_address([lines[index] for index in below]):
            kinds[below[0] : end] = [SpanKind.SIGNATURE] * (end - below[0])
            return


def _extend_above(lines: Sequence[Line], filled: Sequence[int], first: int) -> int:
    """Return the first line of a signature with the rule or the Eastern firm directly above the name."""
    for at in reversed([at for at in filled[1:] if first - 2 <= at < first]):
        words = lines[at].words
        is_firm = (
            at == first - 1
            and len(words) <= _MAX_FIRM_CHARS
            and any(map(words.__contains__, EASTERN_FIRMS))
            and _is_address_line(words)
        )
        if not is_firm and not (len(words) >= _MIN_RULE_CHARS and not words.strip(RULE_CHARS)):
            break
        first = at
    return first


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
        words = lines[filled[position]].words
        above = lines[filled[position - 1]].words if position else ""
        if position in candidates and below and not above.endswith((":", "：")):
            if _is_signature_below(lines, filled, position, below, names):
                if not above and is_first:
                    return None
                return _start_of_signature(lines, filled, position, below, names, is_first=is_first)
            if (
                len(below) > 1
                and _is_name_of_message(words, names)
                # The nearest line stands last.
                and (_OFFICE.search(below[-1]) or _is_evidence(below[-1]))
                and _has_contact(below)
            ):
                return filled[position + 1]
        if not _is_address_line(words) and not (
            # Long titles stand directly below the name.
            position - 1 in candidates
            and _is_office(words)
            and _has_contact(below)
            and (begins_with_name(above, names) or is_name_in_other_spelling(above, names))
        ):
            return None
        below.append(words)
    return None


def _is_signature_below(
    lines: Sequence[Line],
    filled: Sequence[int],
    position: int,
    below: Sequence[str],
    names: AuthorNames,
) -> bool:
    """Whether a line is the author's full name and begins a signature."""
    words = lines[filled[position]].words
    has_contact = _has_contact(below)
    # `Kari Moe, daglig leder`
    name, _, office = words.partition(", ")
    if begins_with_name(words, names) or (_is_office(office) and begins_with_name(name, names)):
        at = filled[position]
        above = lines[filled[position - 1]].words if position else ""
        is_apart = at > 0 and (lines[at - 1].is_blank or _is_closing(above))
        return has_contact or (is_apart and _have_titles(below))
    # A name in other letters needs a phone number, without which no text is searched for it.
    has_number = _count_digits(below) >= PHONE_DIGITS
    return has_contact and has_number and is_name_in_other_spelling(words, names)


def _start_of_signature(
    lines: Sequence[Line],
    filled: Sequence[int],
    position: int,
    below: Sequence[str],
    names: AuthorNames,
    *,
    is_first: bool,
) -> int:
    """Return the first line of the signature with the author's full name at `position`.

    A closing phrase above it belongs to the signature in one paragraph with name and address, and where the author
    signed before. The name alone below a closing phrase is the author's.
    """
    at = filled[position]
    if not position or not _is_closing(lines[filled[position - 1]].words):
        return at
    closing = filled[position - 1]
    is_only_text = position == 1 and is_first
    is_signed = position > 1 and _is_name_of_message(lines[filled[position - 2]].words, names)
    # The paragraphs of HTML have a blank line between them.
    gap = min((b - a for a, b in pairwise(filled[position + 1 :])), default=1)
    is_block = len(below) > 1 and _has_contact(below) and filled[position + 1] - at <= gap
    if is_signed or (at - closing <= gap and is_block and not is_only_text):
        return closing
    return at if at - closing > gap and is_block else filled[position + 1]


def _is_name_of_message(words: str, names: AuthorNames) -> bool:
    """Whether a line is a form of the author's name that ends a message."""
    return words.casefold().strip(AROUND_NAME) in names.closings


def _find_lone_name(
    lines: Sequence[Line], filled: Sequence[int], names: AuthorNames, *, is_above_headers: bool
) -> int | None:
    """Return the first line of a signature that is the author's full name alone, None when there is none.

    QQ Mail draws a rule above it; Foxmail leaves blank lines between text, name and header block.
    """
    last = filled[-1]
    name = tuple(lines[last].words.casefold().split())
    if len(filled) < 2 or name not in names.full:
        return None
    above = filled[-2]
    rule = lines[above].words
    if len(filled) > 2 and len(rule) >= _MIN_RULE_CHARS and not rule.strip(RULE_CHARS):
        return above
    return last if is_above_headers and last - above > _MIN_GAP_LINES else None


def _find_block_of_address(
    lines: Sequence[Line], filled: Sequence[int], names: AuthorNames
) -> int | None:
    """Return the first line of a signature that tells the author's address, and name, phone or firm at most.

    A gap or a short form of the name stands above it, but no line that speaks of an address or a number.
    """
    has_address = has_phone = False
    for position in range(len(filled) - 1, max(0, len(filled) - _MAX_ADDRESS_LINES - 2) - 1, -1):
        words = lines[filled[position]].words
        is_address_of_author = _is_line_of_address(words, names.address)
        is_phone = not is_address_of_author and _is_phone_line(words)
        has_address, has_phone = has_address or is_address_of_author, has_phone or is_phone
        if is_address_of_author or (
            len(words) <= MAX_NAME_CHARS
            and (
                is_phone
                or tuple(words.casefold().split()) in names.full
                or _FIRM_AT_END.search(words)
                or any(map(words.__contains__, EASTERN_FIRMS))
            )
        ):
            continue
        first = filled[position + 1] if position + 1 < len(filled) else None
        if not has_address or first is None:
            return None
        folded = words.casefold()
        words_of_news = ADDRESS_WORDS + WORDS_FOR_NUMBERS if has_phone else ADDRESS_WORDS
        if folded.endswith((":", "：")) or any(map(folded.__contains__, words_of_news)):
            return None
        gap = first - filled[position]
        is_apart = gap > _MIN_GAP_LINES - 1 or (gap > 1 and words.endswith(_SENTENCE_ENDS))
        return first if is_apart or _is_name_of_message(words, names) else None
    return None


def _is_line_of_address(words: str, address: str) -> bool:
    """Whether a line is nothing but an address, perhaps behind a label: `E-mail: ann@example.org`."""
    label, _, rest = words.casefold().rpartition(" ")
    if label and not (len(label) <= _MAX_TITLE_CHARS and label.endswith((":", "."))):
        return False
    rest = rest.strip("<>()[]").removeprefix("mailto:")
    return rest == address


def _find_candidates(lines: Sequence[Line], filled: Sequence[int], names: AuthorNames) -> list[int]:
    """Return the positions in `filled` at which a name may begin a signature.

    Most mails have none, and the other tests take longer.
    """
    candidates = []
    first = max(0, len(filled) - MAX_AUTHOR_BLOCK_LINES - 1)
    # A name in other letters counts above a phone number only.
    has_number = None
    is_ascii = "".join(names.beginnings).isascii()
    for position in range(first, len(filled) - 1):
        beginning = lines[filled[position]].words[:MAX_NAME_CHARS].casefold().lstrip(AROUND_NAME)
        is_candidate = (
            beginning.startswith(names.beginnings)
            or "." in beginning[:_MAX_TITLE_CHARS]
            or beginning.partition(" ")[0] in FORMS_OF_ADDRESS
        )
        if not is_candidate and not (is_ascii and beginning.isascii()):
            if has_number is None:
                has_number = _count_digits(lines[at].words for at in filled[first:]) >= PHONE_DIGITS
            is_candidate = has_number
        if is_candidate:
            candidates.append(position)
    return candidates


def _count_digits(texts: Iterable[str]) -> int:
    return sum(len(_ASCII_DIGIT.findall(text)) for text in texts)


def _is_address_line(words: str) -> bool:
    """Whether a line may stand in a signature: words of the author begin small, end in a stop, or tell a date."""
    if len(words) > MAX_BLOCK_LINE_CHARS:
        return False
    digits = len(_DIGIT.findall(words))
    if digits >= _LABELLED_DIGITS and _is_phone_line(words):
        return True
    if digits >= _REGISTER_DIGITS and _REGISTER.search(words):
        return True
    if words.casefold().startswith(OFFICE_HOURS) and ":" in words:
        return True
    is_firm = _FIRM_AT_END.search(words)
    if (
        is_sentence(words.rstrip(".") if is_firm else words)
        or _DATE.search(words)
        or _POSITION.search(words)
        or _EASTERN_VERB.search(words)
        or _is_request(words)
    ):
        return False
    if words.endswith((*_SENTENCE_ENDS, "…", ":", "：", ";")) and not is_firm:
        return False
    first = words.partition(" ")[0]
    if not words[0].islower() or _LABEL.match(words) or _LINK.search(first):
        return True
    return first.rstrip(".,") in STREETS or bool(_FIRM_BEFORE.search(words))


def _is_phone_line(words: str) -> bool:
    """Whether a line has nothing but phone numbers with the usual labels."""
    if _POSITION.search(words) or _TIME.search(words):
        return False
    is_marked = "+" in words or "(" in words or words[0].isalpha()
    if _DATE.search(words) and not is_marked:
        return False
    digits, labels = 0, 0
    for piece in words.replace("：", ":").replace(":", ": ").split():
        if _OF_NUMBERS.match(piece):
            digits += len(_DIGIT.findall(piece))
            continue
        label = piece.strip("().:/|,;").casefold()
        is_short = len(label) <= 2 and (label.isascii() or label.upper() != label)
        if not is_short and not label.startswith(PHONE_LABELS):
            return False
        labels += 1
    return digits >= (_LABELLED_DIGITS if labels else PHONE_DIGITS) and labels <= 2 + digits // 5


def _is_office(words: str) -> bool:
    """Whether a line is the title of an office, with as many small words as it has in many languages."""
    found = _TITLE.search(words)
    if not found or words.count(" ", 0, found.start()) > 2 or len(words) > _MAX_OFFICE_CHARS:
        return False
    if words.endswith((*_SENTENCE_ENDS, "…", ":", "：", ";")) or _DIGIT.search(words):
        return False
    pieces = [piece.strip(",;()").casefold() for piece in words.split()]
    return VERBS.isdisjoint(pieces) and pieces[0] not in REQUESTS


def _is_request(words: str) -> bool:
    """Whether a line asks for something, or announces a number: `Call 0171 1234567`, `My new number: …`."""
    pieces = words.casefold().replace(":", " ").split()
    if not pieces:
        return False
    if pieces[0].strip(",.!") in REQUESTS and not words.partition(" ")[0].endswith((":", ".")):
        return True
    if pieces[0] in NEW_WORDS and any(one.startswith(NUMBER_WORDS) for one in pieces[1:4]):
        return True
    return not words.isascii() and any(map(words.__contains__, EASTERN_REQUESTS))


def _is_evidence(words: str) -> bool:
    """Whether a line has a phone number, an address in the net, a firm or the number of a register."""
    digits = len(_DIGIT.findall(words))
    return bool(
        digits >= PHONE_DIGITS
        or (digits >= _LABELLED_DIGITS and _is_phone_line(words))
        or _LINK.search(words)
        or _FIRM.search(words)
        or (not words.isascii() and _FIRM_BEFORE.search(words))
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
    """Whether a line is a closing phrase, perhaps in two languages, with a name at most."""
    if len(words) > MAX_CLOSING_CHARS:
        return False
    for half in words.casefold().split("/"):
        folded = half.strip(",.!;:、，。 ")
        if not folded.startswith(CLOSING_BEGINNINGS):
            return False
        phrase = max(filter(folded.startswith, CLOSING_BEGINNINGS), key=len)
        rest = folded[len(phrase) :]
        if rest and (rest[0].isalnum() or len(rest.split()) > 1):
            return False
    return True


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
