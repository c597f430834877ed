"""Reads the fields of a mail's header that people see: the subject and the author. Pure."""

import re
from typing import Final

from messaging.mail.parse.fields import decode_words
from messaging.mail.parse.parts import MailPart
from messaging.mail.text import one_line
from messaging.words.invisible import remove_invisible

MAX_SUBJECT_CHARS: Final = 998
MAX_AUTHOR_CHARS: Final = 2000
MAX_DISPLAY_NAME_CHARS: Final = 200
_MAX_ENCODED_CHARS: Final = 4000
_BETWEEN_BRACKETS: Final = re.compile(r"<([^\s<>@]+@[^\s<>@]+)>")
_QUOTED: Final = re.compile(r'"(?:[^"\\]|\\.)*"|\([^()]*\)')
_ESCAPE: Final = re.compile(r"\\(.)")
_BARE_ADDRESS: Final = re.compile(r"[^\s<>()\[\],;:\"\\@]{1,64}@[^\s<>()\[\],;:\"\\@]{1,255}")


def subject_of(mail: MailPart) -> str:
    """Return the subject on one line, with its encoded words decoded (RFC 2047)."""
    subject = mail.field(b"subject")
    if "=?" in subject:
        subject = decode_words(subject[:_MAX_ENCODED_CHARS])
    return one_line(remove_invisible(subject), MAX_SUBJECT_CHARS)


def author_of(mail: MailPart) -> str:
    """Return the address in From; empty when there is none, or more than one."""
    if b"from" not in mail.fields or b"from" in mail.repeated:
        return ""
    return _only_address(mail.field(b"from"))


def display_name_of(mail: MailPart, author: str) -> str:
    """Return the name in From beside the address of the author, as it was written; empty without the address."""
    if not author:
        return ""
    field = mail.field(b"from")[:MAX_AUTHOR_CHARS]
    before, bracket, _ = field.rpartition("<")
    name = before if bracket else field.partition("(")[2].rpartition(")")[0]
    name = decode_words(name) if "=?" in name else name
    name = one_line(name, MAX_DISPLAY_NAME_CHARS)
    return (_ESCAPE.sub(r"\1", name) if "\\" in name else name).strip('" ')


def signing_name_of(author: str, display_name: str) -> str:
    """Return the name with which an author may sign: that in From, or the two words of a mailbox like `tom.baker@…`."""
    if " " in display_name:
        return display_name
    words = author.partition("@")[0].casefold().replace("_", ".").split(".")
    is_name = len(words) == 2 and all(word.isalpha() and len(word) > 1 for word in words)
    if is_name and (not display_name or display_name.casefold() in words):
        return " ".join(words)
    return display_name


def answer_address_of(mail: MailPart, author: str) -> str:
    """Return the one address in Reply-To, empty when there is none, or when it is the author's."""
    if not author or b"reply-to" not in mail.fields or b"reply-to" in mail.repeated:
        return ""
    address = _only_address(mail.field(b"reply-to"))
    return "" if address.lower() == author.lower() else address


def _only_address(field: str) -> str:
    """Return the address in a field; names and comments may hold others, which do not count if one is without."""
    text = field[:MAX_AUTHOR_CHARS]
    # Some programs encode the address together with the name.
    decoded = decode_words(text) if "@" not in text and "=?" in text else text
    has_names = '"' in decoded or "(" in decoded
    for one in (_QUOTED.sub(" ", decoded), decoded) if has_names else (decoded,):
        found = [
            address
            for piece in one.split(",")
            for address in _BETWEEN_BRACKETS.findall(piece) or _BARE_ADDRESS.findall(piece)
        ]
        addresses = [address.removeprefix("mailto:").strip("'") for address in found]
        if addresses:
            is_one = len(addresses) == 1 or len({each.lower() for each in addresses}) == 1
            return one_line(addresses[0], 320) if is_one else ""
    return ""
