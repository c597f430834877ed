"""Splits a text that was typed on a device into its recipient and its text. Pure.

`docs/plain-text.md` has the rules as a table, which is run as a test. Reasons go to the device: they are short.
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field

from messaging.model.address_syntax import MAX_ADDRESS_CHARACTERS, mailbox, phone_number
from messaging.model.message import Address, Network
from messaging.store.accept.refusals import Refusal
from messaging.words.invisible import remove_invisible

MAX_QUOTED_CHARACTERS = 24
PUNCTUATION = ":,;.!、"
"""The characters that may follow a recipient and do not belong to it: two spaces make a full stop on a phone."""
_OPENING = (
    " \t\r\n<([{\"'*“„«‘\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202d\u2066\u2067\u2068\ufeff"
)
_CLOSING = ">)]}\"'*”“»’"
_ADDRESSED = re.compile(r"\s*(?:to|an|à|pour|para|aan|till?|кому|宛先)\s*[:：]\s*", re.IGNORECASE)
# These begin other texts as well: `A: yes`. They count before an address or a contact only.
_PERHAPS_ADDRESSED = re.compile(
    r"\s*(?:a|do|per|dla|komu|pro|kime|kenelle|vastaanottaja|для|收件人|收件者|받는 ?사람|destinatario|destinataire)"
    r"\s*[:：]\s*",
    re.IGNORECASE,
)
# The gateway names a recipient so: `-> @alice`.
_ARROW = re.compile(r"\s*(?:[-=]?>|→)\s*(?=\S*[@＠])")
_SCHEME = re.compile(r"(?:mailto|tel|sms):(?=\S)", re.IGNORECASE)

_NUMBER_WITH_PLUS = re.compile(r"(\+|00)[0-9().\-/]*[0-9]")
_NUMBER = re.compile(r"[0-9().\-/]*[0-9]")
_NUMBER_WITH_SPACES = re.compile(r"\s*\+[0-9]{1,4}\s+[0-9().\-/]*[0-9]{2}")
# A number of one country in pieces. Pieces of four digits each are times.
_PIECES = re.compile(r"\s*(?:\(?0[0-9()/\-]*|\([0-9]{2,5}\))(?:\s+[0-9/\-]{2,})+(?=\s|\Z)")
_NAME_AND_TEXT = re.compile(r"(@[^@:,;、>]+)[:,;、>](?=[^:,;、>])")
_MAILBOX_AND_TEXT = re.compile(r"([^\s@:,;]+@[^\s@:,;]+)[:;,](?=[^:,;])")
# `alice @example.net` and `alice(at)example.net` are no text for another person.
_BROKEN_MAILBOX = re.compile(
    r"\s*([\w.+-]+)(?:\s+@|@\s+|\s?[(\[]at[)\]]\s?)([\w-]+(?:\.[\w-]+)+)", re.IGNORECASE
)
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
    arrow = _ARROW.match(text)
    start = arrow.end() if arrow else 0
    addressed = _ADDRESSED.match(text, start)
    perhaps = _PERHAPS_ADDRESSED.match(text, start)
    prefix = addressed or perhaps
    word, rest = _split_first_word(text[prefix.end() if prefix else start :], known.contacts)
    if prefix and "@" not in word:
        if word.lower() in known.contacts:
            word = f"@{word}"
        elif addressed and _find_recipient(word, known, mail_domain) is None:
            return Refusal(_KIND, f"no contact {_quote(word)}") if word else NO_RECIPIENT
    recipient = _find_recipient(word, known, mail_domain)
    if isinstance(recipient, Refusal):
        return recipient
    if recipient is None:
        if _NUMBER_WITH_SPACES.match(text):
            return NO_SPACES
        if refusal := _refuse_broken_address(text):
            return refusal
        answer = text.strip()
        return (known.default, answer) if known.default and answer else NO_RECIPIENT
    if not rest:
        return NO_TEXT
    second, more = _split_first_word(rest)
    if more and _find_recipient(second, known, mail_domain) is not None:
        return ONE_AT_A_TIME
    return recipient, rest


def _split_first_word(text: str, contacts: Mapping[str, Address] | None = None) -> tuple[str, str]:
    """Return the first word without the signs around it, and the rest. `@alice:text` are two words.

    The name of one of the `contacts` with a colon behind it becomes `@name`, and so does `@ name`.
    """
    words = text.split(None, 1)
    first, rest = words[0] if words else "", words[1].rstrip() if len(words) > 1 else ""
    # Keyboards for Japanese and Chinese write addresses in full width.
    word = _SCHEME.sub("", unicodedata.normalize("NFKC", first).lstrip(_OPENING), count=1)
    behind = text.lstrip()[len(first) :].rstrip()
    if named := _NAME_AND_TEXT.match(word) or _MAILBOX_AND_TEXT.match(word):
        return remove_invisible(named[1]).rstrip(PUNCTUATION + _CLOSING), word[
            named.end() :
        ] + behind
    name, colon, more = word.partition(":")
    if contacts and colon and name.lower() in contacts:
        return f"@{name}", (more + behind).strip()
    word = remove_invisible(word).rstrip(PUNCTUATION + _CLOSING)
    if contacts and word == "@":
        name, more = _split_first_word(rest)
        if name.lower() in contacts:
            return f"@{name}", more
    return word, rest


def _refuse_broken_address(text: str) -> Refusal | None:
    """Return why a text that begins with a mistyped address has no recipient; None for any other text."""
    head = text[:MAX_ADDRESS_CHARACTERS]
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
