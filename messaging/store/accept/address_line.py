"""Splits a text that was typed on a device into its recipient and its text. Pure.

`docs/plain-text.md` has the rules as a table, which is run as a test. Reasons go to the device: they are short.
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field

from messaging.model.address_syntax import mailbox, phone_number
from messaging.model.message import Address, Network
from messaging.store.accept.refusals import Refusal

MAX_QUOTED_CHARACTERS = 24
PUNCTUATION = ":,;.!"
"""The characters that may follow a recipient and do not belong to it: two spaces make a full stop on a phone."""
_ADDRESSED = re.compile(r"\s*(?:to|an|à|pour|para|aan|till?|кому|宛先)\s*[:：]\s*", re.IGNORECASE)

_NUMBER_WITH_PLUS = re.compile(r"(\+|00)[0-9().\-/]*[0-9]")
_NUMBER = re.compile(r"[0-9().\-/]*[0-9]")
_NUMBER_WITH_SPACES = re.compile(r"\s*\+[0-9]{1,4}\s+[0-9().\-/]*[0-9]{2}")
_NAME_AND_TEXT = re.compile(r"(@[^@:,;]+)[:,;](?=[^:,;])")
MIN_DIGITS_WITH_PLUS, MIN_DIGITS_WITHOUT = 5, 10
"""A word with fewer digits is not meant as a phone number: `+1 from me`, `2130 UTC`."""

_KIND = "not_understood"
NO_TEXT = Refusal(_KIND, "no text")
NO_RECIPIENT = Refusal(_KIND, "no contact to answer; begin with @name, mailbox or +number")
NO_SPACES = Refusal(_KIND, "write the number without spaces")
ONE_AT_A_TIME = Refusal(_KIND, "one recipient at a time")


@dataclass(frozen=True, slots=True)
class KnownAddresses:
    """The owner's contacts by name, and the recipient of a text that names none."""

    contacts: Mapping[str, Address] = field(default_factory=dict)
    default: Address | None = None


def parse_address_line(
    text: str, known: KnownAddresses, mail_domain: str
) -> tuple[Address, str] | Refusal:
    """Return the recipient and the text, or why there is no recipient.

    Only `mail_domain`, the domain of the gateway, may be without a dot.
    """
    addressed = _ADDRESSED.match(text)
    word, rest = _split_first_word(text[addressed.end() :] if addressed else text)
    # `alice: hi`
    has_colon = bool(word) and (
        unicodedata.normalize("NFKC", text.lstrip()[: len(word) + 1]) == f"{word}:"
    )
    if (addressed or has_colon) and "@" not in word:
        contact = known.contacts.get(word.lower())
        if contact is None and addressed and _find_recipient(word, known, mail_domain) is None:
            return Refusal(_KIND, f"no contact {_quote(word)}") if word else NO_RECIPIENT
        word = f"@{word}" if contact else word
    recipient = _find_recipient(word, known, mail_domain)
    if isinstance(recipient, Refusal):
        return recipient
    if recipient is None:
        if _NUMBER_WITH_SPACES.match(text):
            return NO_SPACES
        answer = text.strip()
        return (known.default, answer) if known.default and answer else NO_RECIPIENT
    if not rest:
        return NO_TEXT
    second, more = _split_first_word(rest)
    if more and _find_recipient(second, known, mail_domain) is not None:
        return ONE_AT_A_TIME
    return recipient, rest


def _split_first_word(text: str) -> tuple[str, str]:
    """Return the first word without the punctuation behind it, and the rest. `@alice:text` are two words."""
    words = text.split(None, 1)
    word, rest = words[0] if words else "", words[1].rstrip() if len(words) > 1 else ""
    length = len(word)
    # Keyboards for Japanese and Chinese write addresses in full width.
    word = unicodedata.normalize("NFKC", word)
    if named := _NAME_AND_TEXT.match(word):
        word, rest = named[1], word[named.end() :] + text.lstrip()[length:].rstrip()
    return word.rstrip(PUNCTUATION), rest


def _find_recipient(word: str, known: KnownAddresses, mail_domain: str) -> Address | Refusal | None:
    """Return the address that a word means, or why it has the form of one and is none; None for every other word."""
    if word.startswith("@"):
        name = word.removeprefix("@").lower()
        if not name or name in known.contacts:
            return known.contacts.get(name)
        return Refusal(_KIND, f"no contact {_quote(word)}")
    if "@" in word:
        parts = [part for part in re.split("[,;]", word) if part]
        if len(parts) > 1 and all(map(mailbox, parts)):
            return ONE_AT_A_TIME
        address = mailbox(word)
        domain = (address or "").rpartition("@")[2]
        if address and ("." in domain or domain == mail_domain):
            return Address(Network.EMAIL, address)
        return Refusal(_KIND, f"{_quote(word)} is no mailbox")
    digits = sum(character.isdigit() for character in word)
    has_plus = digits >= MIN_DIGITS_WITH_PLUS and _NUMBER_WITH_PLUS.fullmatch(word)
    if not has_plus and not (digits >= MIN_DIGITS_WITHOUT and _NUMBER.fullmatch(word)):
        return None
    number = phone_number(word) if has_plus else None
    if number is None:
        return Refusal(_KIND, f"{_quote(word)} is no number with + and country")
    return Address(Network.SMS, number)


def _quote(word: str) -> str:
    if len(word) <= MAX_QUOTED_CHARACTERS:
        return word
    return word[: MAX_QUOTED_CHARACTERS - 1] + "…"
