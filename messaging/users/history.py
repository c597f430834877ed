"""The story of every message, as the command line shows it. Import after `open_store`.

Every function raises WrongEntry when there is no such message and Unavailable when the store is away.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Exists, OuterRef, Q, QuerySet

from messaging.settings import Settings
from messaging.users import interventions
from messaging.users.clock import utc_now
from messaging.users.entries import WrongEntry
from messaging.users.interventions import Cancelled, Retried
from messaging.users.life import DEAD, State
from messaging.users.models import Delivery, Message
from messaging.users.notices import notice_id
from messaging.users.store import guard

UNDELIVERABLE = "undeliverable"
"""The state of a message that was kept for people and has no deliveries."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which messages to list; what is not given does not matter. `address` may be a part of one."""

    state: str | None = None
    via: str | None = None
    user: str | None = None
    device: str | None = None
    address: str | None = None
    since: datetime | None = None
    before: datetime | None = None
    limit: int = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """Which deliveries to act on; at least one thing must be given. `before`: of messages taken before this moment."""

    state: str | None = None
    via: str | None = None
    user: str | None = None
    before: datetime | None = None


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
class DeliveryRow:
    """One delivery of a message. `uncertain` counts the attempts of which nobody knows how they ended."""

    id: int
    via: str
    sender: str
    recipient: str
    state: str
    reason: str
    attempts: int
    uncertain: int
    under_way: bool
    due_at: datetime | None
    expires_at: datetime
    parts_sent: int
    network_id: str
    created_at: datetime
    updated_at: datetime
    settled_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
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
def list_messages(wanted: Wanted) -> list[MessageRow]:
    """Return the newest messages that are wanted: two queries."""
    chosen = _chosen(wanted).select_related("subscriber").defer("text", "raw")
    messages = list(chosen.order_by("-created_at", "-id")[: wanted.limit])
    deliveries = _deliveries(message.id for message in messages)
    return [_message_row(message, deliveries[message.id]) for message in messages]


@guard
def show(message_id: str) -> Story:
    """Return the whole story of one message; the first digits of its id are enough when they are unique."""
    message = _message(message_id)
    deliveries = _deliveries([message.id])[message.id]
    now = utc_now()
    return Story(
        message=_message_row(message, deliveries),
        text=message.text,
        raw_bytes=len(message.raw or b""),
        device=str(message.device) if message.device else None,
        notice=_notice(message),
        deliveries=tuple(_delivery_row(delivery, now) for delivery in deliveries),
    )


def retry(message_id: str, settings: Settings) -> Retried:
    """Make the deliveries of one message due now: see `interventions.retry`."""
    return interventions.retry(_deliveries_of(message_id), settings, utc_now())


def retry_all(chosen: Chosen, settings: Settings) -> Retried:
    """Make all of these that can be tried again due now: after an outage."""
    return interventions.retry(_deliveries_chosen(chosen), settings, utc_now())


def cancel_all(chosen: Chosen) -> Cancelled:
    """Call off all of these that still wait."""
    return interventions.cancel(_deliveries_chosen(chosen), utc_now())


@guard
def count_dead_or_waiting(chosen: Chosen) -> int:
    """Return how many of these a retry would make due, unless they are under way."""
    return _deliveries_chosen(chosen).filter(state__in=(State.WAITING, *DEAD)).count()


@guard
def count_waiting(chosen: Chosen) -> int:
    """Return how many of these a cancel would call off."""
    return _deliveries_chosen(chosen).filter(state=State.WAITING).count()


def cancel(message_id: str) -> Cancelled:
    """Call off what still waits of one message: see `interventions.cancel`."""
    return interventions.cancel(_deliveries_of(message_id), utc_now())


@guard
def _deliveries_of(message_id: str) -> "QuerySet[Delivery]":
    return Delivery.objects.filter(message_id=_message(message_id).id).order_by()


def _deliveries_chosen(chosen: Chosen) -> "QuerySet[Delivery]":
    found = Delivery.objects.order_by()
    if chosen.state is not None:
        found = found.filter(state=_state(chosen.state))
    if chosen.via is not None:
        found = found.filter(via=chosen.via)
    if chosen.before is not None:
        found = found.filter(message__created_at__lt=chosen.before)
    if chosen.user is not None:
        found = found.filter(message__in=Message.objects.filter(_of_user(chosen.user)))
    return found


def _of_user(name: str) -> Q:
    return Q(subscriber__name=name.lower()) | Q(device__owner__name=name.lower())


def _notice(message: Message) -> str | None:
    found = Message.objects.filter(id=notice_id(message.id))
    return found.values_list("id", flat=True).first()


def _state(text: str) -> State:
    try:
        return State(text)
    except ValueError:
        known = ", ".join(State)
        raise WrongEntry(f"there is no state {text!r}; there are {known}") from None


def _message(prefix: str) -> Message:
    found = Message.objects.select_related("subscriber", "device").filter(id__startswith=prefix)
    messages = list(found.order_by()[:2]) if prefix else []
    if not messages:
        raise WrongEntry(f"there is no message {prefix!r}")
    if len(messages) > 1:
        raise WrongEntry(f"several messages begin with {prefix!r}; give more of the id")
    return messages[0]


def _chosen(wanted: Wanted) -> "QuerySet[Message]":
    chosen = Message.objects.all()
    if wanted.state == UNDELIVERABLE:
        chosen = chosen.filter(~_has_delivery(Q()))
    elif wanted.state is not None:
        chosen = chosen.filter(_has_delivery(Q(state=_state(wanted.state))))
    if wanted.user is not None:
        chosen = chosen.filter(_of_user(wanted.user))
    if wanted.via is not None:
        chosen = chosen.filter(Q(via=wanted.via) | _has_delivery(Q(via=wanted.via)))
    if wanted.device is not None:
        to_device = _has_delivery(Q(device__serial=wanted.device))
        chosen = chosen.filter(Q(device__serial=wanted.device) | to_device)
    if wanted.address is not None:
        part = Q(sender__icontains=wanted.address) | Q(recipient__icontains=wanted.address)
        chosen = chosen.filter(part | _has_delivery(part))
    if wanted.since is not None:
        chosen = chosen.filter(created_at__gte=wanted.since)
    if wanted.before is not None:
        chosen = chosen.filter(created_at__lt=wanted.before)
    return chosen


def _has_delivery(condition: Q) -> Exists:
    return Exists(Delivery.objects.filter(condition, message_id=OuterRef("pk")))


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
        due_at=delivery.due_at,
        expires_at=delivery.expires_at,
        parts_sent=delivery.parts_sent,
        network_id=delivery.network_id,
        created_at=delivery.created_at,
        updated_at=delivery.updated_at,
        settled_at=delivery.settled_at,
    )
