"""Enqueues the mails that the gateway writes itself, besides notices of failures."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from messaging.config.settings import Settings
from messaging.model.address_syntax import MAX_ADDRESS_CHARACTERS
from messaging.model.message import MailKind, Network
from messaging.store.models import Message
from messaging.store.notices.notices import DAEMON, VIA
from messaging.store.queue.delivery_state import NewDelivery
from messaging.store.queue.enqueue import enqueue


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayMail:
    """A mail to write. `owner_id` is the subscriber that it is about.

    `reference` is the Message-ID that it answers, or the URL that stops such mails.
    """

    id: str
    kind: MailKind
    recipient: str
    subject: str
    text: str
    owner_id: int
    reference: str = ""


def enqueue_mails(
    mails: Sequence[GatewayMail], settings: Settings, account: str, now: datetime
) -> None:
    """Write these mails, due at once: two statements, none without any. Call it within a transaction."""
    if not mails:
        return
    sender = f"{DAEMON}@{settings.mail_domain}"[:MAX_ADDRESS_CHARACTERS]
    mail = Network.EMAIL
    Message.objects.bulk_create(
        Message(
            id=one.id,
            sender_network=mail.value,
            sender=sender,
            recipient_network=mail.value,
            recipient=one.recipient,
            via=VIA,
            subject=one.subject,
            text=one.text,
            mail_kind=one.kind.value,
            reference=one.reference,
            subscriber_id=one.owner_id,
            created_at=now,
        )
        for one in mails
    )
    lifetime = timedelta(seconds=settings.retry_policy(mail).lifetime_seconds)
    deliveries = [
        NewDelivery(
            message_id=one.id,
            via=account,
            sender_network=mail,
            sender=sender,
            recipient_network=mail,
            recipient=one.recipient,
            # Such mails do not count against the queue of the subscriber's own messages.
            subscriber_id=None,
            device_id=None,
            is_urgent=False,
            sender_name="",
            display_name="",
            expires_at=now + lifetime,
            estimated_units=None,
            rest_characters=0,
        )
        for one in mails
    ]
    enqueue(deliveries, now)
