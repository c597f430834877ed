"""The emergencies that are recent or need a person, and the subscribers whose emergency reaches no contact."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from messaging.model.message import Network
from messaging.store.accept.emergency import NO_RECIPIENT, SUBJECT
from messaging.store.console.selection import summary
from messaging.store.db.connection import guard
from messaging.store.models import Contact, Delivery, Device, Message, Subscriber
from messaging.store.queue.next_state import SLOW_AFTER
from messaging.store.states import UNDELIVERED, State

RECENT: Final = timedelta(hours=24)
UNREACHED: Final = timedelta(days=31)
"""How long a delivery that has failed counts as one that needs a person; one that waits does so for as long."""
MAX_ROWS: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class UnreachedRow:
    """A recipient whom an emergency has not reached within an hour, or whose delivery has failed.

    `is_tried` is whether the gateway still tries by itself; `losses` counts the attempts that may have been charged.
    """

    recipient: str
    via: str
    is_tried: bool
    losses: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EmergencyRow:
    """An emergency that a device declared, confirmed or cancelled. `state` sums up the deliveries about it.

    Or a message to the others about a recipient that was not reached, which has not reached one of them itself.
    """

    id: str
    created_at: datetime
    device: str
    headline: str
    state: str
    unreached: tuple[UnreachedRow, ...]


@guard
def recent_emergencies(now: datetime | None = None) -> list[EmergencyRow]:
    """Return the newest emergencies of the last day, and before them those with an unreached recipient: six queries."""
    moment = now or timezone.now()
    unreached = _find_unreached(moment)
    about = Q(subject__startswith=SUBJECT) | Q(reason=NO_RECIPIENT)
    newest = Message.objects.order_by("-created_at").prefetch_related("deliveries")
    first = newest.filter(id__in=list(unreached))
    others = newest.filter(
        about, sender_network=Network.SATELLITE.value, created_at__gte=moment - RECENT
    ).exclude(id__in=list(unreached))
    return [
        EmergencyRow(
            id=row.id,
            created_at=row.created_at,
            device=f"{row.via} {row.sender}",
            headline=row.subject
            or bytes(row.raw or b"").decode("utf-8", "replace").split("\n")[0]
            or f"a call for help to {row.recipient}",
            state=summary(one.state for one in row.deliveries.all()),
            unreached=tuple(unreached.get(row.id, ())),
        )
        for row in (*first, *others[:MAX_ROWS])
    ]


def _find_unreached(now: datetime) -> dict[str, list[UnreachedRow]]:
    """Return the recipients that were not reached by the message: two queries."""
    urgent = Delivery.objects.filter(is_urgent=True).order_by("id")
    # Each in the words of the index that answers it.
    waiting = urgent.filter(due_at__isnull=False, created_at__lte=now - SLOW_AFTER)
    failed = urgent.filter(state__in=UNDELIVERED, created_at__gte=now - UNREACHED)
    found: dict[str, list[UnreachedRow]] = defaultdict(list)
    for one in [*failed, *waiting]:
        found[one.message_id].append(
            UnreachedRow(
                recipient=one.recipient,
                via=one.via,
                is_tried=one.state == State.WAITING,
                losses=one.losses,
                reason=one.reason,
            )
        )
    return found


@guard
def without_emergency_contact() -> list[str]:
    """Return the active subscribers with an active device whose emergency reaches no contact: one query."""
    devices = Device.objects.filter(owner=OuterRef("pk"), is_active=True)
    contacts = Contact.objects.filter(owner=OuterRef("pk"), is_emergency=True)
    rows = Subscriber.objects.filter(Exists(devices), ~Exists(contacts), is_active=True)
    return list(rows.order_by("name").values_list("name", flat=True))
