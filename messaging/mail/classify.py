"""Classifies received mail: messages for devices, reports about deliveries, and dead letters for people. Pure."""

import re
from dataclasses import dataclass, replace
from typing import Final

from messaging.mail.message_ids import Reference, find_reference
from messaging.mail.parse.bounce import DeliveryReport, find_report_by_signs
from messaging.mail.parse.mail import Origin, ParsedMail
from messaging.mail.parse.parts import part_of
from messaging.mail.smtp.clients import client_site
from messaging.model.address_syntax import relay_mailbox
from messaging.model.authentication import Authentication
from messaging.model.message import (
    Address,
    AuthorLevel,
    Authorship,
    Bounce,
    DeadLetter,
    Message,
    Network,
    message_id,
)

Record = Message | Bounce | DeadLetter
VIA: Final = "smtp"
ANSWER: Final = "an automatic answer: these are not sent to devices"
NO_SENDER: Final = "a mail without a sender, such as a bounce, that is no report on a delivery"
NAMED_WITHIN_BYTES: Final = 65_536
_REPLAY: Final = "the author is unproved: the signed To and Cc do not name this recipient"
_NO_IDENTITY: Final = "the author is unproved: the signature covers neither Message-ID nor Date"
_NO_REPLY: Final = re.compile(
    r"(?:mailer-daemon|no-?reply|do-?not-?reply|owner-.*|.*-request|.*-bounces?(?:\+.*)?)@.*",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class ReceivedMail:
    """A mail as it was received: envelope, bytes, and the address of the client.

    `helo` is the name that the client gave. `size` is the number of bytes received; `content` is shorter if they
    exceeded a limit. `bounced` is the delivery that the address of a recipient names.
    """

    sender: str
    recipients: tuple[str, ...]
    size: int
    content: bytes
    client: str
    helo: str = ""
    bounced: Reference | None = None


def classify(
    mail: ReceivedMail, parsed: ParsedMail, ids: list[str], mail_domain: str
) -> list[Record]:
    """Return one record for each recipient, with these ids; a single one for a report about a delivery.

    A message to a device costs its owner money, so automatic answers and mail without a sender reach none. One that
    names a delivery of this gateway becomes a dead letter, a single one for all recipients. Any other is dropped: no
    record. It is accepted all the same, because a refusal would make its server write to a person who wrote nothing
    (RFC 3834), or to the sender that a third party forged.
    """
    report = parsed.report
    if report is None and mail.bounced:
        report = find_report_by_signs(part_of(mail.content), parsed.subject)
    if report is not None:
        bounce = _read_bounce(mail, parsed, report, ids[0], mail_domain)
        if bounce is not None:
            return [bounce]
    if parsed.origin is Origin.ANSWER or not mail.sender:
        names_delivery = _names_delivery(mail, parsed, mail_domain)
        return [_dead_letter(mail, parsed, ids[0])] if names_delivery else []
    # The envelope sender is where bounces go: lists, services and gateways put other names there.
    author = parsed.author or mail.sender
    records: list[Record] = []
    for id, recipient in zip(ids, mail.recipients, strict=True):
        message = Message(
            id=id,
            sender=Address(Network.EMAIL, author),
            recipient=Address(Network.EMAIL, recipient),
            subject=parsed.subject,
            text=parsed.text,
            whole_text="" if parsed.whole_text == parsed.text else parsed.whole_text,
            answer_address=parsed.answer_address,
            return_path="" if mail.sender == author else mail.sender,
            via=VIA,
            wants_notice=may_get_notice(parsed.origin, mail.sender),
            takes_answers=may_get_notice(parsed.origin, author),
            reference=parsed.message_id_header or "",
            invitation=parsed.invitation,
            display_name=parsed.display_name,
            client_network=client_site(mail.client),
        )
        records.append(message)
    return records


def add_authorship(record: Record, found: Authentication | None) -> Record:
    """Return a message with the level of its author; any other record as it is. None: nothing was checked.

    Answers go to Reply-To only where the author is proved and signed it; of an unchecked mail only within the author's
    domain. A relay would send a refusal to an address that may be forged: a message of a trusted one is kept instead.
    The id of a proved message has no part that others can change, so a copy that is sent again is a repeat.
    """
    if not isinstance(record, Message):
        return record
    if found is None:
        domain = record.sender.value.rpartition("@")[2].lower()
        is_own = record.answer_address.rpartition("@")[2].lower() == domain
        return record if is_own else replace(record, answer_address="")
    recipient = relay_mailbox(record.recipient.value) or record.recipient.value
    level = found.level_for(recipient, _without_sub_address(recipient))
    is_sent_at_will = found.level is AuthorLevel.PROVED and not found.signed_identity
    doubt = _NO_IDENTITY if is_sent_at_will else _REPLAY
    reason = found.reason if level is found.level else doubt
    is_proved = level is AuthorLevel.PROVED
    is_known = is_proved and not is_sent_at_will
    # A sub-address that the author did not write is another's.
    exact = recipient.lower()
    is_written = found.is_sent_by_domain or exact in found.named
    signed_recipient = exact if is_written else _without_sub_address(exact)
    signed = found.signed_identity, found.author.lower(), signed_recipient
    is_signed = is_proved and "reply-to" in found.signed_fields
    return replace(
        record,
        id=message_id("signed", *signed, record.subject) if is_known else record.id,
        answer_address=record.answer_address if is_signed else "",
        authorship=Authorship(
            level, reason, found.is_undecided, found.spam_mark, found.is_disputed
        ),
        keeps_refusal=found.from_relay,
        client_network="" if found.from_relay else record.client_network,
    )


def _without_sub_address(mailbox: str) -> str:
    local, _, domain = mailbox.partition("@")
    return f"{local.partition('+')[0]}@{domain}"


def may_get_notice(origin: Origin, sender: str) -> bool:
    """Whether a notice may be sent to the sender: a person with an address of their own (RFC 3834 section 2)."""
    return origin is Origin.HUMAN and bool(sender) and not _NO_REPLY.fullmatch(sender)


def _names_delivery(mail: ReceivedMail, parsed: ParsedMail, mail_domain: str) -> bool:
    """Whether its address, its header or the beginning of the mail names a delivery of this gateway."""
    if mail.bounced:
        return True
    texts = (
        mail.content[:NAMED_WITHIN_BYTES].decode("latin-1"),
        parsed.whole_text,
        *(parsed.report.references if parsed.report else ()),
    )
    return any(find_reference(text, mail_domain) for text in texts)


def _dead_letter(mail: ReceivedMail, parsed: ParsedMail, id: str) -> DeadLetter:
    """Return the dead letter of an automatic answer, or of a mail without a sender: one for all recipients."""
    others = len(mail.recipients) - 1
    return DeadLetter(
        id=id,
        sender=Address(Network.EMAIL, mail.sender or parsed.author),
        recipient=Address(Network.EMAIL, mail.recipients[0]),
        via=VIA,
        raw=mail.content,
        reason=(ANSWER if parsed.origin is Origin.ANSWER else NO_SENDER)
        + (f" ({others} more recipients)" if others else ""),
        text=parsed.whole_text,
    )


def _read_bounce(
    mail: ReceivedMail, parsed: ParsedMail, report: DeliveryReport, id: str, mail_domain: str
) -> Bounce | None:
    """Return the bounce that a report makes, None when it names no delivery of this gateway."""
    references = (find_reference(text, mail_domain) for text in report.references)
    reference = mail.bounced or next((one for one in references if one is not None), None)
    if reference is None:
        return None
    # If the report is about this gateway's own domain, another server has forwarded our mail back to us and we refused
    # it: the recipient may have got it all the same.
    domains = {recipient.rpartition("@")[2] for recipient in report.recipients}
    return Bounce(
        id=id,
        sender=Address(Network.EMAIL, mail.sender or parsed.author),
        recipient=Address(Network.EMAIL, mail.recipients[0]),
        delivery_id=reference.delivery_id,
        message_id=reference.message_id,
        is_final=report.failed and domains != {mail_domain},
        reason=report.reason,
        via=VIA,
        raw=mail.content,
    )
