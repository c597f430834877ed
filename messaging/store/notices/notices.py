"""Enqueues one non-delivery notice per failed message, in the transaction that fails it."""

import logging
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import Q

from messaging.config.settings import Settings
from messaging.model.address_syntax import MAX_ADDRESS_CHARACTERS, e164, own_mailbox, relay_mailbox
from messaging.model.message import Address, Failure, Network, message_id
from messaging.store.accept.validate import short_reason
from messaging.store.models import Delivery, Message, OptOut
from messaging.store.notices.notice_text import (
    Doubts,
    device_text,
    device_text_of,
    mail_text,
    sms_text,
    subject_of,
)
from messaging.store.notices.rate import NoticeRate
from messaging.store.queue.delivery_state import NewDelivery
from messaging.store.queue.enqueue import enqueue
from messaging.store.receipts.opt_outs import STOPPED
from messaging.store.states import FINAL, GIVEN, UNDELIVERED, State

log = logging.getLogger(__name__)

VIA = "notice"
"""The account of a message that the gateway itself wrote."""

DAEMON = "MAILER-DAEMON"
_TEXTS = {Network.EMAIL: mail_text, Network.SMS: sms_text}
NOT_COMPOSED = "no notice to the author: it could not be composed (%s)"
TOO_MANY = "no notice to the author: too many notices within an hour"


def notice_id(failed_id: str) -> str:
    """Return the id of the notice about a message: the same however often it fails, so there is only one."""
    return message_id(VIA, failed_id)


def failure_to_json(failure: Failure) -> dict[str, Any]:
    """Return the failure as the column of its message holds it."""
    return {**asdict(failure), "received_at": failure.received_at.isoformat()}


def failure_from_json(stored: Mapping[str, Any]) -> Failure:
    """Return the failure that the column holds."""
    received_at = datetime.fromisoformat(stored["received_at"])
    return Failure(**{**stored, "received_at": received_at})


@dataclass(frozen=True, slots=True)
class _Notice:
    """A notice to write."""

    id: str
    about: Message
    failure: Failure
    uncertain: bool
    subject: str
    text: str
    sender: Address
    recipient: Address
    via: str


class Notices:
    """The notices of one gateway. `default_accounts` names the account of each network; none if off.

    There is no notice about a notice, about a message that a person cancelled, or a second one about the same message.
    Texts of a device that fail at once have one notice. The author
    of a mail is not verified, so `NoticeRate` bounds how many notices go out.
    """

    def __init__(self, settings: Settings, default_accounts: Mapping[Network, str] | None) -> None:
        self._settings = settings
        self._tells_devices = settings.device_failure_notices
        self._rate = NoticeRate(settings.max_hourly_notices)
        self._accounts: dict[Network, str] = {
            network: via
            for network, via in (default_accounts or {}).items()
            if (network is Network.EMAIL and settings.mail_failure_notices)
            or (network is Network.SMS and settings.sms_failure_notices)
        }

    def enqueue(self, ids: Sequence[int], now: datetime) -> None:
        """Write the notices that these failed or expired deliveries cause. Call it within the same transaction.

        Runs no statement when nothing failed, and otherwise a fixed number of statements.
        """
        if not ids or not (self._accounts or self._tells_devices):
            return
        notices = self._compose_all(self._lock_messages(ids))
        stored = Message.objects.filter(id__in=[notice.id for notice in notices])
        known = set(stored.values_list("id", flat=True)) if notices else set()
        notices = self._drop_opt_outs([one for one in notices if one.id not in known])
        self._write(self._limit_rate(notices), now)

    def _lock_messages(self, delivery_ids: Sequence[int]) -> list[Message]:
        """Lock the messages: of two that end the last deliveries of one at the same moment, the later one decides."""
        failed = Delivery.objects.filter(id__in=delivery_ids).values("message_id")
        networks = [network.value for network in self._accounts]
        authors = Q(wants_notice=True, sender_network__in=networks)
        if self._tells_devices:
            # A dead letter that an operator sent on is no news for its device.
            is_active = Q(device__is_active=True, device__owner__is_active=True, raw__isnull=True)
            authors |= Q(sender_network=Network.SATELLITE.value) & is_active
        rows = Message.objects.filter(authors, id__in=failed)
        rows = rows.defer("text", "whole_text", "raw").select_related("device__owner")
        rows = rows.order_by("id")
        if connection.features.has_select_for_update:
            # The weaker lock: rows that refer to the message may still be inserted.
            no_key = connection.vendor == "postgresql"
            rows = rows.select_for_update(of=("self",), no_key=no_key)
        return list(rows)

    def _compose_all(self, messages: list[Message]) -> list[_Notice]:
        """Return a notice about each message whose deliveries have all ended without being sent."""
        deliveries: dict[str, list[Delivery]] = defaultdict(list)
        for delivery in Delivery.objects.filter(message__in=messages).order_by("id"):
            deliveries[delivery.message_id].append(delivery)
        notices = []
        for message in messages:
            ends = deliveries[message.id]
            if not all(end.state in FINAL and end.state not in GIVEN for end in ends):
                continue
            if not any(map(_has_failed, ends)):
                continue
            try:
                notice = self._compose(message, ends)
            except Exception as error:
                # A bug here must not keep this message, or others of the batch, from ending.
                log.error(NOT_COMPOSED, type(error).__name__, extra={"message_id": message.id})
                continue
            if notice is not None:
                notices.append(notice)
        return _merge_of_devices(notices)

    def _compose(self, message: Message, ends: list[Delivery]) -> _Notice | None:
        parties = self._parties(message)
        if parties is None:
            return None
        failed = [one for one in ends if _has_failed(one)]
        reasons = dict.fromkeys(one.reason for one in failed if one.reason)
        recipients = dict.fromkeys(one.recipient for one in failed)
        failure = Failure(
            # A call for help goes to several people and names none.
            recipient=message.recipient or ", ".join(recipients),
            reason=short_reason("; ".join(reasons)),
            expired=all(one.state == State.EXPIRED for one in failed),
            subject=message.subject,
            reference=message.reference,
            received_at=message.created_at,
        )
        doubts = Doubts(any(d.uncertain for d in ends), any(d.parts_sent for d in ends))
        sender, recipient = parties
        if recipient.network is Network.SATELLITE:
            language = message.device.locale.language if message.device else "en"
            text = device_text(failure, doubts, language)
        else:
            text = _TEXTS[recipient.network](failure, doubts)
        is_short = recipient.network is not Network.EMAIL
        account = self._settings.carriers.get(sender.value) or self._accounts.get(recipient.network)
        return _Notice(
            id=notice_id(message.id),
            about=message,
            failure=failure,
            uncertain=doubts.uncertain or doubts.partly,
            subject="" if is_short else subject_of(failure),
            text=text,
            sender=sender,
            recipient=recipient,
            # A device is told by the account that its message came by.
            via=account or message.via,
        )

    def _parties(self, message: Message) -> tuple[Address, Address] | None:
        """Return the sender and the recipient of the notice, None if the author has no address for one."""
        author = message.return_path or message.sender
        if message.sender_network == Network.SATELLITE:
            return Address(Network.EMAIL, ""), Address(Network.SATELLITE, message.sender)
        if message.sender_network == Network.SMS:
            ours, theirs = e164(message.recipient), e164(message.sender)
            if ours is None or theirs is None:
                return None
            return Address(Network.SMS, ours), Address(Network.SMS, theirs)
        domain = self._settings.mail_domain
        if relay_mailbox(author) is None or own_mailbox(author, domain) is not None:
            return None
        daemon = f"{DAEMON}@{domain}"[:MAX_ADDRESS_CHARACTERS]
        return Address(Network.EMAIL, daemon), Address(Network.EMAIL, author)

    def _drop_opt_outs(self, notices: list[_Notice]) -> list[_Notice]:
        """Leave out the phones that opted out of messages from that number."""
        peers = [n.recipient.value for n in notices if n.recipient.network is Network.SMS]
        if not peers:
            return notices
        out = set(OptOut.objects.filter(peer__in=peers).values_list("peer", "number"))
        return [n for n in notices if (n.recipient.value, n.sender.value) not in out]

    def _limit_rate(self, notices: list[_Notice]) -> list[_Notice]:
        pairs = [(n.recipient.value, n.about.subscriber_id or 0) for n in notices]
        # The author of such a message is its device: no stranger's mail uses up the notices to it.
        own = {
            pair
            for pair, notice in zip(pairs, notices, strict=True)
            if notice.recipient.network is Network.SATELLITE
        }
        allowed = self._rate.allow(pairs, own)
        for notice, is_allowed in zip(notices, allowed, strict=True):
            if not is_allowed:
                log.warning(TOO_MANY, extra={"message_id": notice.about.id})
        return [notice for notice, is_allowed in zip(notices, allowed, strict=True) if is_allowed]

    def _write(self, notices: list[_Notice], now: datetime) -> None:
        if not notices:
            return
        Message.objects.bulk_create(_message(notice, now) for notice in notices)
        lifetimes = {
            network: timedelta(seconds=self._settings.retry_policy(network).lifetime_seconds)
            for network in Network
        }
        enqueue([_delivery(n, now + lifetimes[n.recipient.network]) for n in notices], now)


def _has_failed(delivery: Delivery) -> bool:
    """Return whether a delivery has failed without a person's doing: refused, bounced, expired or opted out."""
    has_stopped = delivery.state in (State.CANCELLED, State.REFUSED)
    is_opt_out = has_stopped and delivery.reason.startswith(STOPPED)
    return delivery.state in UNDELIVERED or is_opt_out


def _merge_of_devices(notices: list[_Notice]) -> list[_Notice]:
    """Return the notices with one for each device: it is told of texts that fail together in one message."""
    merged: dict[tuple[str, Address], list[_Notice]] = defaultdict(list)
    for number, one in enumerate(notices):
        is_for_device = one.recipient.network is Network.SATELLITE
        merged[one.via if is_for_device else str(number), one.recipient].append(one)
    return [ones[0] if len(ones) == 1 else _merge(ones) for ones in merged.values()]


def _merge(notices: Sequence[_Notice]) -> _Notice:
    """Return the first of these notices to one device, with the text about all of them."""
    failures = [one.failure for one in notices]
    is_uncertain = any(one.uncertain for one in notices)
    device = notices[0].about.device
    language = device.locale.language if device else "en"
    text = device_text_of(failures, uncertain=is_uncertain, language=language)
    return replace(notices[0], text=text)


def _message(notice: _Notice, now: datetime) -> Message:
    return Message(
        id=notice.id,
        sender_network=notice.sender.network.value,
        sender=notice.sender.value,
        recipient_network=notice.recipient.network.value,
        recipient=notice.recipient.value,
        via=VIA,
        subject=notice.subject,
        text=notice.text,
        failure=failure_to_json(notice.failure),
        subscriber_id=notice.about.subscriber_id,
        created_at=now,
    )


def _delivery(notice: _Notice, expires_at: datetime) -> NewDelivery:
    about, is_for_device = notice.about, notice.recipient.network is Network.SATELLITE
    return NewDelivery(
        message_id=notice.id,
        via=notice.via,
        sender_network=notice.sender.network,
        sender=notice.sender.value,
        recipient_network=notice.recipient.network,
        recipient=notice.recipient.value,
        # Notices do not count against the queue of the subscriber's own messages.
        subscriber_id=None,
        device_id=about.device_id if is_for_device else None,
        is_urgent=False,
        sender_name="",
        display_name="",
        expires_at=expires_at,
        # Texts of the gateway itself are in no budget.
        estimated_units=None,
        rest_characters=0,
    )
