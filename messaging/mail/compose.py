"""Writes the outgoing mail of one delivery. Pure."""

from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8
from email.utils import format_datetime
from typing import Final

from messaging.errors import Rejected
from messaging.mail.bounce_addresses import BounceAddresses
from messaging.mail.message_ids import MESSAGE_ID, Reference, message_id_header
from messaging.mail.text import clean, one_line
from messaging.model.address_syntax import relay_mailbox
from messaging.model.message import Delivery, MailKind

MAX_SUBJECT_CHARS: Final = 200


@dataclass(frozen=True, slots=True)
class OutgoingMail:
    """Envelope and bytes of a mail; `international` if an address has characters beyond ASCII (RFC 6531).

    A mail with an empty sender never bounces (RFC 5321 section 4.5.5).
    """

    sender: str
    recipient: str
    content: bytes
    international: bool


def compose(
    delivery: Delivery,
    mail_domain: str,
    now: datetime,
    bounce_addresses: BounceAddresses | None = None,
) -> OutgoingMail:
    """Write the mail of a delivery; a repeat has the same Message-ID. Raises Rejected for a malformed address.

    With `bounce_addresses` the envelope sender names the delivery.
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
    # Some relays give the mail a Message-ID of their own: a bounce then names this.
    mail["X-Satbridge-Delivery"] = message_id_header(delivery, mail_domain)
    is_answer = message.mail_kind in (MailKind.HELD_NOTE, MailKind.REST_NOTE)
    # RFC 3834 section 5: no holiday notice answers it.
    mail["Auto-Submitted"] = "auto-replied" if is_answer else "auto-generated"
    if is_answer and MESSAGE_ID.fullmatch(message.reference):
        mail["In-Reply-To"] = message.reference
        mail["References"] = message.reference
    if message.mail_kind is MailKind.DIGEST and message.reference:
        # RFC 8058: a program stops these mails by a POST without a question.
        mail["List-Unsubscribe"] = f"<{message.reference}>"
        mail["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    mail.set_content(clean(message.text) + "\n", charset="utf-8")
    # RFC 3834 section 3.3: an automatic answer never bounces.
    envelope_sender = "" if is_answer else sender
    if not is_answer and bounce_addresses is not None:
        envelope_sender = bounce_addresses.make(sender, Reference(message.id, delivery.id))
    return OutgoingMail(envelope_sender, recipient, mail.as_bytes(), international)


def subject_of(subject: str, sender: str) -> str:
    """Return the subject on one line; for an empty one, a line that names the sender."""
    # The library decodes encoded words (RFC 2047), line ends included, so their marks are broken up.
    line = one_line(subject, MAX_SUBJECT_CHARS).replace("=?", "= ?").strip()
    return line or f"Message from {sender.partition('@')[0]}"


def mail_address(text: str) -> str:
    """Return a mail address with its domain in ASCII. Raises Rejected if it is malformed or needs quotes."""
    address = relay_mailbox(text.strip())
    if address is None:
        raise Rejected(f"this is not a mail address: {one_line(text, 60)}")
    return address
