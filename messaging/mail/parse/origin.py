"""Says whether a person, a list or a machine wrote a mail, and how many servers it has passed. Pure."""

import re
from enum import Enum
from typing import Final

from messaging.mail.parse.parts import Part

_RECEIVED: Final = re.compile(rb"^received[ \t]*:", re.IGNORECASE | re.MULTILINE)
_ANSWERS: Final = (b"x-autoreply", b"x-autorespond", b"x-autoresponder", b"x-auto-reply")
_BULK: Final = frozenset(("bulk", "list", "junk"))
_NOBODY: Final = re.compile(
    r"(?:mailer-daemon|no-?reply|do-?not-?reply|owner-.*|.*-request|.*-bounces?(?:\+.*)?)@.*",
    re.IGNORECASE,
)


class Origin(Enum):
    """Who wrote a mail."""

    PERSON = "person"
    LIST = "list"
    MACHINE = "machine"
    ANSWER = "answer"
    """A machine, as an answer to another mail: holiday notices, receipts, bounces."""


def origin_of(mail: Part) -> Origin:
    """Return who wrote a mail, as far as its header says (RFC 3834, RFC 2919, and what is usual beside them)."""
    submitted = _keyword(mail.field(b"auto-submitted"))
    precedence = _keyword(mail.field(b"precedence"))
    if (
        submitted == "auto-replied"
        or mail.content_type == "multipart/report"
        or precedence in ("auto_reply", "auto-reply")
        or any(name in mail.fields for name in _ANSWERS)
    ):
        return Origin.ANSWER
    if submitted not in ("", "no"):
        return Origin.MACHINE
    if precedence in _BULK or b"list-id" in mail.fields or b"list-unsubscribe" in mail.fields:
        return Origin.LIST
    return Origin.PERSON


def hops_of(mail: Part) -> int:
    """Return how many servers say that they passed the mail on (RFC 5321 section 6.3)."""
    return sum(1 for _ in _RECEIVED.finditer(mail.data, 0, mail.start))


def can_be_told(origin: Origin, sender: str) -> bool:
    """Whether the author may be told that a mail failed (RFC 3834 section 2): a person, at an address of their own."""
    return origin is Origin.PERSON and bool(sender) and not _NOBODY.fullmatch(sender)


def _keyword(value: str) -> str:
    """Return the word that a field begins with; comments and parameters may follow."""
    return re.split(r"[;(\s]", value.strip().lower(), maxsplit=1)[0]
