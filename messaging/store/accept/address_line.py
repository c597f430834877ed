"""Splits a text that was typed on a device into its recipient and its text. Pure.

`docs/plain-text.md` has the rules as a table, which is run as a test. Reasons go to the device: they are short.
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from messaging.model.address_syntax import (
    MAX_ADDRESS_CHARACTERS,
    WHATSAPP,
    continues_number,
    mailbox,
    phone_number,
)
from messaging.model.message import Address, Network
from messaging.store.accept.refusals import Refusal
from messaging.words.invisible import clean, remove_invisible

MAX_QUOTED_CHARACTERS: Final = 24
PUNCTUATION: Final = ":,;.!?。、)>]}*\"'”’»"
"""The characters that may follow a recipient and do not belong to it: two spaces make a full stop on a phone."""
_OPENING: Final = "<([{\"'*“„‘«"
_TO: Final = r"(?:to|an|à|pour|para|aan|till?|кому|宛先)"
_ADDRESSED: Final = re.compile(rf"{_TO}\s*[:：]\s*", re.IGNORECASE)
_TO_NAME: Final = re.compile(rf"{_TO}\s+(?=[^\s:：]+\s?[:：])", re.IGNORECASE)
# These begin other texts as well: `A: yes`. They count before an address or a contact only.
_PERHAPS_ADDRESSED: Final = re.compile(
    r"(?:a|do|per|dla|komu|pro|kime|kenelle|vastaanottaja|для|收件人|收件者|받는 ?사람|destinatario|destinataire)"
    r"\s*[:：]\s*",
    re.IGNORECASE,
)
# The gateway names a recipient so: `-> @alice`.
_ARROW: Final = re.compile(r"(?:[-=]?>|→)\s*(?=\S*[@＠])")
# A number of one country in pieces. Pieces of four digits each are times.
_PIECES: Final = re.compile(r"(?:\(?0[0-9()/\-]*|\([0-9]{2,5}\))(?:\s+[0-9/\-]{2,})+(?=\s|\Z)")
# `alice @example.net` and `alice(at)example.net` are no text for another person.
_BROKEN_MAILBOX: Final = re.compile(
    r"([\w.+-]+)(?:\s+@|@\s+|\s?[(\[]at[)\]]\s?)([\w-]+(?:\.[\w-]+)+)", re.IGNORECASE
)
_SKIPPED: Final = re.compile(
    "[\\s\x00-\x1f\x7f-\x9f\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]+"
)
_CHANNEL: Final = re.compile(
    r"(?:(whatsapp)|mailto|tel|sms|callto)[:：]\s?(?=[+＋0-9(]|[^\s@＠]+[@＠])", re.IGNORECASE
)
_NAMED: Final = re.compile(r"[^<>@＠\n]{1,60}<\s?([^<>\s]+@[^<>\s]+|\+[0-9]+)\s?>[:,]?")
_SEPARATOR: Final = re.compile("[:,;>：，；、](?=[^:,;>：，；、])")
_COLONS: Final = (":", "：")

_NUMBER_WITH_PLUS: Final = re.compile(r"(\+|00)[0-9().\-/]*[0-9]")
_NUMBER: Final = re.compile(r"[0-9().\-/]*[0-9]")
_NUMBER_WITH_SPACES: Final = re.compile(
    r"(?:\+[0-9]{1,4}|00[1-9][0-9]{0,3})\s+[0-9().\-/]*[0-9]{2}|\([0-9]{2,5}\)\s?[0-9][0-9 .\-/]{4,}[0-9]"
)
_MORE_DIGITS: Final = re.compile(r"[0-9().\-/]*[0-9]{2}")
MIN_DIGITS_WITH_PLUS, MIN_DIGITS_WITHOUT = 5, 10
"""A word with fewer digits is not meant as a phone number: `+1 from me`, `2130 UTC`."""
_MIN_DIGITS_AMONG_SIGNS: Final = 7
_AND: Final = frozenset(("&", "+", "and", "und", "et", "y", "e", "en", "och", "og", "i", "ja", "и"))

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


@dataclass(frozen=True, slots=True)
class _FirstWord:
    """The word that may name a recipient, and the text behind it.

    `is_named` says that it stands where only a recipient does; `is_list` that the next word may be one too, as in
    `@alice,bob`; `has_comma` that a comma follows it.
    """

    word: str
    rest: str
    is_named: bool = False
    is_list: bool = False
    has_comma: bool = False


def parse_address_line(
    text: str, known: KnownAddresses, mail_domain: str
) -> tuple[Address, str] | Refusal:
    """Return the recipient and the text, or why there is no recipient.

    Only `mail_domain`, the domain of the gateway, may be without a dot.
    """
    skipped = _SKIPPED.match(text)
    line = text[skipped.end() :] if skipped else text
    arrow = _ARROW.match(line)
    line = line[arrow.end() :] if arrow else line
    first = _find_first_word(line, known)
    recipient = _find_recipient(first.word, known, mail_domain)
    if isinstance(recipient, Refusal):
        return recipient
    if recipient is None:
        if _NUMBER_WITH_SPACES.match(line):
            return NO_SPACES
        if refusal := _refuse_broken_address(line):
            return refusal
        if first.is_named:
            return (
                Refusal(_KIND, f"no contact {_quote(first.word)}") if first.word else NO_RECIPIENT
            )
        answer = text.strip()
        return (known.default, answer) if known.default and answer else NO_RECIPIENT
    if not first.rest:
        return NO_TEXT
    return _refuse_second(first, recipient, known, mail_domain) or (recipient, first.rest)


def split_first_word(text: str) -> tuple[str, str]:
    """Return the first word in plain characters without punctuation, and the rest of the text."""
    words = text.split(None, 1)
    return (_plain(words[0]) if words else "", words[1].strip() if len(words) > 1 else "")


def _find_first_word(line: str, known: KnownAddresses) -> _FirstWord:
    """Return the first word of a line behind `To:`, a channel and brackets."""
    addressed = _ADDRESSED.match(line)
    to_name = None if addressed else _TO_NAME.match(line)
    if to_name:
        name = _plain(line[to_name.end() :].split(None, 1)[0].partition(":")[0]).lower()
        to_name = to_name if name.removeprefix("@") in known.contacts else None
    perhaps = None if addressed else _PERHAPS_ADDRESSED.match(line)
    if perhaps:
        name = _plain((line[perhaps.end() :].split(None, 1) or [""])[0]).lower()
        perhaps = perhaps if "@" in name or name in known.contacts else None
    start = addressed or to_name or perhaps
    head = line[start.end() :] if start else line
    if named := _NAMED.match(head):
        return _FirstWord(named[1], head[named.end() :].strip(), is_named=True)
    channel = _CHANNEL.match(head)
    prefix = WHATSAPP if channel and channel[1] else ""
    first = _split(head[channel.end() :] if channel else head, known)
    word, is_named = f"{prefix}{first.word}" if first.word else "", bool(start)
    is_contact = word.lower() in known.contacts
    if "@" not in word and is_contact and (is_named or first.is_named):
        word = f"@{word}"
    return _FirstWord(word, first.rest, is_named, first.is_list or (is_named and first.has_comma))


def _split(head: str, known: KnownAddresses) -> _FirstWord:
    """Split the first word off: `@alice hi`, `alice: hi`, `alice : hi`, `@alice:hi`, `@ alice hi`."""
    words = head.split(None, 1)
    if not words:
        return _FirstWord("", "")
    raw, rest = words[0], words[1].strip() if len(words) > 1 else ""
    separator = _SEPARATOR.search(raw)
    if separator and _is_before_text(_plain(raw[: separator.start()]), separator[0], known):
        text = head.lstrip()[separator.end() :].strip()
        is_colon = separator[0] in _COLONS
        return _FirstWord(_plain(raw[: separator.start()]), text, is_colon, not is_colon)
    word = _plain(raw)
    second, more = split_first_word(rest)
    if word == "@" and second.lower() in known.contacts:
        return _FirstWord(f"@{second}", more)
    if rest.startswith(_COLONS):
        return _FirstWord(word, rest[1:].strip(), is_named=True)
    return _FirstWord(word, rest, raw.endswith(_COLONS), has_comma=raw.endswith((",", "，")))


def _is_before_text(word: str, separator: str, known: KnownAddresses) -> bool:
    """Return whether a sign within a word ends a recipient: the text follows without a space."""
    if word.startswith("@"):
        return "@" not in word[1:]
    if separator in _COLONS and (word.lower() in known.contacts or mailbox(word)):
        return True
    if separator not in _COLONS and mailbox(word) and "." in word.rpartition("@")[2]:
        return True
    digits = sum(character.isdigit() for character in word)
    return digits >= MIN_DIGITS_WITH_PLUS and bool(_NUMBER_WITH_PLUS.fullmatch(word))


def _refuse_broken_address(line: str) -> Refusal | None:
    """Return why a line that begins with a mistyped address has no recipient; None for any other line."""
    head = line[:MAX_ADDRESS_CHARACTERS]
    broken = _BROKEN_MAILBOX.match(head)
    if broken and mailbox(f"{broken[1]}@{broken[2]}"):
        return Refusal(_KIND, f"{_quote(broken[0].strip())} is no mailbox")
    pieces = _PIECES.match(head)
    if pieces is None:
        return None
    is_time = all(len(piece) == 4 for piece in pieces[0].split())
    if is_time or sum(map(str.isdigit, pieces[0])) < MIN_DIGITS_WITHOUT:
        return None
    return Refusal(_KIND, f"{_quote(pieces[0].strip())} is no number with + and country")


def _refuse_second(
    first: _FirstWord, recipient: Address, known: KnownAddresses, mail_domain: str
) -> Refusal | None:
    """Return why a text with a recipient cannot go there: it names another one, or the number goes on."""
    second, more = split_first_word(first.rest)
    if recipient.network is Network.SMS and "@" not in first.word:
        digits = _MORE_DIGITS.fullmatch(second)
        if digits and continues_number(recipient.value.removeprefix(WHATSAPP), second):
            return NO_SPACES
    if not more:
        return None
    if _find_recipient(second, known, mail_domain) is not None:
        return ONE_AT_A_TIME
    is_contact = second.lower() in known.contacts
    if is_contact and first.is_list:
        return ONE_AT_A_TIME
    third, _ = split_first_word(more)
    is_third = third.startswith("@") and third[1:].lower() in known.contacts
    return ONE_AT_A_TIME if second.lower() in _AND and is_third else None


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
    return _find_number(word)


def _find_number(word: str) -> Address | Refusal | None:
    bare, is_whatsapp = word.removeprefix(WHATSAPP), word.startswith(WHATSAPP)
    digits = sum(character.isdigit() for character in bare)
    has_plus = bare.startswith(("+", "00")) and digits >= MIN_DIGITS_WITH_PLUS
    is_number = _NUMBER_WITH_PLUS.fullmatch(bare) is not None
    is_long = digits >= (MIN_DIGITS_WITH_PLUS if is_number else _MIN_DIGITS_AMONG_SIGNS)
    is_national = digits >= MIN_DIGITS_WITHOUT and _NUMBER.fullmatch(bare)
    if not (is_whatsapp or (has_plus and is_long) or is_national):
        return None
    number = phone_number(bare) if has_plus and is_number else None
    if number is None:
        return Refusal(_KIND, f"{_quote(bare)} is no number with + and country")
    return Address(Network.SMS, f"{WHATSAPP}{number}" if is_whatsapp else number)


def _plain(word: str) -> str:
    """Return a word as it is compared: in plain width, without invisible characters, brackets and signs around it."""
    plain = remove_invisible(clean(unicodedata.normalize("NFKC", word)))
    is_address = "@" in plain or plain.lstrip(_OPENING).startswith("+")
    return (plain.lstrip(_OPENING) if is_address else plain).rstrip(PUNCTUATION)


def _quote(word: str) -> str:
    if len(word) <= MAX_QUOTED_CHARACTERS:
        return word
    return word[: MAX_QUOTED_CHARACTERS - 1] + "…"
