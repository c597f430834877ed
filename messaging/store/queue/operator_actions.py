"""Retries and cancels deliveries, for operators and for phones that said STOP; releases and refuses held ones.

Those that a budget holds are released by themselves once it has room again.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection
from django.db.models import Case, Exists, F, OuterRef, Q, QuerySet, Value, When

from messaging.config.settings import Settings
from messaging.model.message import Network, ReceiptState
from messaging.store.admission.terms import Hold
from messaging.store.audit.log_line import (
    MAX_LINES,
    DeliveryKey,
    log_after_commit,
    log_deliveries_after_commit,
)
from messaging.store.audit.record import Action, record_deliveries
from messaging.store.budgets.settle import settle_ended
from messaging.store.budgets.stored import estimate_column, reserve_again, reserve_rows
from messaging.store.db.connection import one_transaction
from messaging.store.db.locks import lock_all
from messaging.store.models import Delivery, DeliveryPart, OptOut
from messaging.store.queue.queries import update_all
from messaging.store.states import DEAD, State

BY_HAND = "cancelled by hand"
UNDER_WAY = " while an attempt was under way: it may still arrive"
RETRIED = "tried again by hand"
RELEASED = "released by hand"
CONTINUED = "its budget has room again"
REFUSED = "refused by hand"

_SATELLITE = Network.SATELLITE.value
SWITCHED_ON = (
    ~Q(recipient_network=_SATELLITE) | Q(device__is_active=True, device__owner__is_active=True)
) & (
    ~Q(message__sender_network=_SATELLITE)
    | Q(message__device__is_active=True, message__device__owner__is_active=True)
)
"""The condition of deliveries whose devices are registered, and are switched on with their owners."""


@dataclass(frozen=True, slots=True)
class RetryResult:
    """How many deliveries are due now, and how many were left alone.

    A delivery that was cancelled under way is due within a lease. Deliveries that were sent, and those under way, are
    left alone.
    """

    due_now: int
    left_alone: int


@dataclass(frozen=True, slots=True)
class CancelResult:
    """How many deliveries were cancelled, and how many of them had an attempt under way, which cannot be recalled."""

    cancelled: int
    under_way: int


@dataclass(frozen=True, slots=True)
class ReleaseResult:
    """How many deliveries are due now, and how many are held by a budget that has no room for them.

    `switched_off` counts those that stay held because a device or its owner is switched off, or removed, and
    `opted_out` those that expired and whose phone has said STOP since.
    """

    released: int
    over_budget: int = 0
    switched_off: int = 0
    opted_out: int = 0


@one_transaction
def retry(deliveries: "QuerySet[Delivery]", settings: Settings, now: datetime) -> RetryResult:
    """Make failed, expired and cancelled deliveries wait again with a whole new lifetime, and waiting ones due now.

    Attempts go on counting, so that a late outcome of an old one is told apart; their limit, and that of losses, starts
    anew. A delivery that was cancelled during an attempt is due when the lease of that attempt is over, so that no two
    attempts ever run at once. A delivery that its network lost is sent anew as a whole.
    """
    asked = deliveries.count()
    lock_all(deliveries.filter(state__in=(State.WAITING, *DEAD)))
    # Retention or a person removed the text: nothing is left to send.
    # A message that expired while it was held has had no decision: `release` is for it.
    deliveries = deliveries.filter(message__text_removed_at__isnull=True, hold="")
    ended = list(deliveries.filter(state__in=DEAD).order_by("id").values_list("id", flat=True))
    can_change = (Q(state=State.WAITING) & ~_under_way(now)) | Q(state__in=DEAD)
    record_deliveries(Action.RETRY, deliveries.filter(can_change), now)
    changed = _first_keys(deliveries.filter(can_change))
    # A subquery, because there may be more of them than a list of ids can hold.
    lost = DeliveryPart.objects.filter(delivery=OuterRef("pk"), state=ReceiptState.FAILED)
    lost_by_network = deliveries.filter(Exists(lost), state=State.FAILED).order_by()
    lost_by_network.update(parts_sent=0)
    DeliveryPart.objects.filter(delivery__in=lost_by_network.values("id")).delete()
    due_now = update_all(
        deliveries.filter(~_under_way(now)),
        [State.WAITING],
        State.WAITING,
        by_hand=True,
        losses=0,
        due_at=now,
        updated_at=now,
    )
    due_now += _begin_anew(deliveries, settings, now)
    reserve_again(ended, settings.mail_domain, now)
    log_deliveries_after_commit(State.WAITING, changed, due_now, RETRIED, by_operator=True)
    log_after_commit(Action.RETRY, due_now)
    return RetryResult(due_now, asked - due_now)


def _begin_anew(deliveries: "QuerySet[Delivery]", settings: Settings, now: datetime) -> int:
    """Make failed, expired and cancelled deliveries wait with the whole lifetime of their network; return how many."""
    count = 0
    lease_over = F("settled_at") + timedelta(seconds=settings.lease_seconds)
    is_leased = Q(leased=True, settled_at__gt=now - timedelta(seconds=settings.lease_seconds))
    for network in Network:
        lifetime = timedelta(seconds=settings.retry_policy(network).lifetime_seconds)
        count += update_all(
            deliveries.filter(recipient_network=network),
            DEAD,
            State.WAITING,
            by_hand=True,
            attempts_forgiven=F("attempts"),
            losses=0,
            estimated_units=estimate_column(network),
            due_at=Case(When(is_leased, then=lease_over), default=Value(now)),
            expires_at=Case(
                When(is_urgent=True, then=F("expires_at")), default=Value(now + lifetime)
            ),
            settled_at=None,
            updated_at=now,
        )
    return count


@one_transaction
def cancel(
    deliveries: "QuerySet[Delivery]",
    now: datetime,
    why: str = BY_HAND,
    *,
    by_operator: bool = True,
    settles: bool = True,
) -> CancelResult:
    """Cancel waiting deliveries. An attempt that is under way goes on; its outcome will be ignored.

    Without `settles` the caller brings their bookings up to date, last in its transaction.
    """
    lock_all(deliveries.filter(state=State.WAITING))
    if by_operator:
        record_deliveries(Action.CANCEL, deliveries.filter(state=State.WAITING), now)
    changed = _first_keys(deliveries.filter(state=State.WAITING))
    waiting, end = [State.WAITING], {"due_at": None, "updated_at": now, "settled_at": now}
    under_way = update_all(
        deliveries.filter(_under_way(now)),
        waiting,
        State.CANCELLED,
        by_hand=True,
        reason=why + UNDER_WAY,
        **end,
    )
    idle = update_all(
        deliveries,
        waiting,
        State.CANCELLED,
        by_hand=True,
        reason=why,
        leased=False,
        # Still leased: its last attempt ended without an outcome, which no later claim will count.
        uncertain=F("uncertain") + Case(When(leased=True, then=1), default=0),
        **end,
    )
    number = under_way + idle
    if number and settles:
        settle_ended()
    log_deliveries_after_commit(State.CANCELLED, changed, number, why, by_operator=by_operator)
    if by_operator:
        log_after_commit(Action.CANCEL, number)
    return CancelResult(under_way + idle, under_way)


@one_transaction
def release(
    deliveries: "QuerySet[Delivery]",
    settings: Settings,
    now: datetime,
    *,
    over_budget: bool = False,
) -> ReleaseResult:
    """Make held deliveries due now, with the whole lifetime of their network.

    Also those that expired while they were held, unless their text was removed. Those whose budget has no room are held
    by it from now on, unless they may go `over_budget`. Those of a device that is switched off, and those to a phone
    that has said STOP, stay as they are.
    """
    can_change = Q(state=State.HELD) | Q(state=State.EXPIRED)
    lock_all(deliveries.filter(can_change))
    asked = deliveries.filter(can_change, message__text_removed_at__isnull=True).exclude(hold="")
    switched_off = asked.exclude(SWITCHED_ON).count()
    found = asked.filter(SWITCHED_ON)
    stop = OptOut.objects.filter(peer=OuterRef("recipient"), number=OuterRef("sender"))
    has_stopped = Q(Exists(stop), recipient_network=Network.SMS.value, is_urgent=False)
    opted_out = found.filter(has_stopped).count()
    found = found.exclude(has_stopped)
    record_deliveries(Action.RELEASE, found, now)
    changed = _first_keys(found)
    refused = reserve_rows(found.order_by("id"), settings.mail_domain, now, over_budget=over_budget)
    if refused:
        _hold_for_budgets(refused, now)
        found = found.exclude(id__in=list(refused))
    number = _release_rows(found, RELEASED, settings, now)
    log_deliveries_after_commit(State.WAITING, changed, number, RELEASED, by_operator=True)
    log_after_commit(Action.RELEASE, number)
    return ReleaseResult(number, len(refused), switched_off, opted_out)


@one_transaction
def continue_held(after_id: int, limit: int, settings: Settings, now: datetime) -> list[int]:
    """Make deliveries due that a budget holds and has room for now, the oldest first; return the ids that were read.

    Those of a device that is switched off stay held. Reads at most `limit` of them, behind the one with this id.
    """
    held = Delivery.objects.filter(
        SWITCHED_ON,
        # Implies the state, and a partial index has it.
        held_until__isnull=False,
        hold=Hold.BUDGET.value,
        id__gt=after_id,
        message__text_removed_at__isnull=True,
    ).order_by("id")
    if connection.features.has_select_for_update_skip_locked:
        held = held.select_for_update(skip_locked=True, of=("self",))
    keys = {row[0]: row for row in held.values_list("id", "message_id", "via")[:limit]}
    if not keys:
        return []
    rows = Delivery.objects.filter(id__in=list(keys)).order_by("id")
    refused = reserve_rows(rows, settings.mail_domain, now)
    number = _release_rows(rows.exclude(id__in=list(refused)), CONTINUED, settings, now)
    changed = [row for one, row in keys.items() if one not in refused][:MAX_LINES]
    log_deliveries_after_commit(State.WAITING, changed, number, CONTINUED, by_operator=False)
    return list(keys)


@one_transaction
def refuse(
    deliveries: "QuerySet[Delivery]",
    now: datetime,
    why: str = REFUSED,
    *,
    by_operator: bool = True,
) -> int:
    """Refuse held deliveries; return how many. Their authors are not told."""
    found = deliveries.filter(state=State.HELD)
    lock_all(found)
    if by_operator:
        record_deliveries(Action.REFUSE, found, now)
    changed = _first_keys(found)
    number = update_all(
        found,
        [State.HELD],
        State.REFUSED,
        by_hand=True,
        held_until=None,
        reason=why,
        settled_at=now,
        updated_at=now,
    )
    log_deliveries_after_commit(State.REFUSED, changed, number, why, by_operator=by_operator)
    if by_operator:
        log_after_commit(Action.REFUSE, number)
    return number


def _release_rows(
    found: "QuerySet[Delivery]", reason: str, settings: Settings, now: datetime
) -> int:
    """Make deliveries due that are held, or expired so, with the whole lifetime of their network; return how many."""
    number = 0
    for network in Network:
        lifetime = timedelta(seconds=settings.retry_policy(network).lifetime_seconds)
        number += update_all(
            found.filter(recipient_network=network),
            [State.HELD, State.EXPIRED],
            State.WAITING,
            by_hand=True,
            hold="",
            held_until=None,
            reason=reason,
            estimated_units=estimate_column(network),
            due_at=now,
            expires_at=now + lifetime,
            settled_at=None,
            updated_at=now,
        )
    return number


def _hold_for_budgets(refused: Mapping[int, str], now: datetime) -> None:
    """Note on held deliveries that a budget holds them from now on, by id: one statement for each budget."""
    by_reason: dict[str, list[int]] = defaultdict(list)
    for number, reason in refused.items():
        by_reason[reason].append(number)
    for reason, ids in by_reason.items():
        rows = Delivery.objects.filter(id__in=ids, held_until__isnull=False)
        rows.update(hold=Hold.BUDGET.value, reason=reason, updated_at=now)


def _under_way(now: datetime) -> Q:
    """The condition of waiting deliveries that a sender may be sending at this moment."""
    return Q(leased=True, due_at__gt=now)


def _first_keys(deliveries: "QuerySet[Delivery]") -> list[DeliveryKey]:
    """Return the first of these deliveries, as many as have a line of the log each."""
    return list(deliveries.order_by("id").values_list("id", "message_id", "via")[:MAX_LINES])
