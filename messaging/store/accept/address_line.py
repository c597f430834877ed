"""Reads what somebody typed on a device: whom it is for, and what it says. Pure.

`docs/plain-text.md` has the rules as a table, which is run as a test. Reasons go to the device, so they are short.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from messaging.model.address_syntax import mailbox, phone_number
from messaging.model.message import Address, Network
from messaging.store.accept.policy import Refusal

MAX_QUOTED_CHARACTERS = 24
PUNCTUATION = ":,;"
"""What people write behind a name to whom they speak."""

_PLUS = re.compile(r"(\+|00)[0-9().\-/]*[0-9]")
_DIGITS = re.compile(r"[0-9().\-/]*[0-9]")
_SPACED = re.compile(r"\s*\+[0-9]{1,4}\s+[0-9().\-/]*[0-9]{2}")
MIN_DIGITS_WITH_PLUS, MIN_DIGITS_WITHOUT = 5, 10
"""From how many digits on a word is meant as a phone number: `+1 from me` and `2130 UTC` are not."""

_KIND = "not_understood"
NO_TEXT = Refusal(_KIND, "no text")
NOBODY = Refusal(_KIND, "nobody to answer; begin with @name, mailbox or +number")
NO_SPACES = Refusal(_KIND, "write the number without spaces")
ONE_AT_A_TIME = Refusal(_KIND, "one recipient at a time")


@dataclass(frozen=True, slots=True)
class Known:
    """Whom a device can mean: its owner's contacts by name, and who wrote to it last."""

    contacts: Mapping[str, Address] = field(default_factory=dict)
    last: Address | None = None


def read(typed: str, known: Known, mail_domain: str) -> tuple[Address, str] | Refusal:
    """Return whom a typed text is for and what it says, or why nobody can tell.

    `mail_domain` is ours: the only one that may be without a dot.
    """
    word, rest = _split(typed)
    to = _recipient(word, known, mail_domain)
    if isinstance(to, Refusal):
        return to
    if to is None:
        return NO_SPACES if _SPACED.match(typed) else _answer(typed.strip(), known)
    if not rest:
        return NO_TEXT
    second, more = _split(rest)
    if more and _recipient(second, known, mail_domain) is not None:
        return ONE_AT_A_TIME
    return to, rest


def _answer(text: str, known: Known) -> tuple[Address, str] | Refusal:
    return (known.last, text) if known.last and text else NOBODY


def _split(text: str) -> tuple[str, str]:
    """Return the first word without what stands behind a name, and the rest."""
    words = text.split(None, 1)
    rest = words[1].rstrip() if len(words) > 1 else ""
    return (words[0].rstrip(PUNCTUATION) if words else ""), rest


def _recipient(word: str, known: Known, mail_domain: str) -> Address | Refusal | None:
    """Return whom a word names, or why it does not though it looks like it; None when it is just a word."""
    if word.startswith("@"):
        name = word.removeprefix("@").lower()
        found = known.contacts.get(name)
        return found or (Refusal(_KIND, f"no contact {_quoted(word)}") if name else None)
    if "@" in word:
        return _mailbox(word, mail_domain)
    digits = sum(character.isdigit() for character in word)
    if _PLUS.fullmatch(word) and digits >= MIN_DIGITS_WITH_PLUS:
        number = phone_number(word)
        return Address(Network.SMS, number) if number else _no_number(word)
    if _DIGITS.fullmatch(word) and digits >= MIN_DIGITS_WITHOUT:
        return _no_number(word)
    return None


def _mailbox(word: str, mail_domain: str) -> Address | Refusal:
    found = mailbox(word)
    domain = (found or "").rpartition("@")[2]
    if found and ("." in domain or domain == mail_domain):
        return Address(Network.EMAIL, found)
    return Refusal(_KIND, f"{_quoted(word)} is no mailbox")


def _no_number(word: str) -> Refusal:
    return Refusal(_KIND, f"{_quoted(word)} is no number with + and country")


def _quoted(word: str) -> str:
    if len(word) <= MAX_QUOTED_CHARACTERS:
        return word
    return word[: MAX_QUOTED_CHARACTERS - 1] + "…"
