"""What people may do to deliveries: ask for another round, or call one off."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Case, Exists, F, OuterRef, Q, QuerySet, Value, When

from messaging.config.settings import Settings
from messaging.model.message import Network, ReceiptState
from messaging.store.db.connection import guard
from messaging.store.models import Delivery, HandedPart
from messaging.store.states import DEAD, State

BY_HAND = "cancelled by hand"
UNDER_WAY = " while an attempt was under way: it may still arrive"


@dataclass(frozen=True, slots=True)
class RetryResult:
    """How many deliveries are due now (or within a lease, if called off under way), and how many were left alone.

    Left alone is what the network has, and what is under way.
    """

    due_now: int
    left_alone: int


@dataclass(frozen=True, slots=True)
class CancelResult:
    """How many deliveries were called off, and for how many of them an attempt was under way that none can recall."""

    cancelled: int
    under_way: int


@guard
@transaction.atomic
def retry(deliveries: "QuerySet[Delivery]", settings: Settings, now: datetime) -> RetryResult:
    """Make failed, expired and cancelled deliveries wait again with a whole new life, and waiting ones due now.

    Attempts go on counting, so that a late outcome of an old one is still told apart; the cap starts anew. One that was
    called off in mid-attempt is due when that attempt can no longer be under way, so that no two ever are. What the
    network took and then lost is handed over anew as a whole.
    """
    asked = deliveries.count()
    _hand_over_anew(deliveries)
    due_now = _in_hand(deliveries, now, negated=True).update(due_at=now, updated_at=now)
    free_at = F("settled_at") + timedelta(seconds=settings.lease_seconds)
    held = Q(leased=True, settled_at__gt=now - timedelta(seconds=settings.lease_seconds))
    for network in Network:
        lifetime = timedelta(seconds=settings.retry_policy(network).lifetime_seconds)
        due_now += deliveries.filter(state__in=DEAD, recipient_network=network).update(
            state=State.WAITING,
            attempts_forgiven=F("attempts"),
            due_at=Case(When(held, then=free_at), default=Value(now)),
            expires_at=Case(
                When(is_urgent=True, then=F("expires_at")), default=Value(now + lifetime)
            ),
            settled_at=None,
            updated_at=now,
        )
    return RetryResult(due_now, asked - due_now)


@guard
@transaction.atomic
def cancel(deliveries: "QuerySet[Delivery]", now: datetime, why: str = BY_HAND) -> CancelResult:
    """Call off what still waits. An attempt that is under way cannot be recalled; its outcome will be ignored."""
    over = {"state": State.CANCELLED, "due_at": None, "updated_at": now, "settled_at": now}
    under_way = _in_hand(deliveries, now).update(reason=why + UNDER_WAY, **over)
    # Still leased: its last attempt ended without an outcome, which no later claim will count.
    lost = Case(When(leased=True, then=1), default=0)
    idle = deliveries.filter(state=State.WAITING).update(
        reason=why, leased=False, uncertain=F("uncertain") + lost, **over
    )
    return CancelResult(under_way + idle, under_way)


def _hand_over_anew(deliveries: "QuerySet[Delivery]") -> None:
    """Forget what the network was handed of those that it lost. There may be more of them than a list of ids can be."""
    lost = HandedPart.objects.filter(delivery=OuterRef("pk"), state=ReceiptState.FAILED)
    anew = deliveries.filter(Exists(lost), state=State.FAILED).order_by()
    anew.update(parts_sent=0)
    HandedPart.objects.filter(delivery__in=anew.values("id")).delete()


def _in_hand(
    deliveries: "QuerySet[Delivery]", now: datetime, *, negated: bool = False
) -> "QuerySet[Delivery]":
    """The waiting ones that a sender may be sending at this moment, or those that none is."""
    held = Q(leased=True, due_at__gt=now)
    return deliveries.filter(~held if negated else held, state=State.WAITING)
