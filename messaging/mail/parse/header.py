"""Reads the fields of a mail's header that people see: the subject and the author. Pure."""

import re
from typing import Final

from messaging.mail.parse.fields import decode_words
from messaging.mail.parse.parts import MailPart
from messaging.mail.text import one_line

MAX_SUBJECT_CHARS: Final = 998
MAX_AUTHOR_CHARS: Final = 2000
_MAX_ENCODED_CHARS: Final = 4000
_BETWEEN_BRACKETS: Final = re.compile(r"<([^\s<>@]+@[^\s<>@]+)>")
_BARE_ADDRESS: Final = re.compile(r"[^\s<>()\[\],;:\"\\@]{1,64}@[^\s<>()\[\],;:\"\\@]{1,255}")


def subject_of(mail: MailPart) -> str:
    """Return the subject on one line, with its encoded words decoded (RFC 2047)."""
    subject = mail.field(b"subject")
    if "=?" in subject:
        subject = decode_words(subject[:_MAX_ENCODED_CHARS])
    return one_line(subject, MAX_SUBJECT_CHARS)


def author_of(mail: MailPart) -> str:
    """Return the address in From; empty when there is none, or more than one."""
    if b"from" in mail.repeated:
        return ""
    return _only_address(mail.field(b"from"))


def answer_address_of(mail: MailPart) -> str:
    """Return the address in Reply-To that belongs to the domain of the author, empty when there is none.

    Nothing proves the author, so an answer must not be led to another domain.
    """
    if b"reply-to" not in mail.fields or b"reply-to" in mail.repeated:
        return ""
    author, address = author_of(mail), _only_address(mail.field(b"reply-to"))
    domain = author.rpartition("@")[2].lower()
    is_own = address.rpartition("@")[2].lower() == domain and address.lower() != author.lower()
    return address if author and is_own else ""


def _only_address(field: str) -> str:
    text = field[:MAX_AUTHOR_CHARS]
    found = set(_BETWEEN_BRACKETS.findall(text)) or set(_BARE_ADDRESS.findall(text))
    return one_line(found.pop(), 320) if len(found) == 1 else ""
