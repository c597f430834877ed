"""Normalises phone numbers to E.164."""

import re

import phonenumbers

_E164 = re.compile(r"\+[1-9][0-9]{6,14}")
_WRITTEN_NUMBER = re.compile(r"\+[0-9][0-9 ().\-]*")


def normalised(value: str) -> str:
    """Return an international number as E.164; anything else (short codes, names, channel addresses) as given."""
    value = value.replace("\0", "").strip()
    if _E164.fullmatch(value) or not _WRITTEN_NUMBER.fullmatch(value):
        return value  # what is E.164 stays, also where a country changed its numbers since
    try:
        number = phonenumbers.parse(value, None)
    except phonenumbers.NumberParseException:
        return value
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
