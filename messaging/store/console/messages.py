"""The history of every message, as the command line shows it.

Every function raises InvalidInput when there is no such message and Unavailable when the store is away.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet
from django.utils import timezone

from messaging.config.settings import Settings
from messaging.model.message import AuthorLevel, Position
from messaging.store.accept.emergency_text import alarm_id
from messaging.store.console.kept import filter_dead_letters, position_near, text_of
from messaging.store.console.readable import readable
from messaging.store.console.search import LIMITS, SearchLimits, find_by_message_id, find_by_text
from messaging.store.console.selection import (
    DeliveryFilter,
    MessageFilter,
    filter_deliveries,
    filter_messages,
    find_message,
    summary,
)
from messaging.store.db.connection import guard
from messaging.store.models import AuditEntry, Delivery, DeliveryAttempt, Message
from messaging.store.notices.notices import notice_id
from messaging.store.notices.unreached import compose_unreached_id
from messaging.store.queue import operator_actions
from messaging.store.queue.operator_actions import (
    CancelResult,
    ReleaseResult,
    RetryResult,
)
from messaging.store.states import DEAD, State


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageRow:
    """A message in a list. `state` sums up its deliveries: one word, or "sent 1, waiting 2".

    `units` is the charge of all its deliveries, None while no network has reported one.

    `uncertain` counts the attempts with an unknown outcome: the message may have arrived more than once.
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
    units: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PartRow:
    """A submitted part of a delivery, with the state that its network reports. `units` is the charge."""

    network_id: str
    state: str
    reason: str
    units: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptRow:
    """One attempt that has ended. `began_at` is None where it was refused before it began. `units` is the charge."""

    number: int
    began_at: datetime | None
    ended_at: datetime
    outcome: str
    reason: str
    units: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionRow:
    """An action of an operator on a delivery, from the audit: `actor` is the id of the system user or the sign-in."""

    at: datetime
    action: str
    channel: str
    actor: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryRow:
    """One delivery of a message. `uncertain` counts the attempts with an unknown outcome.

    `losses` counts the attempts at an urgent one, since the last retry, that may have been charged and did not arrive;
    `unreached_notice` is the id of the message that tells the other recipients of the emergency of it.

    `history` has the attempts that have ended, of deliveries of older versions none; `actions` those of operators.
    `units` is the charge of the network (credits, segments), None if it reports none. `parts` are present for
    networks that send receipts. An urgent delivery never expires.
    """

    id: int
    via: str
    sender: str
    recipient: str
    state: str
    reason: str
    attempts: int
    uncertain: int
    losses: int
    unreached_notice: str | None
    under_way: bool
    is_urgent: bool
    due_at: datetime | None
    expires_at: datetime
    parts_sent: int
    network_id: str
    units: int | None
    parts: tuple[PartRow, ...]
    history: tuple[AttemptRow, ...]
    actions: tuple[ActionRow, ...]
    created_at: datetime
    updated_at: datetime
    settled_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageHistory:
    """Everything about one message. `raw_bytes` is the size of the stored bytes of a dead letter, `raw_text` its bytes
    in a form that can be read; empty where they are the text. `kept_because` is why it had no recipient.

    `position` is the last one that its device reported within the hour before. `notice` is the id of the notice to its
    author, if there is one. `author_level` says how well the author is proved, and `author_reason` why; empty for
    older messages.
    """

    message: MessageRow
    text: str
    whole_text: str
    raw_bytes: int
    raw_text: str
    kept_because: str
    device: str | None
    position: Position | None
    notice: str | None
    deliveries: tuple[DeliveryRow, ...]
    author_level: str = ""
    author_reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageList:
    """The newest messages that match.

    Of a search by text or Message-ID, only messages since `searched_since` were searched; None if all of them were.
    """

    rows: list[MessageRow]
    searched_since: datetime | None = None


def list_messages(wanted: MessageFilter) -> list[MessageRow]:
    """Return the newest messages that match: two queries, and two more for a search."""
    return search_messages(wanted).rows


@guard
def search_messages(wanted: MessageFilter, limits: SearchLimits = LIMITS) -> MessageList:
    """Return the newest messages that match, and how far back a search by text or Message-ID went."""
    chosen = filter_messages(wanted)
    searched_since = None
    if wanted.author_id is not None:
        hits = find_by_message_id(chosen, wanted.author_id, limits)
        chosen, searched_since = Message.objects.filter(id__in=hits.ids), hits.searched_since
    if wanted.text is not None:
        hits = find_by_text(chosen, [wanted.text], wanted.limit, limits=limits)
        chosen = Message.objects.filter(id__in=hits.ids)
        searched_since = searched_since or hits.searched_since
    found = chosen.select_related("subscriber").defer("text", "whole_text", "raw")
    messages = list(found.order_by("-created_at", "-id")[: wanted.limit])
    deliveries = _deliveries(message.id for message in messages)
    rows = [_message_row(message, deliveries[message.id]) for message in messages]
    return MessageList(rows=rows, searched_since=searched_since)


@guard
def show(message_id: str) -> MessageHistory:
    """Return the history of one message; the first digits of its id are enough if they are unique."""
    message = find_message(message_id)
    deliveries = _deliveries([message.id])[message.id]
    notices = Message.objects.filter(id=notice_id(message.id))
    now = timezone.now()
    steps = _find_steps(deliveries)
    raw = bytes(message.raw or b"")
    text = text_of(message)
    return MessageHistory(
        author_level=message.author_level,
        author_reason=message.author_reason,
        message=_message_row(message, deliveries),
        text=text,
        whole_text=message.whole_text,
        raw_bytes=len(raw),
        raw_text="" if raw == message.text.encode() else readable(raw),
        kept_because=message.reason,
        device=str(message.device) if message.device else None,
        position=position_near(message),
        notice=notices.values_list("id", flat=True).first(),
        deliveries=tuple(_delivery_row(one, steps, now) for one in deliveries),
    )


@guard
def is_dead_letter(message_id: str) -> bool:
    """Return whether a message is a dead letter that was never sent on."""
    message = find_message(message_id)
    return message.raw is not None and not message.deliveries.exists()


def retry(message_id: str, settings: Settings) -> RetryResult:
    """Make the deliveries of one message due now: see `operator_actions.retry`."""
    chosen = _deliveries_of(message_id)
    return operator_actions.retry(chosen, settings, timezone.now())


def retry_all(chosen: DeliveryFilter, settings: Settings) -> RetryResult:
    """Make all deliveries that match due now, for example after an outage."""
    return operator_actions.retry(filter_deliveries(chosen), settings, timezone.now())


def cancel_all(chosen: DeliveryFilter) -> CancelResult:
    """Cancel all waiting deliveries that match."""
    return operator_actions.cancel(filter_deliveries(chosen), timezone.now())


def release(message_id: str, settings: Settings, *, over_budget: bool = False) -> ReleaseResult:
    """Release the held deliveries of one message: see `operator_actions.release`."""
    return operator_actions.release(
        _deliveries_of(message_id), settings, timezone.now(), over_budget=over_budget
    )


def release_all(
    chosen: DeliveryFilter, settings: Settings, *, over_budget: bool = False, unproved: bool = False
) -> ReleaseResult:
    """Release all held deliveries that match: see `_filter_releasable`."""
    held = _filter_releasable(chosen, unproved=unproved)
    return operator_actions.release(held, settings, timezone.now(), over_budget=over_budget)


def refuse(message_id: str) -> int:
    """Refuse the held deliveries of one message: see `operator_actions.refuse`."""
    return operator_actions.refuse(_deliveries_of(message_id), timezone.now())


def refuse_all(chosen: DeliveryFilter) -> int:
    """Refuse all held deliveries that match."""
    return operator_actions.refuse(_filter_held(chosen), timezone.now())


@guard
def count_held(chosen: DeliveryFilter) -> int:
    """Return how many of these a refusal would change."""
    return _filter_held(chosen).count()


@guard
def count_releasable(chosen: DeliveryFilter, *, unproved: bool = False) -> int:
    """Return how many of these a release would change, as far as their budgets have room."""
    return _filter_releasable(chosen, unproved=unproved).count()


def _filter_held(chosen: DeliveryFilter) -> "QuerySet[Delivery]":
    # By filter only what is held: not what expired long ago.
    return filter_deliveries(chosen).filter(state=State.HELD)


def _filter_releasable(chosen: DeliveryFilter, *, unproved: bool) -> "QuerySet[Delivery]":
    """Return the held deliveries that match, but for the rests of long texts: their authors decide.

    Of an author that the filter names, those by the author for sure, unless the `unproved` ones go too.
    """
    held = _filter_held(chosen).filter(rest_characters=0)
    if chosen.author is None or unproved:
        return held
    sure = [level.value for level in AuthorLevel if level.names_author]
    return held.filter(message__author_level__in=sure)


@guard
def count_dead_or_waiting(chosen: DeliveryFilter) -> int:
    """Return how many of these a retry would make due, unless they are under way."""
    found = filter_deliveries(chosen).filter(state__in=(State.WAITING, *DEAD), hold="")
    return found.count()


@guard
def count_dead_letters(chosen: DeliveryFilter) -> int:
    """Return how many dead letters a retry would try to route."""
    return filter_dead_letters(chosen).count()


@guard
def count_waiting(chosen: DeliveryFilter) -> int:
    """Return how many of these a cancel would end."""
    return filter_deliveries(chosen).filter(state=State.WAITING).count()


def cancel(message_id: str) -> CancelResult:
    """Cancel the waiting deliveries of one message: see `operator_actions.cancel`."""
    return operator_actions.cancel(_deliveries_of(message_id), timezone.now())


@guard
def _deliveries_of(message_id: str) -> "QuerySet[Delivery]":
    return Delivery.objects.filter(message_id=find_message(message_id).id).order_by()


def _deliveries(message_ids: Iterable[str]) -> dict[str, list[Delivery]]:
    found: dict[str, list[Delivery]] = defaultdict(list)
    for delivery in Delivery.objects.filter(message_id__in=list(message_ids)).order_by("id"):
        found[delivery.message_id].append(delivery)
    return found


def _message_row(message: Message, deliveries: list[Delivery]) -> MessageRow:
    reasons = dict.fromkeys(d.reason for d in deliveries if d.reason)
    units = [delivery.units for delivery in deliveries if delivery.units is not None]
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
        reason="; ".join(reasons) if deliveries else message.reason,
        units=sum(units) if units else None,
    )


@dataclass(frozen=True, slots=True)
class _Steps:
    """The attempts at some deliveries by id, the actions of operators by id as text, and the notices by recipient.

    These are the messages to the other recipients of an emergency about one that it has not reached.
    """

    attempts: dict[int, list[DeliveryAttempt]]
    actions: dict[str, list[ActionRow]]
    unreached: dict[str, str]


def _find_steps(deliveries: list[Delivery]) -> _Steps:
    attempts: dict[int, list[DeliveryAttempt]] = defaultdict(list)
    for attempt in DeliveryAttempt.objects.filter(delivery__in=deliveries).order_by("number"):
        attempts[attempt.delivery_id].append(attempt)
    actions: dict[str, list[ActionRow]] = defaultdict(list)
    ids = [str(one.id) for one in deliveries]
    for one in AuditEntry.objects.filter(kind="delivery", object_id__in=ids).order_by("id"):
        row = ActionRow(at=one.at, action=one.action, channel=one.channel, actor=one.actor)
        actions[one.object_id].append(row)
    return _Steps(attempts, actions, _find_unreached_notices(deliveries))


def _find_unreached_notices(deliveries: list[Delivery]) -> dict[str, str]:
    possible = {
        compose_unreached_id(emergency, one.recipient): one.recipient
        for one in deliveries
        if one.is_urgent
        for emergency in (one.message_id, alarm_id(one.message_id))
    }
    if not possible:
        return {}
    stored = Message.objects.filter(id__in=list(possible)).values_list("id", flat=True)
    return {possible[number]: number for number in stored}


def _delivery_row(delivery: Delivery, steps: _Steps, now: datetime) -> DeliveryRow:
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
        losses=delivery.losses,
        unreached_notice=steps.unreached.get(delivery.recipient),
        under_way=under_way,
        is_urgent=delivery.is_urgent,
        due_at=delivery.due_at,
        expires_at=delivery.expires_at,
        parts_sent=delivery.parts_sent,
        network_id=delivery.network_id,
        units=delivery.units,
        parts=tuple(
            PartRow(
                network_id=part.network_id, state=part.state, reason=part.reason, units=part.units
            )
            for part in delivery.parts.all()
        ),
        history=tuple(
            AttemptRow(
                number=one.number,
                began_at=one.began_at,
                ended_at=one.ended_at,
                outcome=one.outcome,
                reason=one.reason,
                units=one.units,
            )
            for one in steps.attempts[delivery.id]
        ),
        actions=tuple(steps.actions[str(delivery.id)]),
        created_at=delivery.created_at,
        updated_at=delivery.updated_at,
        settled_at=delivery.settled_at,
    )
