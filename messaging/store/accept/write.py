"""Writes the rows that accepted records become, and makes the values that travel to the senders."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from messaging.model.message import DeadLetter, Delivery, Message, Network
from messaging.store import models
from messaging.store.accept.context import SenderDevice
from messaging.store.accept.policy import PlannedDelivery, Route
from messaging.store.db.sql import Row, insert, storable_time
from messaging.store.queue.delivery_state import NewDelivery
from messaging.store.queue.enqueue import enqueue
from messaging.store.queue.lease import Lease

_MESSAGE_FIELDS = (
    "id",
    "sender_network",
    "sender",
    "recipient_network",
    "recipient",
    "via",
    "subject",
    "text",
    "raw",
    "reason",
    "wants_notice",
    "reference",
    "subscriber",
    "device",
    "created_at",
)

NEVER = datetime(9999, 1, 1, tzinfo=UTC)
"""When what is urgent expires."""


@dataclass(frozen=True, slots=True)
class RoutedMessage:
    """A message and where it goes."""

    message: Message
    route: Route


@dataclass(frozen=True, slots=True)
class DeadLetterEntry:
    """Something that can never be delivered, and the device that sent it or the subscriber it was for, if ours."""

    record: DeadLetter
    author: SenderDevice | None
    subscriber_id: int | None = None


def write_messages(
    routed: Sequence[RoutedMessage], stranded: Sequence[DeadLetterEntry], now: datetime
) -> None:
    """Insert the messages of a batch: one statement."""
    moment = storable_time(now)
    rows = [_routed_row(one, moment) for one in routed]
    rows += [_stranded_row(one, moment) for one in stranded]
    # In one order everywhere, so that two batches that share ids wait for each other instead of locking up.
    insert(models.Message, _MESSAGE_FIELDS, sorted(rows, key=lambda row: str(row[0])))


def _routed_row(routed: RoutedMessage, moment: Any) -> Row:
    message, route = routed.message, routed.route
    return (
        message.id,
        message.sender.network.value,
        message.sender.value,
        message.recipient.network.value,
        message.recipient.value,
        message.via,
        message.subject,
        message.text,
        None,
        "",
        message.wants_notice,
        message.reference,
        route.subscriber_id,
        route.author_id,
        moment,
    )


def _stranded_row(stranded: DeadLetterEntry, moment: Any) -> Row:
    record, author = stranded.record, stranded.author
    return (
        record.id,
        record.sender.network.value,
        record.sender.value,
        record.recipient.network.value if record.recipient else "",
        record.recipient.value if record.recipient else "",
        record.via,
        "",
        "",
        record.raw,
        record.reason,
        False,
        "",
        author.owner.id if author else stranded.subscriber_id,
        author.device_id if author else None,
        moment,
    )


def write_first_attempts(
    routed: Sequence[RoutedMessage],
    now: datetime,
    lease: Lease,
    lifetime: Callable[[Network], timedelta],
    full_providers: Collection[str] = frozenset(),
) -> dict[str, list[Delivery]]:
    """Enqueue the deliveries of a batch, one statement. Returns by message id those that are leased to the caller.

    Those for full providers are due at once instead.
    """
    ends = {network: now + lifetime(network) for network in Network}
    planned = {
        (one.message.id, delivery.via, delivery.recipient.value): (one, delivery)
        for one in routed
        for delivery in one.route.deliveries
    }
    new = [
        _new_delivery(one, delivery, ends[delivery.recipient.network])
        for one, delivery in planned.values()
    ]
    ids = enqueue(new, now, lease, full_providers)
    first: dict[str, list[Delivery]] = {}
    for row_id, (one, delivery) in zip(ids, planned.values(), strict=True):
        if delivery.via not in full_providers:
            attempt = _first_attempt(row_id, one, delivery, lease)
            first.setdefault(one.message.id, []).append(attempt)
    return first


def _first_attempt(
    row_id: int, routed: RoutedMessage, leg: PlannedDelivery, lease: Lease
) -> Delivery:
    # What only matters when it fails stays in the store.
    leaving = replace(
        routed.message,
        sender=leg.sender,
        recipient=leg.recipient,
        via=leg.via,
        wants_notice=False,
        reference="",
        sender_name=leg.sender_name,
    )
    return Delivery(
        id=row_id,
        message=leaving,
        attempt=1,
        lease_until=lease.lease_until,
        codec=leg.codec,
        is_urgent=routed.route.is_urgent,
    )


def _new_delivery(
    routed: RoutedMessage, planned: PlannedDelivery, expires_at: datetime
) -> NewDelivery:
    return NewDelivery(
        message_id=routed.message.id,
        via=planned.via,
        sender_network=planned.sender.network.value,
        sender=planned.sender.value,
        recipient_network=planned.recipient.network.value,
        recipient=planned.recipient.value,
        subscriber_id=routed.route.subscriber_id,
        device_id=planned.device_id,
        is_urgent=routed.route.is_urgent,
        sender_name=planned.sender_name,
        expires_at=NEVER if routed.route.is_urgent else expires_at,
    )
