"""Writes the mail that leaves for one delivery. Pure."""

from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8
from email.utils import format_datetime
from typing import Final

from messaging.errors import Rejected
from messaging.mail.message_ids import message_id_header
from messaging.mail.text import clean, one_line
from messaging.model.address_syntax import relay_mailbox
from messaging.model.message import Delivery

MAX_SUBJECT_CHARS: Final = 200


@dataclass(frozen=True, slots=True)
class OutgoingMail:
    """Envelope and bytes of a mail; `international` when an address is beyond ASCII (RFC 6531).

    Without a sender nothing comes back (RFC 5321 section 4.5.5).
    """

    sender: str
    recipient: str
    content: bytes
    international: bool


def compose(delivery: Delivery, mail_domain: str, now: datetime) -> OutgoingMail:
    """Write the mail of a delivery; a repeat has the same Message-ID. Raises Rejected for an address that is none.

    It is marked as sent by a program (RFC 3834 section 5), so that no holiday notice comes back by satellite.
    """
    message = delivery.message
    sender = mail_address(message.sender.value)
    recipient = mail_address(message.recipient.value)
    international = not (sender + recipient).isascii()
    mail = EmailMessage((SMTPUTF8 if international else SMTP).clone(cte_type="7bit"))
    mail["From"] = sender
    mail["To"] = recipient
    mail["Subject"] = subject_of(message.subject, sender)
    mail["Date"] = format_datetime(now)
    mail["Message-ID"] = message_id_header(delivery, mail_domain)
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(clean(message.text) + "\n", charset="utf-8")
    return OutgoingMail(sender, recipient, mail.as_bytes(), international)


def subject_of(subject: str, sender: str) -> str:
    """Return the subject on one line; without one, whose message it is.

    What looks like an encoded word (RFC 2047) is broken up: the library would decode it, line ends and all.
    """
    line = one_line(subject, MAX_SUBJECT_CHARS).replace("=?", "= ?").strip()
    return line or f"Message from {sender.partition('@')[0]}"


def mail_address(text: str) -> str:
    """Return a mail address with its domain in ASCII. Raises Rejected when it is none, or one that needs quotes."""
    found = relay_mailbox(text.strip())
    if found is None:
        raise Rejected(f"this is not a mail address: {one_line(text, 60)}")
    return found
