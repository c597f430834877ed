"""Sorts mail: a message for a device, a report about one of ours, or something that only people should see. Pure."""

from dataclasses import dataclass
from typing import Final

from messaging.mail.message_ids import find_reference
from messaging.mail.parse.bounce import Report
from messaging.mail.parse.mail import ParsedMail
from messaging.mail.parse.origin import Origin, can_be_told
from messaging.model.message import Address, Bounce, DeadLetter, Message, Network

Record = Message | Bounce | DeadLetter
VIA: Final = "smtp"
ANSWER: Final = "an automatic answer: these are not sent to devices"
FROM_NOBODY: Final = (
    "a mail without a sender, such as a bounce, about nothing that was sent from here"
)


@dataclass(frozen=True, slots=True)
class ReceivedMail:
    """A mail as it came: envelope, bytes, and the address of the client that brought it.

    `size` is how many bytes came; `content` may be less, when there was too much to keep.
    """

    sender: str
    recipients: tuple[str, ...]
    size: int
    content: bytes
    client: str


def classify(
    mail: ReceivedMail, letter: ParsedMail, ids: list[str], mail_domain: str
) -> list[Record]:
    """Return one record for each recipient, with these ids; of a report about one of our mails a single one.

    What machines answer, and what has no sender, is never for a device: each costs its owner money.
    """
    bounce = _bounce(mail, letter, ids[0], mail_domain)
    if bounce is not None:
        return [bounce]
    pairs = zip(ids, mail.recipients, strict=True)
    reason = ANSWER if letter.origin is Origin.ANSWER else FROM_NOBODY
    if letter.origin is Origin.ANSWER or not mail.sender:
        return [_kept(mail, letter, id, recipient, reason) for id, recipient in pairs]
    return [_message(mail, letter, id, recipient) for id, recipient in pairs]


def _message(mail: ReceivedMail, letter: ParsedMail, id: str, recipient: str) -> Message:
    return Message(
        id=id,
        sender=Address(Network.EMAIL, mail.sender),
        recipient=Address(Network.EMAIL, recipient),
        subject=letter.subject,
        text=letter.text,
        via=VIA,
        wants_notice=can_be_told(letter.origin, mail.sender),
        reference=letter.message_id_header or "",
    )


def _kept(
    mail: ReceivedMail, letter: ParsedMail, id: str, recipient: str, reason: str
) -> DeadLetter:
    return DeadLetter(
        id=id,
        sender=_author(mail, letter),
        recipient=Address(Network.EMAIL, recipient),
        via=VIA,
        raw=mail.content,
        reason=reason,
    )


def _author(mail: ReceivedMail, letter: ParsedMail) -> Address:
    """Return who sent a mail; one that nobody sent is from whom its From names."""
    return Address(Network.EMAIL, mail.sender or letter.author)


def _bounce(mail: ReceivedMail, letter: ParsedMail, id: str, mail_domain: str) -> Bounce | None:
    report = letter.report
    if report is None:
        return None
    found = (find_reference(text, mail_domain) for text in report.named)
    reference = next((one for one in found if one is not None), None)
    if reference is None:
        return None
    return Bounce(
        id=id,
        sender=_author(mail, letter),
        recipient=Address(Network.EMAIL, mail.recipients[0]),
        delivery_id=reference.delivery_id,
        message_id=reference.message_id,
        is_final=report.failed and not _is_about_us(report, mail_domain),
        reason=report.reason,
        via=VIA,
        raw=mail.content,
    )


def _is_about_us(report: Report, mail_domain: str) -> bool:
    """Whether somebody passed our mail on to us and we refused it: whoever it was for may well have it."""
    domains = {recipient.rpartition("@")[2] for recipient in report.recipients}
    return domains == {mail_domain}
