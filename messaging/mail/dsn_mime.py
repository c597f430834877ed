"""Writes delivery status notifications (RFC 3464): mails that report a failure to an author. Pure."""

from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8
from email.utils import format_datetime
from typing import Final

from messaging.mail.compose import OutgoingMail, mail_address, subject_of
from messaging.mail.message_ids import MESSAGE_ID, message_id_header
from messaging.mail.text import clean, one_line
from messaging.model.address_syntax import ascii_domain
from messaging.model.message import Delivery, Failure

EXPIRED: Final = "4.4.7"  # RFC 3463: delivery time expired
FAILED: Final = "5.0.0"
MAX_REASON_CHARS: Final = 400


def compose_notice(
    delivery: Delivery, failure: Failure, mail_domain: str, now: datetime
) -> OutgoingMail:
    """Write the notice of a failure; a repeat has the same Message-ID. Raises Rejected for a malformed address.

    The envelope has no sender, so that the notice itself never bounces (RFC 3464 section 2).
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
    if MESSAGE_ID.fullmatch(failure.reference):
        mail["In-Reply-To"] = failure.reference
        mail["References"] = failure.reference
    mail["MIME-Version"] = "1.0"
    mail["Content-Type"] = "multipart/report; report-type=delivery-status"
    text = _new_part()
    text.set_content(clean(message.text) + "\n", charset="utf-8")
    mail.attach(text)
    mail.attach(_status_part(failure, ascii_domain(mail_domain)))
    mail.attach(_header_part(failure, recipient))
    return OutgoingMail("", recipient, mail.as_bytes(), international)


def _status_part(failure: Failure, domain: str) -> EmailMessage:
    """Return the status for programs: a group about the report, and one about the recipient."""
    about, recipient, part = _new_part(), _new_part(), _new_part()
    about["Reporting-MTA"] = f"dns; {domain}"
    about["Arrival-Date"] = format_datetime(failure.received_at)
    recipient["Final-Recipient"] = f"rfc822; {_ascii(failure.recipient)}"
    recipient["Action"] = "failed"
    recipient["Status"] = EXPIRED if failure.expired else FAILED
    recipient["Diagnostic-Code"] = f"x-satbridge; {_ascii(failure.reason)}"
    part["Content-Type"] = "message/delivery-status"
    part.set_payload([about, recipient])
    return part


def _header_part(failure: Failure, author: str) -> EmailMessage:
    """Return the known fields of the header of the author's mail."""
    lines = [f"From: {_ascii(author)}", f"To: {_ascii(failure.recipient)}"]
    if failure.subject:
        subject = _new_part()
        subject["Subject"] = subject_of(failure.subject, "")
        lines.append(subject.as_string().strip().replace("\r\n", "\n"))
    if MESSAGE_ID.fullmatch(failure.reference):
        lines.append(f"Message-ID: {failure.reference}")
    part = _new_part()
    part.set_content("\n".join(lines) + "\n", subtype="rfc822-headers", charset="us-ascii")
    return part


def _new_part() -> EmailMessage:
    return EmailMessage(SMTP.clone(cte_type="7bit"))


def _ascii(text: str) -> str:
    """Return text on one line of ASCII, without anything that looks like an encoded word."""
    line = one_line(text, MAX_REASON_CHARS).replace("=?", "= ?").replace("…", "...")
    return line.encode("ascii", "replace").decode()
