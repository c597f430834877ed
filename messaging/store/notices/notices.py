"""Owes a notice to the author of a message that reached nobody: once, in the transaction that decides it."""

import logging
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection

from messaging.config.settings import Settings
from messaging.model.address_syntax import MAX_ADDRESS_CHARACTERS, e164, own_mailbox, relay_mailbox
from messaging.model.message import Address, Failure, Network, message_id
from messaging.store.accept.validate import short_reason
from messaging.store.models import Delivery, Message, OptOut
from messaging.store.notices.failures import as_json
from messaging.store.notices.rate import NoticePace
from messaging.store.notices.text import Doubts, mail_text, sms_text, subject_of
from messaging.store.states import FINAL, GIVEN, UNDELIVERED, State

log = logging.getLogger(__name__)

VIA = "notice"
"""How a message that the gateway itself wrote says where it came from."""

DAEMON = "MAILER-DAEMON"
NOT_COMPOSED = "the author is not told: the notice could not be written (%s)"
TOO_MANY = "the author is not told: too many notices within an hour"


def notice_id(failed_id: str) -> str:
    """Return the id of the notice about a message: the same however often it fails, so there is only one."""
    return message_id(VIA, failed_id)


@dataclass(frozen=True, slots=True)
class _Notice:
    """A notice to write."""

    about: Message
    failure: Failure
    subject: str
    text: str
    sender: Address
    recipient: Address
    via: str


class Notices:
    """The notices of one gateway. `default_accounts` names the account of each network; none if off.

    Nobody is told about a notice, about what a device sent, or twice about the same message. What a person cancelled
    is no failure. Who wrote a mail is not checked, so `NoticePace` bounds how many go out.
    """

    def __init__(self, settings: Settings, default_accounts: Mapping[Network, str] | None) -> None:
        self._settings = settings
        self._pace = NoticePace(settings.max_hourly_notices)
        self._vias: dict[Network, str] = {
            network: via
            for network, via in (default_accounts or {}).items()
            if (network is Network.EMAIL and settings.mail_failure_notices)
            or (network is Network.SMS and settings.sms_failure_notices)
        }

    def owe(self, ids: list[int], now: datetime) -> None:
        """Write the notices that these failed or expired deliveries make due. Call it within the same transaction.

        Nothing is asked of the store when nothing failed, and else a number of queries that does not grow.
        """
        if not ids or not self._vias:
            return
        messages = self._locked(ids)
        notices = self._without_known(self._all_over(messages))
        self._write(self._paced(self._allowed(notices)), now)

    def _locked(self, delivery_ids: list[int]) -> list[Message]:
        """Lock the messages: of two that end the last deliveries of one at the same moment, the later one decides."""
        failed = Delivery.objects.filter(id__in=delivery_ids).values("message_id")
        rows = Message.objects.filter(
            id__in=failed, wants_notice=True, sender_network__in=[n.value for n in self._vias]
        )
        rows = rows.defer("text", "raw").order_by("id")
        if connection.features.has_select_for_update:
            # Weaker than plain "for update": deliveries that refer to the message may still be inserted.
            rows = rows.select_for_update(no_key=connection.vendor == "postgresql")
        return list(rows)

    def _all_over(self, messages: list[Message]) -> list[_Notice]:
        """Return the notices about those of which every delivery has ended and the network took none."""
        ends: dict[str, list[Delivery]] = defaultdict(list)
        for delivery in Delivery.objects.filter(message__in=messages).order_by("id"):
            ends[delivery.message_id].append(delivery)
        over = (
            message
            for message in messages
            if all(d.state in FINAL and d.state not in GIVEN for d in ends[message.id])
        )
        found = (self._composed(message, ends[message.id]) for message in over)
        return [notice for notice in found if notice is not None]

    def _composed(self, message: Message, ends: list[Delivery]) -> _Notice | None:
        """Return the notice; a bug in it must not keep the message from ending, nor others with it."""
        try:
            return self._notice(message, ends)
        except Exception as error:
            log.error(NOT_COMPOSED, type(error).__name__, extra={"message_id": message.id})
            return None

    def _notice(self, message: Message, ends: list[Delivery]) -> _Notice | None:
        parties = self._parties(message)
        if parties is None:
            return None
        reasons = dict.fromkeys(d.reason for d in ends if d.state in UNDELIVERED and d.reason)
        failure = Failure(
            recipient=message.recipient,
            reason=short_reason("; ".join(reasons)),
            expired=all(d.state == State.EXPIRED for d in ends if d.state in UNDELIVERED),
            subject=message.subject,
            reference=message.reference,
            received_at=message.created_at,
        )
        doubts = Doubts(any(d.uncertain for d in ends), any(d.parts_sent for d in ends))
        sender, recipient = parties
        by_sms = recipient.network is Network.SMS
        return _Notice(
            about=message,
            failure=failure,
            subject="" if by_sms else subject_of(failure),
            text=(sms_text if by_sms else mail_text)(failure, doubts),
            sender=sender,
            recipient=recipient,
            via=self._settings.carriers.get(sender.value) or self._vias[recipient.network],
        )

    def _parties(self, message: Message) -> tuple[Address, Address] | None:
        """Return from whom and to whom the notice goes, None where nobody could be told."""
        author = message.sender
        if message.sender_network == Network.SMS:
            ours, theirs = e164(message.recipient), e164(author)
            if ours is None or theirs is None:
                return None
            return Address(Network.SMS, ours), Address(Network.SMS, theirs)
        domain = self._settings.mail_domain
        if relay_mailbox(author) is None or own_mailbox(author, domain) is not None:
            return None
        daemon = f"{DAEMON}@{domain}"[:MAX_ADDRESS_CHARACTERS]
        return Address(Network.EMAIL, daemon), Address(Network.EMAIL, author)

    def _without_known(self, notices: list[_Notice]) -> list[_Notice]:
        ids = [notice_id(notice.about.id) for notice in notices]
        known = set(Message.objects.filter(id__in=ids).values_list("id", flat=True)) if ids else ()
        return [notice for notice in notices if notice_id(notice.about.id) not in known]

    def _allowed(self, notices: list[_Notice]) -> list[_Notice]:
        """Leave out the phones that want nothing from that number."""
        peers = [n.recipient.value for n in notices if n.recipient.network is Network.SMS]
        if not peers:
            return notices
        out = set(OptOut.objects.filter(peer__in=peers).values_list("peer", "number"))
        return [n for n in notices if (n.recipient.value, n.sender.value) not in out]

    def _paced(self, notices: list[_Notice]) -> list[_Notice]:
        pairs = [(n.recipient.value, n.about.subscriber_id or 0) for n in notices]
        allowed = self._pace.allowed(pairs)
        for notice, told in zip(notices, allowed, strict=True):
            if not told:
                log.warning(TOO_MANY, extra={"message_id": notice.about.id})
        return [notice for notice, told in zip(notices, allowed, strict=True) if told]

    def _write(self, notices: list[_Notice], now: datetime) -> None:
        if notices:
            Message.objects.bulk_create(_message(notice, now) for notice in notices)
            Delivery.objects.bulk_create(self._delivery(notice, now) for notice in notices)

    def _delivery(self, notice: _Notice, now: datetime) -> Delivery:
        policy = self._settings.retry_policy(notice.recipient.network)
        # Of no subscriber: notices are not to fill the room that the subscriber's own messages have.
        return Delivery(
            message_id=notice_id(notice.about.id),
            via=notice.via,
            sender_network=notice.sender.network.value,
            sender=notice.sender.value,
            recipient_network=notice.recipient.network.value,
            recipient=notice.recipient.value,
            due_at=now,
            expires_at=now + timedelta(seconds=policy.lifetime_seconds),
            created_at=now,
            updated_at=now,
        )


def _message(notice: _Notice, now: datetime) -> Message:
    return Message(
        id=notice_id(notice.about.id),
        sender_network=notice.sender.network.value,
        sender=notice.sender.value,
        recipient_network=notice.recipient.network.value,
        recipient=notice.recipient.value,
        via=VIA,
        subject=notice.subject,
        text=notice.text,
        failure=as_json(notice.failure),
        subscriber_id=notice.about.subscriber_id,
        created_at=now,
    )
