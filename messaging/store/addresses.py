"""Reads mailboxes and telephone numbers the way they are compared and stored: pure."""

import re

import phonenumbers

MAX_ADDRESS_CHARACTERS = 254
"""RFC 5321 section 4.5.3.1.3: a path has at most 256 octets, of which two are the brackets."""

MAX_NAME_CHARACTERS = 64
"""RFC 5321 section 4.5.3.1.1: the local part of a mailbox."""

# RFC 5322 dot-atom in lower case, without "+", which separates the sub-address.
_ATOM = r"[a-z0-9!#$%&'*/=?^_`{|}~-]+"
_NAME = re.compile(rf"{_ATOM}(?:\.{_ATOM})*")
_E164 = re.compile(r"\+[1-9][0-9]{6,14}")
_MAILBOX = re.compile(r"[^\s@\x00-\x20\x7f]+@[^\s@\x00-\x20\x7f]+")


def subscriber_name(text: str) -> str | None:
    """Return the name as it is stored (lower case), or None when it cannot be the local part of a mailbox."""
    name = text.strip().lower()
    return name if len(name) <= MAX_NAME_CHARACTERS and _NAME.fullmatch(name) else None


def own_mailbox(mailbox: str, mail_domain: str) -> str | None:
    """Return the name of the subscriber whose mailbox this is, or None when the domain is not ours.

    Case does not count and a sub-address (`boop+anything`) is the mailbox itself (RFC 5233).
    """
    local, at, domain = mailbox.rpartition("@")
    if not at or domain.rstrip(".").lower() != mail_domain:
        return None
    if len(local) > 1 and local[0] == local[-1] == '"':
        local = local[1:-1]
    return local.partition("+")[0].lower()


def is_mailbox(text: str) -> bool:
    """Whether mail can be addressed to this; whether it exists is for the mail servers to say."""
    return _MAILBOX.fullmatch(text) is not None


def e164(text: str) -> str | None:
    """Return the number as `+` and digits (ITU-T E.164), or None when it is none. Spaces and dashes do not count."""
    if _E164.fullmatch(text):
        return text
    try:
        parsed = phonenumbers.parse(text, None)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(parsed):
        return None
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
