"""Adds to a message how sure it is who wrote its mail. Pure."""

from dataclasses import replace
from typing import Final

from messaging.mail.classify import Record
from messaging.model.address_syntax import relay_mailbox
from messaging.model.authentication import Authentication
from messaging.model.message import AuthorLevel, Authorship, Message

_OTHER_AUTHOR: Final = "the author is unproved: two readers may understand its From differently"
_REPLAY: Final = "the author is unproved: the signed To and Cc do not name this recipient"


def add_authorship(record: Record, found: Authentication | None) -> Record:
    """Return a message with the level of its author; any other record as it is. None: nothing was checked.

    The level holds for the address that the device is shown. Answers go to Reply-To only where the author is proved
    and signed it; of an unchecked mail only within the author's domain. A relay would send a refusal to an address
    that may be forged: a message of a trusted one is kept instead.
    """
    if not isinstance(record, Message):
        return record
    if found is None:
        domain = record.sender.value.rpartition("@")[2].lower()
        is_own = record.answer_address.rpartition("@")[2].lower() == domain
        return record if is_own else replace(record, answer_address="")
    level, reason = _level_of(record, found)
    is_signed = level is AuthorLevel.PROVED and "reply-to" in found.signed_fields
    return replace(
        record,
        answer_address=record.answer_address if is_signed else "",
        authorship=Authorship(level, reason, found.is_undecided, found.spam_mark),
        keeps_refusal=found.from_relay,
    )


def _level_of(message: Message, found: Authentication) -> tuple[AuthorLevel, str]:
    """Return the level of the copy for one recipient, and the reason."""
    if found.author and found.author.lower() != (relay_mailbox(message.sender.value) or "").lower():
        return AuthorLevel.UNPROVED, _OTHER_AUTHOR
    local, _, domain = message.recipient.value.partition("@")
    level = found.level_for(message.recipient.value, f"{local.partition('+')[0]}@{domain}")
    return level, found.reason if level is found.level else _REPLAY
