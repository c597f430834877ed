"""Writes the messages and deliveries of a batch, and returns the first attempts for the senders."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final

from messaging.model.message import DeadLetter, Delivery, Message, Network
from messaging.store.accept.context import SenderDevice
from messaging.store.accept.policy import PlannedDelivery, RoutedMessage
from messaging.store.db.sql import Row, insert, storable_time
from messaging.store.queue.delivery_state import NewDelivery
from messaging.store.queue.enqueue import Lease, enqueue

_MESSAGE_COLUMNS: Final = (
    "id",
    "sender_network",
    "sender",
    "via",
    "recipient_network",
    "recipient",
    "subject",
    "text",
    "raw",
    "reason",
    "wants_notice",
    "reference",
    "subscriber_id",
    "device_id",
    "created_at",
)

NEVER: Final = datetime(9999, 1, 1, tzinfo=UTC)
"""The end of the lifetime of urgent deliveries."""


@dataclass(frozen=True, slots=True)
class DeadLetterEntry:
    """A dead letter, with the device that sent it or the subscriber that it was for, where known."""

    record: DeadLetter
    device: SenderDevice | None
    subscriber_id: int | None = None


def write_messages(
    routed: Sequence[RoutedMessage], dead_letters: Sequence[DeadLetterEntry], now: datetime
) -> None:
    """Insert the messages and dead letters of a batch: one statement."""
    moment = storable_time(now)
    rows = [_message_row(one.message, one, moment) for one in routed]
    for entry in dead_letters:
        device, record = entry.device, entry.record
        rows.append(
            (
                record.id,
                record.sender.network.value,
                record.sender.value,
                record.via,
                record.recipient.network.value if record.recipient else "",
                record.recipient.value if record.recipient else "",
                *("", "", record.raw, record.reason, False, ""),
                device.owner.id if device else entry.subscriber_id,
                device.device_id if device else None,
                moment,
            )
        )
    # In one order everywhere: two batches that share ids wait for each other instead of locking up.
    insert("users_message", _MESSAGE_COLUMNS, sorted(rows, key=lambda row: str(row[0])))


def _message_row(message: Message, routed: RoutedMessage, moment: Any) -> Row:
    return (
        message.id,
        message.sender.network.value,
        message.sender.value,
        message.via,
        message.recipient.network.value,
        message.recipient.value,
        message.subject,
        message.text,
        *(None, "", message.wants_notice, message.reference),
        routed.route.subscriber_id,
        routed.route.sender_device_id,
        moment,
    )


def enqueue_deliveries(
    routed: Sequence[RoutedMessage],
    now: datetime,
    lease: Lease,
    expires_at: Mapping[Network, datetime],
    full_providers: Collection[str] = frozenset(),
) -> dict[str, list[Delivery]]:
    """Enqueue the deliveries of a batch: one statement. Return those that are leased to the caller, by message id.

    Deliveries for full providers are due at once instead.
    """
    planned = {
        (one.message.id, delivery.via, delivery.recipient.value): (one, delivery)
        for one in routed
        for delivery in one.route.deliveries
    }
    new = [
        NewDelivery(
            message_id=one.message.id,
            via=delivery.via,
            sender_network=delivery.sender.network,
            sender=delivery.sender.value,
            recipient_network=delivery.recipient.network,
            recipient=delivery.recipient.value,
            subscriber_id=one.route.subscriber_id,
            device_id=delivery.device_id,
            is_urgent=one.route.is_urgent,
            sender_name=delivery.sender_name,
            expires_at=NEVER if one.route.is_urgent else expires_at[delivery.recipient.network],
        )
        for one, delivery in planned.values()
    ]
    ids = enqueue(new, now, lease, full_providers)
    attempts: dict[str, list[Delivery]] = {}
    for row_id, (one, delivery) in zip(ids, planned.values(), strict=True):
        if delivery.via not in full_providers:
            attempt = _first_attempt(row_id, one, delivery, lease)
            attempts.setdefault(one.message.id, []).append(attempt)
    return attempts


def _first_attempt(
    row_id: int, routed: RoutedMessage, planned: PlannedDelivery, lease: Lease
) -> Delivery:
    # `wants_notice` and `reference` matter to the store only.
    leaving = replace(
        routed.message,
        sender=planned.sender,
        recipient=planned.recipient,
        via=planned.via,
        wants_notice=False,
        reference="",
        sender_name=planned.sender_name,
    )
    return Delivery(
        id=row_id,
        message=leaving,
        attempt=1,
        lease_until=lease.lease_until,
        codec=planned.codec,
        is_urgent=routed.route.is_urgent,
    )
