"""Gives the text that a device is shown of a mail. Pure; the router and a preview use the same function."""

import re
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from messaging.words.invisible import clean, remove_invisible
from messaging.words.lines import match_initials
from messaging.words.spans import MarkedText, Span, SpanKind, Split
from messaging.words.split import split_words

MAX_ANSWERED_CHARS: Final = 40
# A cut saves next to nothing of a line that is hardly longer, and takes its last word.
_MAX_UNCUT_CHARS: Final = 46
MAX_SHORT_CHARS: Final = 100
MAX_LINK_CHARS: Final = 100
_PUNCTUATION: Final = (".", ",", ";", ":", "!", "?", ")", "\n", "")
# `begin 644 photo.jpg`, `=ybegin line=128 size=3 name=photo.jpg`
_FILE_BEGINNING: Final = re.compile(
    r"^[> ]*(?:begin(?:-base64)? [0-7]{3,4} (\S.*)|=ybegin (?:.*name=)?(.*)|\(This file must be .*)$",
    re.MULTILINE,
)
_CUT: Final = " ..."
_MANY_NEWLINES: Final = re.compile("\n{3,}")
# The beginnings by which programs mark a forwarded mail in its subject.
_FORWARD_SUBJECTS: Final = (
    "fwd:", "fw:", "wg:", "tr:", "rv:", "enc:", "i:", "doorst:", "vb:", "vl:", "pd:", "転送:", "转发:",
    "轉寄:", "转发：", "轉寄：", "전달:", "ilt:", "пересл:", "пер:", "[fwd:",
)  # fmt: skip


@dataclass(frozen=True, slots=True, repr=False)
class OwnWords:
    """The author's own words as the device is shown them, and the split that they come from.

    `whole_text` is all of the text, clean. `encrypted_texts` counts the encrypted texts, `file_names` has the files
    that the text holds.
    """

    text: str
    whole_text: str
    split: Split
    encrypted_texts: int = 0
    file_names: tuple[str, ...] = ()


def own_words(
    marked: MarkedText,
    subject: str = "",
    *,
    is_reply: bool = True,
    author: str = "",
    address: str = "",
    has_files: bool = False,
) -> OwnWords:
    """Return the own words of a mail's text, clean and with interleaved questions shortened.

    `is_reply` says whether the header of the mail names a former mail, `author` is the name in From, `address` the
    address in it; `has_files` says whether the mail has files that are named.
    """
    split = split_words(
        marked,
        is_forward=is_forward_subject(subject),
        is_reply=is_reply,
        author=author,
        address=address,
        has_files=has_files,
    )
    whole = clean(split.text)
    spans = split.spans
    if not spans or (len(spans) == 1 and spans[0].kind is SpanKind.OWN):
        return OwnWords(_shorten_gaps(remove_invisible(whole)), whole, split)
    link = _find_link(split)
    pieces = [""]
    for span in spans:
        if span.kind is SpanKind.OWN or span is link:
            pieces.append(split.text[span.start : span.end])
        elif span.kind is SpanKind.ANSWERED:
            pieces.append(f"\n{shorten_question(split.text[span.start : span.end])}\n")
        elif span.kind is SpanKind.PLACEHOLDER:
            # The blank before an address goes with it: `the plan <https://…>.`
            if split.text[span.end : span.end + 1] in _PUNCTUATION:
                pieces[-1] = pieces[-1].rstrip(" ")
        else:
            # A folded line ends the paragraph before it; a stand-in stands within one.
            pieces.append("\n" if split.text[span.end - 1] == "\n" else "")
    kinds = [span.kind for span in spans]
    return OwnWords(
        _shorten_gaps(remove_invisible(clean("".join(pieces)))),
        whole,
        split,
        kinds.count(SpanKind.ENCRYPTED),
        _names_of_files(split) if SpanKind.FILE in kinds else (),
    )


def _names_of_files(split: Split) -> tuple[str, ...]:
    """Return the names in the first lines of the files that a text holds."""
    return tuple(
        match[1] or match[2] or ""
        for span in split.spans
        if span.kind is SpanKind.FILE
        for match in _FILE_BEGINNING.finditer(split.text, span.start, span.end)
    )


def _shorten_gaps(text: str) -> str:
    """Return `text` with at most one blank line between two others."""
    if "\n\n\n" in text:
        text = _MANY_NEWLINES.sub("\n\n", text)
    return text.strip()


def _find_link(split: Split) -> Span | None:
    """Return the address behind the only link in the own words of a short mail: it may be the message."""
    links = [
        span
        for before, span in pairwise(split.spans)
        if before.kind is SpanKind.OWN
        and span.kind is SpanKind.PLACEHOLDER
        and split.text.startswith("<http", span.start)
    ]
    if len(links) != 1 or links[0].end - links[0].start > MAX_LINK_CHARS:
        return None
    own_chars = sum(span.end - span.start for span in split.spans if span.kind is SpanKind.OWN)
    return links[0] if own_chars <= MAX_SHORT_CHARS else None


def is_forward_subject(subject: str) -> bool:
    """Whether a subject begins with the mark of a forwarded mail."""
    return subject.lstrip().casefold().startswith(_FORWARD_SUBJECTS)


def shorten_question(quoted: str) -> str:
    """Return quoted lines as one line; a long one is cut to `MAX_ANSWERED_CHARS` characters, between words."""
    lines = quoted[: 20 * MAX_ANSWERED_CHARS].split("\n")
    signs = [match_initials(line) for line in lines]
    lines = [
        line[sign.end() if sign else 0 :].lstrip("> \t")
        for line, sign in zip(lines, signs, strict=True)
    ]
    words = " ".join(remove_invisible(" ".join(lines)).split())
    if len(words) > _MAX_UNCUT_CHARS:
        head = words[: MAX_ANSWERED_CHARS + 1].rpartition(" ")[0]
        words = (head or words[:MAX_ANSWERED_CHARS]) + _CUT
    return f"> {words}"
