"""Finds the lines above quoted history: attributions, header blocks and separators. Pure, in linear time."""

import re
from collections.abc import Sequence
from typing import Final

from messaging.words.lines import Line
from messaging.words.phrases import (
    FORWARD_LINES,
    FORWARDED,
    LABELS,
    LABELS_OF_WORDS,
    OPENERS,
    ORIGINAL,
    POINTERS_BELOW,
    WROTE,
    WROTE_WITHIN,
)
from messaging.words.spans import SpanKind

MAX_ATTRIBUTION_LINES: Final = 4
MAX_HEADER_LINES: Final = 14
MAX_LABEL_CHARS: Final = 30
_MAX_ATTRIBUTION_CHARS: Final = 400
_MAX_POINTER_LINES: Final = 12
_MIN_RULE_CHARS: Final = 5
_COLONS: Final = (":", "：")
_HEADERS: Final = SpanKind.HEADERS  # a look-up in the class takes longer than the rest of a test
VERBS_AT_END: Final = ("wrote", "schrieb", "a écrit", "写道", "寫道", "님이 작성")
_FRAMES: Final = "-=—–―_*> "
_PUNCTUATION: Final = ".,;:!?()<>[]\"'*：，、「」"
_LABEL: Final = re.compile(rf"[^:：]{{,{MAX_LABEL_CHARS}}}[:：]")
_NUMBER: Final = re.compile(r"\d+")
_DATE_NUMBERS: Final = 3  # a day, an hour and a minute


def mark_history(
    lines: Sequence[Line], kinds: list[SpanKind], *, is_forward: bool = False
) -> range:
    """Set the kinds of attributions, and of header blocks with all that follows them.

    A header block or an attribution with a date and an address begins a history without quote marks, which goes on to
    the end of the text. Any other attribution needs a quotation below it. The first mail that the author forwards is
    no history: only its header block is folded. With `is_forward` any first header block begins such a mail.
    Returns the lines of the header block of the forwarded mail, none without one.
    """
    # Few lines have a sign, and the others cost next to nothing.
    candidates = [at for at, line in enumerate(lines) if _may_begin_history(line, kinds[at])]
    # For each position the first line from there on that has words.
    next_filled = [len(lines)] * (len(lines) + 2)
    for at in range(len(lines) - 1, -1, -1) if candidates else ():
        next_filled[at] = at if lines[at].words else next_filled[at + 1]
    next_at, forwarded, is_attributed = 0, range(0), False
    for at in candidates:
        is_own = kinds[at] in (SpanKind.OWN, SpanKind.HEADERS)
        # The history below an attribution may quote a mail that was forwarded.
        may_be_forwarded = not forwarded and not (is_attributed and lines[at].depth)
        if at < next_at or not (is_own or (may_be_forwarded and lines[at].depth <= 1)):
            continue
        end = _end_of_header_block(lines, at, next_filled)
        if not end and kinds[at] is SpanKind.HEADERS:
            others = (index for index in range(at, len(kinds)) if kinds[index] is not kinds[at])
            end = next(others, len(kinds))
        if end and not forwarded and (is_forward or is_separator_of_forward(lines, at, end)):
            kinds[at:end] = [SpanKind.HEADERS] * (end - at)
            _raise_forwarded_lines(lines, kinds, end, lines[end - 1].depth)
            next_at, forwarded = end, range(at, end)
        elif end and is_own:
            kinds[at:end] = [SpanKind.HEADERS] * (end - at)
            _mark_below_headers(lines, kinds, at, end)
            break
        elif kinds[at] is SpanKind.OWN:
            _mark_attribution(lines, kinds, at, next_filled[at + 1])
        is_attributed = is_attributed or kinds[at] is SpanKind.ATTRIBUTION
    return forwarded


def _may_begin_history(line: Line, kind: SpanKind) -> bool:
    """Whether a line has a sign of an attribution or a header block."""
    words = line.words
    if not words:
        return False
    if (
        words[0] in _FRAMES
        or words.endswith(_COLONS)
        or ">" in words
        or kind is _HEADERS
        or _LABEL.match(words)
    ):
        return True
    folded = words.casefold()
    return folded.endswith(VERBS_AT_END) or folded in _WORDS_ALONE


def _mark_attribution(lines: Sequence[Line], kinds: list[SpanKind], at: int, below: int) -> None:
    """Set the kinds of the attribution that ends at `at`, and of all below it when no quote marks follow."""
    words = lines[at].words
    if _begins_history_within(words):
        kinds[at:] = [SpanKind.QUOTE] * (len(lines) - at)
    elif words.endswith(_COLONS) or words.casefold().endswith(VERBS_AT_END):
        is_quoted = below < len(lines) and kinds[below] is SpanKind.QUOTE
        start = _start_of_attribution(lines, kinds, at, is_quoted=is_quoted)
        if start is None:
            return
        kinds[start : at + 1] = [SpanKind.ATTRIBUTION] * (at + 1 - start)
        if not is_quoted:
            kinds[at + 1 :] = [SpanKind.QUOTE] * (len(lines) - at - 1)


def _mark_below_headers(lines: Sequence[Line], kinds: list[SpanKind], start: int, end: int) -> None:
    """Fold the history below a header block, but not the answers in colour within it.

    Where the author points to answers that no colour tells from the history, all of it stays.
    """
    points = points_below([line.words for line in lines[:start]])
    is_coloured = points and any(line.mark is SpanKind.OWN for line in lines[end:])
    if points and not is_coloured:
        return
    for at in range(end, len(lines)):
        if not (is_coloured and lines[at].mark is SpanKind.OWN):
            kinds[at] = SpanKind.QUOTE


def points_below(words: Sequence[str]) -> bool:
    """Whether the author says in the first lines that the answers stand in the history."""
    beginning = " ".join(words[:_MAX_POINTER_LINES]).casefold()
    return any(map(beginning.__contains__, POINTERS_BELOW))


def _raise_forwarded_lines(
    lines: Sequence[Line], kinds: list[SpanKind], start: int, base: int
) -> None:
    """Make the lines of the forwarded mail own lines, up to the first line that is quoted less."""
    for at in range(start, len(lines)):
        if lines[at].depth < base and not lines[at].is_blank:
            return
        if lines[at].depth <= base and kinds[at] is SpanKind.QUOTE:
            kinds[at] = SpanKind.OWN


def _end_of_header_block(lines: Sequence[Line], at: int, next_filled: Sequence[int]) -> int:
    """Return the line after a header block that begins at `at`, 0 when none does."""
    start = at
    separated = False
    # A rule of underscores and a separator may precede the fields.
    for _ in range(2):
        if at == len(lines) or not _is_above_fields(lines[at].words):
            break
        separated = separated or is_separator(lines[at].words)
        at = next_filled[at + 1]
    if at >= len(lines):
        return at if separated else 0
    roles, end, has_address = _read_header_fields(lines, at)
    needed = 2 if separated else 3
    if len(roles) >= needed and "from" in roles and (has_address or "subject" in roles):
        return end
    # A separator is clear enough by itself; a rule is not.
    return max(at, start + 1) if separated else 0


def _read_header_fields(lines: Sequence[Line], at: int) -> tuple[set[str], int, bool]:
    """Return the roles of the fields from `at` on, the line after them, and whether one holds an address."""
    roles: set[str] = set()
    end, has_address, unlabelled = at, False, 0
    for index in range(at, min(len(lines), at + MAX_HEADER_LINES)):
        words = lines[index].words
        role = role_of(words)
        if role is not None:
            if role in roles and role != "other":
                break
            roles.add(role)
            has_address = has_address or "@" in words
            end, unlabelled = index + 1, 0
        elif words or unlabelled:
            # A long value goes on in the next line, but not after the last field.
            unlabelled += 1
            if not roles or unlabelled > 2:
                break
        elif not roles:
            break
    return roles, end, has_address


def role_of(words: str) -> str | None:
    """Return the role of a field by its label, such as `from` for `Von: Ann`."""
    head = words[: MAX_LABEL_CHARS + 1].replace("：", ":").lstrip("*_ |")
    label, colon, _ = head.partition(":")
    if not colon:
        return None
    label = label.strip("*_ ").casefold()
    return LABELS.get(label) or LABELS_OF_WORDS.get(label) or LABELS.get(label.replace(" ", ""))


def is_separator(words: str) -> bool:
    """Whether a line announces a former mail: `-----Original Message-----`, `Begin forwarded message:`."""
    if words[0] not in _FRAMES and not words.endswith(_COLONS):
        return False
    folded = words.casefold().strip("*_ ")
    if folded in FORWARD_LINES:
        return True
    core = folded.strip(_FRAMES)
    is_framed = folded.startswith(("---", "===", "—", "――")) and folded != core
    # Zoho and Notes frame an attribution: `---- On Fri, 27 Nov 2026 10:12 Boop <boop@…> wrote ---`.
    if is_framed and "@" in core and folded.endswith("---") and _has_verb(core):
        return True
    if not is_framed or not core.startswith(_SEPARATORS):
        return False
    # Samsung's program lets the first field follow in the same line, Chinese ones frame with blanks.
    phrase = next(phrase for phrase in _SEPARATORS if core.startswith(phrase))
    rest = core[len(phrase) :].lstrip(": ")
    return not rest or rest.startswith("--")


_WORDS_ALONE: Final = frozenset((*ORIGINAL, *FORWARDED))
_SEPARATORS: Final = tuple(sorted({*ORIGINAL, *FORWARDED}, key=len, reverse=True))


def is_separator_of_forward(lines: Sequence[Line], start: int, end: int) -> bool:
    """Whether a header block begins with a line that announces a forwarded mail."""
    for line in lines[start:end][:4]:
        folded = line.words.casefold().strip("*_ ")
        if folded in FORWARD_LINES or (
            folded.startswith("-") and folded.lstrip("- ").startswith(FORWARDED)
        ):
            return True
    return False


def _is_above_fields(words: str) -> bool:
    """Whether a line may stand above the fields of a former mail: a rule, a separator, the words of one alone."""
    is_rule = len(words) >= _MIN_RULE_CHARS and not words.strip("_-=*—―")
    return is_rule or is_separator(words) or words.casefold() in _WORDS_ALONE


def _begins_history_within(words: str) -> bool:
    """Whether a line holds an attribution and the former mail behind it, as Yahoo's program writes."""
    head, bracket, rest = words.partition(">")
    verb, colon, text = rest.partition(":")
    return bool(
        bracket and colon and text.strip() and len(verb) <= MAX_LABEL_CHARS
        and "@" in head and count_numbers(head) >= _DATE_NUMBERS
        # Turkish and the languages of East Asia begin with the date.
        and (_first_word(words) in OPENERS or words[0].isdigit()) and _has_verb(f"{head} {verb}")
    )  # fmt: skip


def _start_of_attribution(
    lines: Sequence[Line], kinds: Sequence[SpanKind], last: int, *, is_quoted: bool
) -> int | None:
    """Return the first line of the attribution that ends at `last`, None when there is none.

    The fewest lines are taken that hold a date and a verb or an address; with a quotation below, a verb alone will do.
    """
    weak = None
    words = ""
    for first in range(last, max(-1, last - MAX_ATTRIBUTION_LINES), -1):
        if kinds[first] is not SpanKind.OWN or lines[first].is_blank:
            break
        words = f"{lines[first].words} {words}"
        if len(words) > _MAX_ATTRIBUTION_CHARS:
            break
        has_address = "@" in words
        if not (has_address or is_quoted):
            continue
        has_date, has_verb = count_numbers(words) >= _DATE_NUMBERS, _has_verb(words)
        ends_with_address = words.rstrip(" :：").endswith((">", ")"))
        if has_date and has_address and (has_verb or is_quoted or ends_with_address):
            return _extend_to_opener(lines, kinds, first)
        if is_quoted and has_date and has_verb:
            return _extend_to_opener(lines, kinds, first)
        if weak is None and is_quoted and has_verb:
            weak = first
    return weak


def _extend_to_opener(lines: Sequence[Line], kinds: Sequence[SpanKind], first: int) -> int:
    """Return the line above `first` when the attribution begins there: `On Mon,` before a line break."""
    above = first - 1
    if above < 0 or kinds[above] is not SpanKind.OWN or _first_word(lines[first].words) in OPENERS:
        return first
    return (
        above if _first_word(lines[above].words) in OPENERS and "," in lines[above].words else first
    )


def _first_word(words: str) -> str:
    return words.partition(" ")[0].casefold().strip(_PUNCTUATION)


def _has_verb(words: str) -> bool:
    folded = words.casefold()
    if any(map(folded.__contains__, WROTE_WITHIN)):
        return True
    # `napisał(a)` keeps its bracket: both forms of a word count.
    return any(
        word.rstrip(":：,") in WROTE or word.strip(_PUNCTUATION) in WROTE for word in folded.split()
    )


def count_numbers(words: str) -> int:
    """Return how many groups of digits a text has."""
    return len(_NUMBER.findall(words))
