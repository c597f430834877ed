"""Splits a text into the author's own words and folded text. Pure, in linear time."""

from collections.abc import Sequence
from typing import Final

from messaging.words.footers.author_names import NO_NAMES, AuthorNames, names_of
from messaging.words.footers.mark import DASHES, mark_footers
from messaging.words.footers.signature import PHONE_DIGITS, RULE_CHARS, is_sentence
from messaging.words.history import VERBS_AT_END, mark_history, role_of
from messaging.words.lines import Line, read_lines
from messaging.words.machine import mark_machine_lines
from messaging.words.placeholders import find_placeholders
from messaging.words.signs import may_be_folded
from messaging.words.spans import MarkedText, Span, SpanKind, Split
from messaging.words.tickets import mark_tickets

_SIGNS_OF_MACHINES: Final = ("-----BEGIN ", "begin ", "begin-base64 ", "=ybegin", "with BinHex")
_SIGNS_OF_RULES: Final = ("-----", "=====", "_____")
_SIGNS_OF_HISTORY: Final = (":", "：", "---", "===", "___", "——", "――", "***")
_SENTENCE_ENDS: Final = (".", "!", "?", "。", "！", "？")
_COMMAS: Final = (",", "，", "、")
_MAX_GREETING_CHARS: Final = 30
_ASCII_RULES: Final = ("--", "=====", "_____", "*****")
_RULES: Final = ("--", "—", *(char * 5 for char in RULE_CHARS))
# Kinds that stay folded in a mail without own words; the rest of such a mail is its message.
_NEVER_SHOWN: Final = frozenset(
    (SpanKind.MACHINE, SpanKind.ENCRYPTED, SpanKind.FILE, SpanKind.PLACEHOLDER)
)
# Beside a picture these are no message.
_ONLY_FOOTERS: Final = _NEVER_SHOWN | {SpanKind.CLIENT_FOOTER}


def split_words(
    marked: MarkedText,
    *,
    is_forward: bool = False,
    is_reply: bool = True,
    author: str = "",
    address: str = "",
    has_files: bool = False,
) -> Split:
    """Return the spans of `marked.text`, whose line ends are `\\n`.

    `is_forward` says that the subject announces a forwarded mail, `is_reply` that the header names a former mail: in
    any other mail the author typed the sign `>`, unless a line tells of a quotation. `author` is the name in From,
    `address` the address in it. Without own words the whole text counts as own, except for the footer of a program
    in a mail that `has_files`.
    """
    text = marked.text
    folded_text = text.casefold()
    names = names_of(author) if author and _may_have_name(folded_text, author) else NO_NAMES
    if not marked.marks and not names.closings and not may_be_folded(text, folded_text):
        return Split(text, (Span(SpanKind.OWN, 0, len(text)),) if text else ())
    if address and "@" in folded_text and address.casefold() in folded_text:
        names = names._replace(address=address.casefold())
    return split_by_lines(
        marked, names, is_forward=is_forward, is_reply=is_reply, has_files=has_files
    )


def _may_have_name(folded_text: str, author: str) -> bool:
    """Whether a text may have the name in From at the beginning of a signature."""
    words = author.casefold().split()
    if _has_any(folded_text, words):
        # A name in the last line has no address below it, but perhaps a rule above.
        above = folded_text.rstrip().rpartition("\n")[0]
        rules = _ASCII_RULES if above.isascii() else _RULES
        if _has_any(above, words) or _has_any(above, rules):
            return True
    # Spelled otherwise, the name counts above a phone number.
    is_ascii = folded_text.isascii() and author.isascii()
    return not is_ascii and sum(map(folded_text.count, "0123456789")) >= PHONE_DIGITS


def split_by_lines(
    marked: MarkedText,
    names: AuthorNames,
    *,
    is_forward: bool,
    is_reply: bool,
    has_files: bool = False,
) -> Split:
    """Return the same spans after a look at each line, without regard to signs; `names` are those of the author."""
    text = marked.text
    lines = read_lines(marked)
    own, quote = SpanKind.OWN, SpanKind.QUOTE
    kinds = [line.mark or (quote if line.depth else own) for line in lines]
    inner = mark_machine_lines(text, lines, kinds) if _has_any(text, _SIGNS_OF_MACHINES) else []
    if _has_any(text, _SIGNS_OF_RULES):
        mark_tickets(lines, kinds)
    forwarded = range(0)
    # Most mails have nothing of it.
    if marked.marks or _has_any(text, _SIGNS_OF_HISTORY) or _has_any(text.casefold(), VERBS_AT_END):
        forwarded = mark_history(lines, kinds, is_forward=is_forward)
    inner += find_placeholders(text)
    has_attribution = SpanKind.ATTRIBUTION in kinds or SpanKind.HEADERS in kinds
    if is_reply or has_attribution:
        inner += _quote_marks(text, lines, kinds, forwarded)
    if quote in kinds and not has_attribution:
        # Initials before the sign need it in a reply, too: `PS> dir` is typed.
        kinds = [
            own
            if kind is quote
            and line.mark is None
            and (not is_reply or (line.depth and text[line.start] != ">"))
            else kind
            for line, kind in zip(lines, kinds, strict=True)
        ]
    kinds = _mark_own_words(text, lines, kinds, inner, names, forwarded, has_files=has_files)
    inner.sort(key=lambda span: span.start)
    return Split(text, _spans_of(lines, kinds, inner))


def _mark_own_words(
    text: str,
    lines: Sequence[Line],
    kinds: list[SpanKind],
    inner: Sequence[Span],
    names: AuthorNames,
    forwarded: range,
    *,
    has_files: bool,
) -> list[SpanKind]:
    """Fold footers, and return the kinds: less is folded, step by step, where no own words would remain.

    Without own words above the `forwarded` header block, its field From stays: it tells whose words follow.
    """
    mark_footers(text, lines, kinds, names, is_forward=bool(forwarded))
    has_own_words = _has_own_words(text, lines, kinds, inner)
    if not has_own_words:
        # Some programs let the author write within the element of the signature.
        kinds = [
            SpanKind.OWN if line.mark is SpanKind.SIGNATURE else kind
            for line, kind in zip(lines, kinds, strict=True)
        ]
        mark_footers(text, lines, kinds, names)
        has_own_words = _has_own_words(text, lines, kinds, inner)
    if not has_own_words and SpanKind.SIGNATURE in kinds:
        kinds = _raise_message_below_delimiter(lines, kinds)
        mark_footers(text, lines, kinds, names)
        has_own_words = _has_own_words(text, lines, kinds, inner)
    if not has_own_words:
        found = {kind for line, kind in zip(lines, kinds, strict=True) if line.words}
        if has_files and found <= _ONLY_FOOTERS:
            return kinds
        return [kind if kind in _NEVER_SHOWN else SpanKind.OWN for kind in kinds]
    above = kinds[: forwarded.start]
    if forwarded and not _has_own_words(text, lines[: forwarded.start], above, inner):
        # A separator alone may be a line that the author typed.
        origin = [at for at in forwarded if role_of(lines[at].words) == "from"]
        for at in origin or forwarded:
            kinds[at] = SpanKind.OWN
    _mark_answered(lines, kinds)
    return kinds


def _raise_message_below_delimiter(
    lines: Sequence[Line], kinds: Sequence[SpanKind]
) -> list[SpanKind]:
    """Return the kinds with the message as own that an author wrote below the delimiter of the signature.

    A signature alone has no sentence.
    """
    signature = [at for at, kind in enumerate(kinds) if kind is SpanKind.SIGNATURE]
    below = [at for at in signature if lines[at].words not in DASHES]
    raised = list(kinds)
    if any(is_sentence(lines[at].words) for at in below):
        for at in below:
            raised[at] = SpanKind.OWN
    return raised


def _quote_marks(
    text: str, lines: Sequence[Line], kinds: Sequence[SpanKind], forwarded: range
) -> list[Span]:
    """Return the quote marks before own lines, which a forwarded mail and its header block have."""
    marks = []
    for at, (line, kind) in enumerate(zip(lines, kinds, strict=True)):
        may_be_own = kind is SpanKind.OWN or at in forwarded
        if line.depth and may_be_own and text[line.start] == ">":
            end = line.start + 2 if text.startswith("> ", line.start) else line.start + 1
            marks.append(Span(SpanKind.QUOTE, line.start, end))
    return marks


def _has_any(text: str, signs: Sequence[str]) -> bool:
    return any(map(text.__contains__, signs))


def _has_own_words(
    text: str, lines: Sequence[Line], kinds: Sequence[SpanKind], inner: Sequence[Span]
) -> bool:
    """Whether a line has a letter, a digit or a sign such as an emoji outside of the folded spans."""
    folded = sorted((span.start, span.end) for span in inner)
    at = 0
    for line, kind in zip(lines, kinds, strict=True):
        if kind is not SpanKind.OWN or not line.words:
            continue
        while at < len(folded) and folded[at][1] <= line.start:
            at += 1
        if at == len(folded) or folded[at][0] >= line.end:
            return True
        rest, position, index = [], line.start, at
        while index < len(folded) and folded[index][0] < line.end:
            rest.append(text[position : max(position, folded[index][0])])
            position = max(position, folded[index][1])
            index += 1
        rest.append(text[position : line.end])
        if "".join(rest).strip():
            return True
    return False


def _mark_answered(lines: Sequence[Line], kinds: list[SpanKind]) -> None:
    """Mark the end of each quotation that an interleaved answer follows: its last paragraph at most.

    Answers are interleaved when two of them follow quotations, or when a quotation goes on below one. A quotation
    with one answer below it is an answer under a whole mail, whose words the reader knows.
    """
    if SpanKind.QUOTE not in kinds:
        return
    quotes, answers, answers_within = _find_answers(lines, kinds)
    if len(answers) < 2 and not answers_within:
        return
    for answer in answers:
        last = quotes[answer]
        first = last
        while (
            first > 0
            and kinds[first - 1] is SpanKind.QUOTE
            and not lines[first - 1].is_blank
            and lines[first - 1].depth == lines[last].depth
            # A sentence that begins a line is what is answered.
            and not lines[first - 1].words.endswith(_SENTENCE_ENDS)
            # The answer is none to `Hi Ann,`, which is too short for a line that a program wraps.
            and not (
                lines[first - 1].words.endswith(_COMMAS)
                and len(lines[first - 1].words) <= _MAX_GREETING_CHARS
            )
        ):
            first -= 1
        kinds[first : last + 1] = [SpanKind.ANSWERED] * (last + 1 - first)


def _find_answers(
    lines: Sequence[Line], kinds: Sequence[SpanKind]
) -> tuple[dict[int, int], list[int], bool]:
    """Return the quoted line above each answer, the answers, and whether a quotation follows one."""
    quotes: dict[int, int] = {}
    answers: list[int] = []
    quoted: int | None = None
    within = False
    for at, (line, kind) in enumerate(zip(lines, kinds, strict=True)):
        if not line.words:
            continue
        if kind is SpanKind.QUOTE:
            within = within or (bool(answers) and quoted is None)
            quoted = at
        elif kind is SpanKind.OWN and quoted is not None:
            quotes[at] = quoted
            answers.append(at)
            quoted = None
        elif kind is not SpanKind.OWN:
            # An attribution begins another mail; an answer does not reach across it.
            quoted = None
    return quotes, answers, within


def _spans_of(
    lines: Sequence[Line], kinds: Sequence[SpanKind], inner: Sequence[Span]
) -> tuple[Span, ...]:
    """Join lines of one kind, and cut the inner spans out of own lines."""
    spans: list[Span] = []
    index = at = 0
    for position, (line, kind) in enumerate(zip(lines, kinds, strict=True), 1):
        if position < len(kinds) and kinds[position] is kind:
            continue
        while index < len(inner) and inner[index].start < line.end:
            cut = inner[index]
            index += 1
            start, end = max(at, cut.start), min(cut.end, line.end)
            if kind is not SpanKind.OWN or start >= end:
                continue
            _append(spans, kind, at, start)
            _append(spans, cut.kind, start, end)
            at = end
        _append(spans, kind, at, line.end)
        at = line.end
    return tuple(spans)


def _append(spans: list[Span], kind: SpanKind, start: int, end: int) -> None:
    if start == end:
        return
    if spans and spans[-1].kind is kind:
        start = spans.pop().start
    spans.append(Span(kind, start, end))
