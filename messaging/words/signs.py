"""Tells from a few signs whether anything of a text may be folded. Pure, in linear time.

Most texts of people have none of these signs, and a search for them costs less than a look at each line.
"""

import re
from collections.abc import Iterable
from typing import Final

from messaging.words.footers.client import BULLETS, STAMP_BEGINNINGS
from messaging.words.footers.signature import CLOSING_BEGINNINGS, PHONE_DIGITS, RULE_CHARS
from messaging.words.phrases import (
    CONTACT_EVIDENCE,
    DISCLAIMER_CERTAIN,
    DISCLAIMER_CORE,
    EXTERNAL_SENDERS,
    FOOTER_BEGINNINGS,
    FOOTER_FRAMES,
    FORWARD_LINES,
    LIST_FOOTERS,
    LIST_FOOTERS_CERTAIN,
    NOTICES_ABOVE,
    PLATFORMS,
    PRIVACY_NOTES,
    SIGNS_OF_PRINT,
)

_FEW_COLONS: Final = 2  # a header block has three fields
# Two characters of a rule, a separator or a delimiter.
_RULE: Final = re.compile(rf"[{re.escape(RULE_CHARS)}]{{2}}")
_ASCII_RULE: Final = re.compile("[-_=*][-_=*]")
_DIGIT: Final = re.compile(r"\d")


def _pattern(phrases: Iterable[str], before: str) -> re.Pattern[str]:
    """Return the pattern of a line that begins with a phrase behind characters of `before`.

    The line end gives it a fixed first character, and nothing is tried twice.
    """
    rests: dict[str, list[str]] = {}
    for phrase in phrases:
        rests.setdefault(phrase[0], []).append(re.escape(phrase[1:]).replace(r"\ ", " +"))
    # One branch for each first character: a line is compared with few phrases.
    words = "|".join(f"{re.escape(first)}(?:{'|'.join(rest)})" for first, rest in rests.items())
    return re.compile(rf"\n[ {re.escape(before)}]*+(?:{words})")


def choose_signs(phrases: Iterable[str]) -> tuple[str, ...]:
    """Return words of which each phrase has one. No line break within a phrase divides a word."""
    signs: list[str] = []
    for phrase in sorted(phrases, key=lambda one: (one.count(" "), len(one))):
        if not any(sign in phrase for sign in signs):
            signs.append(max(reversed(phrase.split()), key=len))
    return tuple(signs)


# Lines of programs: footers, the beginnings of forwarded mails, of files and of lines framed by a dash.
_BEGINNING: Final = _pattern(
    (
        *FOOTER_BEGINNINGS,
        *(begin for begin, _ in FOOTER_FRAMES),
        *LIST_FOOTERS,
        *LIST_FOOTERS_CERTAIN,
        *FORWARD_LINES,
        *STAMP_BEGINNINGS,
        *("begin", "=ybegin", "this file must be converted", "—", "##"),
    ),
    BULLETS.replace("—", ""),
)
_CLOSING: Final = _pattern(CLOSING_BEGINNINGS, "")
_SIGNS: Final = choose_signs(
    (
        *DISCLAIMER_CERTAIN,
        *DISCLAIMER_CORE,
        *NOTICES_ABOVE,
        *EXTERNAL_SENDERS,
        *PRIVACY_NOTES,
        *SIGNS_OF_PRINT,
        *PLATFORMS,
    )
)
_ASCII_SIGNS: Final = tuple(filter(str.isascii, _SIGNS))


def may_be_folded(text: str, folded: str) -> bool:
    """Whether `text` has a sign of folded words, apart from the name of its author; `folded` is its case-folded form.

    Quotations, attributions, stand-ins and addresses need one of the single characters. A text with invisible
    characters may hide a sign.
    """
    if "<" in text or ">" in text or "[" in text or "@" in text or "(http" in folded:
        return True
    rule = _ASCII_RULE if text.isascii() else _RULE
    if folded.count(":") + folded.count("：") > _FEW_COLONS or rule.search(text):
        return True
    if not text.replace("\n", " ").isprintable() or "\u034f" in text:
        return True
    lines = f"\n{folded}"
    if _BEGINNING.search(lines) or (_CLOSING.search(lines) and _has_contact(folded)):
        return True
    return any(map(folded.__contains__, _ASCII_SIGNS if folded.isascii() else _SIGNS))


def _has_contact(folded: str) -> bool:
    """Whether a text has a phone number, an address in the net or the like, perhaps in several lines."""
    has_evidence = any(map(folded.__contains__, CONTACT_EVIDENCE))
    return has_evidence or len(_DIGIT.findall(folded)) >= PHONE_DIGITS
