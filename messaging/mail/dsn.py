"""Writes the mail that tells an author that their mail failed: a delivery status notification (RFC 3464). Pure."""

import re
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8
from email.utils import format_datetime
from typing import Final

from messaging.mail.compose import OutgoingMail, mail_address, subject_of
from messaging.mail.message_ids import message_id_header
from messaging.mail.text import clean, one_line
from messaging.model.address_syntax import ascii_domain
from messaging.model.message import Delivery, Failure

EXPIRED: Final = "4.4.7"  # RFC 3463: delivery time expired
FAILED: Final = "5.0.0"
MAX_REASON_CHARS: Final = 400
_MESSAGE_ID: Final = re.compile(r"<[!-;=?-~]{1,500}>")


def compose_notice(
    delivery: Delivery, failure: Failure, mail_domain: str, now: datetime
) -> OutgoingMail:
    """Write the notice of a failure; a repeat has the same Message-ID. Raises Rejected for an address that is none.

    The envelope has no sender, so that nothing ever comes back for it (RFC 3464 section 2).
    """
    message = delivery.message
    recipient = mail_address(message.recipient.value)
    international = not recipient.isascii()
    mail = EmailMessage((SMTPUTF8 if international else SMTP).clone(cte_type="7bit"))
    mail["From"] = mail_address(message.sender.value)
    mail["To"] = recipient
    mail["Subject"] = subject_of(message.subject, "gateway")
    mail["Date"] = format_datetime(now)
    mail["Message-ID"] = message_id_header(delivery, mail_domain)
    mail["Auto-Submitted"] = "auto-replied"
    if _MESSAGE_ID.fullmatch(failure.reference):
        mail["In-Reply-To"] = failure.reference
        mail["References"] = failure.reference
    mail["MIME-Version"] = "1.0"
    mail["Content-Type"] = "multipart/report; report-type=delivery-status"
    mail.attach(_for_people(message.text))
    mail.attach(_for_machines(failure, ascii_domain(mail_domain)))
    mail.attach(_original(failure, recipient))
    return OutgoingMail("", recipient, mail.as_bytes(), international)


def _for_people(text: str) -> EmailMessage:
    part = _part()
    part.set_content(clean(text) + "\n", charset="utf-8")
    return part


def _for_machines(failure: Failure, domain: str) -> EmailMessage:
    about, recipient, part = _part(), _part(), _part()
    about["Reporting-MTA"] = f"dns; {domain}"
    about["Arrival-Date"] = format_datetime(failure.received_at)
    recipient["Final-Recipient"] = f"rfc822; {_ascii(failure.recipient)}"
    recipient["Action"] = "failed"
    recipient["Status"] = EXPIRED if failure.expired else FAILED
    recipient["Diagnostic-Code"] = f"x-satbridge; {_ascii(failure.reason)}"
    part["Content-Type"] = "message/delivery-status"
    part.set_payload([about, recipient])
    return part


def _original(failure: Failure, author: str) -> EmailMessage:
    """Return what is known of the header of the author's mail."""
    lines = [f"From: {_ascii(author)}", f"To: {_ascii(failure.recipient)}"]
    if failure.subject:
        subject = _part()
        subject["Subject"] = subject_of(failure.subject, "")
        lines.append(subject.as_string().strip().replace("\r\n", "\n"))
    if _MESSAGE_ID.fullmatch(failure.reference):
        lines.append(f"Message-ID: {failure.reference}")
    part = _part()
    part.set_content("\n".join(lines) + "\n", subtype="rfc822-headers", charset="us-ascii")
    return part


def _part() -> EmailMessage:
    return EmailMessage(SMTP.clone(cte_type="7bit"))


def _ascii(text: str) -> str:
    """Return a text that fits a field for machines: one line of ASCII, nothing that looks like an encoded word."""
    line = one_line(text, MAX_REASON_CHARS).replace("=?", "= ?").replace("…", "...")
    return line.encode("ascii", "replace").decode()
