"""The syntax of mailboxes, domains and phone numbers: the one place that checks and normalises them. Pure.

`mailbox` and `phone_number` are strict: they read text that a person typed. `relay_mailbox`, `e164` and `sms_address`
are for addresses that a network or a setting gave.
"""

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from typing import Final

import email_validator
import idna
import phonenumbers

MAX_ADDRESS_CHARACTERS: Final = 254
"""RFC 5321 section 4.5.3.1.3: a path has at most 256 octets, of which two are the brackets."""

MAX_NAME_CHARACTERS: Final = 64
"""RFC 5321 section 4.5.3.1.1: the local part of a mailbox."""

MAX_CACHED: Final = 1024

WHATSAPP: Final = "whatsapp:"
"""Stands before a number that is reached over WhatsApp, as Twilio writes it."""

# A gateway may stand in a network of its own: `ops@mail.local` is an address there. The library documents this list
# as part of its interface.
email_validator.SPECIAL_USE_DOMAIN_NAMES.clear()

_PREFIX: Final = re.compile(r"\+[1-9][0-9]{0,14}")
_E164: Final = re.compile(r"\+[1-9][0-9]{6,14}")
# Mail comes from local parts such as `a..b` and from host names such as `a_b.example`, and can be answered.
_RELAY_LOCAL: Final = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.\-\u00a1-\U0010ffff]{1,64}")
_RELAY_DOMAIN: Final = re.compile(r"(?=.{1,253}\Z)[a-z0-9_-]+(?:\.[a-z0-9_-]+)*")


@lru_cache(MAX_CACHED)
def mailbox(text: str) -> str | None:
    """Return a mail address with its domain in lower case; None when the text is not a mail address.

    Keeps the local part as it is: only its own server knows whether case counts. Refuses quoted local parts and
    address literals.
    """
    # The library needs long to refuse a long text.
    if len(text) > MAX_ADDRESS_CHARACTERS:
        return None
    try:
        found = email_validator.validate_email(
            text, strict=True, check_deliverability=False, globally_deliverable=False
        )
    except email_validator.EmailNotValidError:
        return None
    local, _, domain = text.rpartition("@")
    # An ASCII domain stays in ASCII: mail brings it in this form, and names of contacts are found by comparison.
    return f"{local}@{domain.lower() if domain.isascii() else found.domain}"


def relay_mailbox(text: str) -> str | None:
    """Return a mail address with its domain in ASCII; None when no relay would take mail for it.

    Looser than `mailbox`: accepts every address that mail can come from and be sent to without quotes.
    """
    local, _, domain = text.rpartition("@")
    domain = ascii_domain(domain)
    valid = (
        _RELAY_LOCAL.fullmatch(local) and local.isprintable() and _RELAY_DOMAIN.fullmatch(domain)
    )
    return f"{local}@{domain}" if valid else None


def ascii_domain(domain: str) -> str:
    """Return a domain in lower case, without a final dot, in its ASCII form (IDNA 2008).

    Returns a domain that has no ASCII form in lower case.
    """
    domain = domain.lower().removesuffix(".")
    if domain.isascii():
        return domain
    try:
        return idna.encode(domain, uts46=True).decode("ascii")
    except idna.IDNAError:
        return domain


@lru_cache(MAX_CACHED)
def mailbox_spellings(address: str) -> tuple[str, ...]:
    """Return the spellings, in lower case, under which a list may have a mailbox: those of its domain."""
    plain = address.lower()
    if plain.isascii() and not plain.endswith(".") and "xn--" not in plain:
        return (plain,)
    local, at, domain = unicodedata.normalize("NFC", plain).rpartition("@")
    ascii_form = ascii_domain(domain)
    try:
        forms = (ascii_form, idna.decode(ascii_form))
    except (idna.IDNAError, UnicodeError):
        forms = (ascii_form, ascii_form)
    return tuple(dict.fromkeys((plain, *(f"{local}{at}{form}" for form in forms))))


def subscriber_name(text: str) -> str | None:
    """Return the name in lower case, as it is stored; None when it cannot be the local part of a mailbox.

    A name has no `+`, which separates a sub-address, and only ASCII characters.
    """
    name = text.strip().lower()
    valid = name.isascii() and "+" not in name and mailbox(f"{name}@localhost") is not None
    return name if valid else None


@lru_cache(MAX_CACHED)
def own_mailbox(text: str, mail_domain: str) -> str | None:
    """Return the name of the subscriber whose mailbox this is; None when the domain is not `mail_domain`.

    Ignores case and a sub-address: `boop+anything` is the mailbox `boop` (RFC 5233).
    """
    local, at, domain = text.rpartition("@")
    if not at or (domain != mail_domain and ascii_domain(domain) != ascii_domain(mail_domain)):
        return None
    return _unquote(local).partition("+")[0].lower()


def sub_address(text: str) -> str:
    """Return the sub-address of a mailbox in lower case, `spare` for `boop+spare@example.org`; empty without one."""
    return _unquote(text.rpartition("@")[0]).partition("+")[2].lower() if "+" in text else ""


def _unquote(local: str) -> str:
    is_quoted = len(local) > 1 and local[0] == local[-1] == '"'
    return local[1:-1] if is_quoted else local


def phone_number(text: str, region: str | None = None) -> str | None:
    """Return a phone number in E.164; None when the text is not a phone number.

    A number without a country code is one of `region` (ISO 3166). `00` stands for `+`.
    """
    international = "+" + text[2:] if text.startswith("00") else text
    try:
        number = phonenumbers.parse(international, region)
    except phonenumbers.NumberParseException:
        return None
    # A number without its area works in that area only: from elsewhere it reaches a stranger.
    possible = phonenumbers.is_possible_number_with_reason(number)
    is_complete = possible == phonenumbers.ValidationResult.IS_POSSIBLE
    if number.extension or not is_complete or any(character.isalpha() for character in text):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def e164(text: str) -> str | None:
    """Return a phone number in E.164; None when the text is not a phone number with its country code.

    Returns a text that has the form of E.164 unchanged.
    """
    # Countries change their numbers, and numbers for tests are not assigned: the network knows, not the library.
    return text if _E164.fullmatch(text) else phone_number(text)


def continues_number(number: str, digits: str) -> bool:
    """Return whether digits behind a number in E.164 may be the rest of it: a space was typed within the number."""
    try:
        is_valid = phonenumbers.is_valid_number(phonenumbers.parse(number))
    except phonenumbers.NumberParseException:
        return False
    return not is_valid and phone_number(number + digits) is not None


@lru_cache(MAX_CACHED)
def country_of(number: str) -> str:
    """Return the country (ISO 3166) of a phone number in E.164; its calling code, such as `+881`, if it has none.

    A number that is not assigned is one of the main country of its calling code. Empty for any other text.
    """
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return ""
    calling_code = parsed.country_code or 0
    found = phonenumbers.region_code_for_number(parsed)
    code = found or phonenumbers.region_code_for_country_code(calling_code)
    return code if code.isalpha() and code != "ZZ" else f"+{calling_code}"


def check_countries(entries: Iterable[str]) -> None:
    """Raise ValueError unless each entry is an ISO 3166 code, a prefix such as `+33`, or `*`."""
    for entry in entries:
        is_known = entry == "*" or entry in phonenumbers.SUPPORTED_REGIONS
        if not is_known and not _PREFIX.fullmatch(entry):
            raise ValueError("must be countries and prefixes such as DE,FR,+44, or * for all")


def whatsapp_address(text: str) -> str | None:
    """Return an address of WhatsApp such as `whatsapp:+15551230000`; None for every other text."""
    channel, _, number = text.partition(":")
    found = e164(number.strip()) if f"{channel.strip().lower()}:" == WHATSAPP else None
    return f"{WHATSAPP}{found}" if found else None


def phone_spellings(address: str) -> tuple[str, ...]:
    """Return the addresses, in lower case, under which a list may have the sender or recipient of an SMS.

    A phone that is reached over WhatsApp has its number too.
    """
    if whatsapp := whatsapp_address(address):
        return whatsapp, whatsapp.removeprefix(WHATSAPP)
    return ((e164(address) or address).lower(),)


def sms_address(text: str) -> str:
    """Return the address of a sender or recipient of SMS: E.164 for a phone number, any other text unchanged.

    An address of WhatsApp keeps its channel. Short codes and names are no phone numbers. Removes NUL and outer spaces.
    """
    text = text.replace("\0", "").strip()
    return e164(text) or whatsapp_address(text) or text
