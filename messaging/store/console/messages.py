"""The story of every message, as the command line shows it.

Every function raises InvalidInput when there is no such message and Unavailable when the store is away.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet

from messaging.config.settings import Settings
from messaging.store.console.selection import (
    UNDELIVERABLE,
    DeliveryFilter,
    MessageFilter,
    filter_deliveries,
    filter_messages,
    find_message,
)
from messaging.store.db.clock import utc_now
from messaging.store.db.connection import guard
from messaging.store.models import Delivery, HandedPart, Message
from messaging.store.notices.notices import notice_id
from messaging.store.queue import operator_actions
from messaging.store.queue.operator_actions import CancelResult, RetryResult
from messaging.store.states import DEAD, State


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageRow:
    """A message in a list. `state` sums up its deliveries: one word, or "sent 1, waiting 2".

    `uncertain` counts the attempts of which nobody knows how they ended: the message may have arrived more than once.
    """

    id: str
    created_at: datetime
    sender: str
    recipient: str
    via: str
    subject: str
    user: str | None
    state: str
    uncertain: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PartRow:
    """What the network was handed of a delivery, and what it says about it. `units` is what it charges."""

    network_id: str
    state: str
    reason: str
    units: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryRow:
    """One delivery of a message. `uncertain` counts the attempts of which nobody knows how they ended.

    `units` is what the network charges for it (credits, segments), None where it did not say. `parts` are given for
    networks that send receipts. What `is_urgent` never expires.
    """

    id: int
    via: str
    sender: str
    recipient: str
    state: str
    reason: str
    attempts: int
    uncertain: int
    under_way: bool
    is_urgent: bool
    due_at: datetime | None
    expires_at: datetime
    parts_sent: int
    network_id: str
    units: int | None
    parts: tuple[PartRow, ...]
    created_at: datetime
    updated_at: datetime
    settled_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageHistory:
    """Everything about one message. `raw_bytes` is the size of what was kept of an undeliverable one.

    `notice` is the id of the message that told its author that it failed, when there is one.
    """

    message: MessageRow
    text: str
    raw_bytes: int
    device: str | None
    notice: str | None
    deliveries: tuple[DeliveryRow, ...]


@guard
def list_messages(wanted: MessageFilter) -> list[MessageRow]:
    """Return the newest messages that are wanted: two queries."""
    chosen = filter_messages(wanted).select_related("subscriber").defer("text", "raw")
    messages = list(chosen.order_by("-created_at", "-id")[: wanted.limit])
    deliveries = _deliveries(message.id for message in messages)
    return [_message_row(message, deliveries[message.id]) for message in messages]


@guard
def show(message_id: str) -> MessageHistory:
    """Return the whole story of one message; the first digits of its id are enough when they are unique."""
    message = find_message(message_id)
    deliveries = _deliveries([message.id])[message.id]
    now = utc_now()
    return MessageHistory(
        message=_message_row(message, deliveries),
        text=message.text,
        raw_bytes=len(message.raw or b""),
        device=str(message.device) if message.device else None,
        notice=_notice(message),
        deliveries=tuple(_delivery_row(delivery, now) for delivery in deliveries),
    )


def retry(message_id: str, settings: Settings) -> RetryResult:
    """Make the deliveries of one message due now: see `interventions.retry`."""
    return operator_actions.retry(_deliveries_of(message_id), settings, utc_now())


def retry_all(chosen: DeliveryFilter, settings: Settings) -> RetryResult:
    """Make all of these that can be tried again due now: after an outage."""
    return operator_actions.retry(filter_deliveries(chosen), settings, utc_now())


def cancel_all(chosen: DeliveryFilter) -> CancelResult:
    """Call off all of these that still wait."""
    return operator_actions.cancel(filter_deliveries(chosen), utc_now())


@guard
def count_dead_or_waiting(chosen: DeliveryFilter) -> int:
    """Return how many of these a retry would make due, unless they are under way."""
    return filter_deliveries(chosen).filter(state__in=(State.WAITING, *DEAD)).count()


@guard
def count_waiting(chosen: DeliveryFilter) -> int:
    """Return how many of these a cancel would call off."""
    return filter_deliveries(chosen).filter(state=State.WAITING).count()


def cancel(message_id: str) -> CancelResult:
    """Call off what still waits of one message: see `interventions.cancel`."""
    return operator_actions.cancel(_deliveries_of(message_id), utc_now())


@guard
def _deliveries_of(message_id: str) -> "QuerySet[Delivery]":
    return Delivery.objects.filter(message_id=find_message(message_id).id).order_by()


def _notice(message: Message) -> str | None:
    found = Message.objects.filter(id=notice_id(message.id))
    return found.values_list("id", flat=True).first()


def _deliveries(message_ids: Iterable[str]) -> dict[str, list[Delivery]]:
    found: dict[str, list[Delivery]] = defaultdict(list)
    for delivery in Delivery.objects.filter(message_id__in=list(message_ids)).order_by("id"):
        found[delivery.message_id].append(delivery)
    return found


def _message_row(message: Message, deliveries: list[Delivery]) -> MessageRow:
    reasons = dict.fromkeys(d.reason for d in deliveries if d.reason)
    return MessageRow(
        id=message.id,
        created_at=message.created_at,
        sender=message.sender,
        recipient=message.recipient,
        via=message.via,
        subject=message.subject,
        user=message.subscriber.name if message.subscriber else None,
        state=summary(delivery.state for delivery in deliveries),
        uncertain=sum(delivery.uncertain for delivery in deliveries),
        reason=message.reason or "; ".join(reasons),
    )


def summary(states: Iterable[str]) -> str:
    """Sum up the states of the deliveries of one message."""
    counted = Counter(states)
    if not counted:
        return UNDELIVERABLE
    if len(counted) == 1:
        return next(iter(counted))
    return ", ".join(f"{state} {number}" for state, number in sorted(counted.items()))


def _delivery_row(delivery: Delivery, now: datetime) -> DeliveryRow:
    under_way = delivery.leased and delivery.due_at is not None and delivery.due_at > now
    return DeliveryRow(
        id=delivery.id,
        via=delivery.via,
        sender=delivery.sender,
        recipient=delivery.recipient,
        state=delivery.state,
        reason=delivery.reason,
        attempts=delivery.attempts,
        uncertain=delivery.uncertain,
        under_way=under_way,
        is_urgent=delivery.is_urgent,
        due_at=delivery.due_at,
        expires_at=delivery.expires_at,
        parts_sent=delivery.parts_sent,
        network_id=delivery.network_id,
        units=delivery.units,
        parts=tuple(_part_row(part) for part in delivery.handed.all()),
        created_at=delivery.created_at,
        updated_at=delivery.updated_at,
        settled_at=delivery.settled_at,
    )


def _part_row(part: HandedPart) -> PartRow:
    return PartRow(
        network_id=part.network_id, state=part.state, reason=part.reason, units=part.units
    )
