"""Mailboxes and phone numbers as people write them on devices: checked and normalised. Pure."""

import re

import phonenumbers

MAX_MAILBOX_BYTES = 254  # RFC 5321 section 4.5.3.1.3, without the angle brackets
MAX_LOCAL_PART_CHARACTERS = 64  # RFC 5321 section 4.5.3.1.1

# A dot-atom (RFC 5322 section 3.2.3) with the letters of RFC 6532; quoted local parts and address
# literals are left out: nobody types them on a device, and they are a way to smuggle.
_ATOM = r"[^\s@\"(),:;<>\[\\\].]+"
_LOCAL_PART = re.compile(rf"{_ATOM}(?:\.{_ATOM})*")
_LABEL = r"(?!-)(?:[^\W_]|-){1,63}(?<!-)"
_DOMAIN = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")


def mailbox(text: str) -> str | None:
    """Return a mail address with its domain in lower case, None when it is none.

    The local part is its owner's business.
    """
    local, _, domain = text.rpartition("@")
    valid = (
        text.isprintable()
        and len(text.encode("utf-8", "replace")) <= MAX_MAILBOX_BYTES
        and len(local) <= MAX_LOCAL_PART_CHARACTERS
        and _LOCAL_PART.fullmatch(local)
        and _DOMAIN.fullmatch(domain)
    )
    return f"{local}@{domain.lower()}" if valid else None


def phone_number(text: str, region: str | None = None) -> str | None:
    """Return the E.164 form, None when it is none. Without a country code it is a number of `region` (ISO 3166)."""
    international = "+" + text[2:] if text.startswith("00") else text
    try:
        number = phonenumbers.parse(international, region)
    except phonenumbers.NumberParseException:
        return None
    lettered = any(character.isalpha() for character in text)
    # Not without the area: a number that only works there reaches a stranger, or nobody, from elsewhere.
    possible = phonenumbers.is_possible_number_with_reason(number)
    if lettered or number.extension or possible != phonenumbers.ValidationResult.IS_POSSIBLE:
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
