"""Writes the rows that accepted records become, and makes the values that travel to the senders."""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from messaging.model.message import DeadLetter, Delivery, Message, Network
from messaging.store import models
from messaging.store.accept.context import SenderDevice
from messaging.store.accept.policy import PlannedDelivery, Route
from messaging.store.db.sql import Row, insert, storable_time
from messaging.store.queue.lease import Lease
from messaging.store.states import State

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
_DELIVERY_FIELDS = (
    "message",
    "via",
    "sender_network",
    "sender",
    "recipient_network",
    "recipient",
    "subscriber",
    "device",
    "state",
    "attempts",
    "attempts_forgiven",
    "leased",
    "due_at",
    "expires_at",
    "parts_sent",
    "uncertain",
    "reason",
    "network_id",
    "is_urgent",
    "sender_name",
    "created_at",
    "updated_at",
)


NEVER = datetime(9999, 1, 1, tzinfo=UTC)
"""When what is urgent expires."""

_LEG_FIELDS = ("message", "via", "recipient")
"""What tells the deliveries of one batch apart: the store returns them in no particular order."""


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
    crowded: Collection[str] = frozenset(),
) -> dict[str, list[Delivery]]:
    """Insert the deliveries of a batch, one statement. Returns by message id those that are leased to the caller.

    Those for a crowded provider are due at once instead, for whoever claims them.
    """
    made, due = storable_time(now), storable_time(lease.due_at)
    never = storable_time(NEVER)
    ends = {network: storable_time(now + lifetime(network)) for network in Network}
    legs = {
        (one.message.id, leg.via, leg.recipient.value): (one, leg) for one, leg in _legs(routed)
    }
    rows = [
        _delivery_row(
            one,
            leg,
            leg.via not in crowded,
            _Times(made, due, ends[leg.recipient.network], never),
        )
        for one, leg in legs.values()
    ]
    written = insert(models.Delivery, _DELIVERY_FIELDS, rows, ("id", *_LEG_FIELDS))
    deliveries: dict[str, list[Delivery]] = {}
    for row_id, message_id, via, recipient in sorted(written):
        if via not in crowded:
            one, leg = legs[message_id, via, recipient]
            attempt = _first_attempt(row_id, one, leg, lease)
            deliveries.setdefault(message_id, []).append(attempt)
    return deliveries


def _legs(routed: Sequence[RoutedMessage]) -> Iterator[tuple[RoutedMessage, PlannedDelivery]]:
    return ((one, leg) for one in routed for leg in one.route.deliveries)


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


@dataclass(frozen=True, slots=True)
class _Times:
    """The moments of a new delivery, as the store takes them."""

    made: Any
    due: Any
    ends: Any
    never: Any


def _delivery_row(routed: RoutedMessage, leg: PlannedDelivery, leased: bool, times: _Times) -> Row:
    return (
        routed.message.id,
        leg.via,
        leg.sender.network.value,
        leg.sender.value,
        leg.recipient.network.value,
        leg.recipient.value,
        routed.route.subscriber_id,
        leg.device_id,
        State.WAITING.value,
        int(leased),
        0,
        leased,
        times.due if leased else times.made,
        times.never if routed.route.is_urgent else times.ends,
        0,
        0,
        "",
        "",
        routed.route.is_urgent,
        leg.sender_name,
        times.made,
        times.made,
    )
