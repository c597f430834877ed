"""The emergencies of the last day, and the subscribers whose emergency reaches no contact."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from messaging.model.message import Network
from messaging.store.accept.emergency import NO_RECIPIENT, SUBJECT
from messaging.store.console.selection import summary
from messaging.store.db.connection import guard
from messaging.store.models import Contact, Device, Message, Subscriber

RECENT: Final = timedelta(hours=24)
MAX_ROWS: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class EmergencyRow:
    """An emergency that a device declared, confirmed or cancelled. `state` sums up the deliveries about it."""

    id: str
    created_at: datetime
    device: str
    headline: str
    state: str


@guard
def recent_emergencies(now: datetime | None = None) -> list[EmergencyRow]:
    """Return the newest emergencies of the last day: two queries."""
    about = Q(subject__startswith=SUBJECT) | Q(reason=NO_RECIPIENT)
    rows = Message.objects.filter(
        about,
        sender_network=Network.SATELLITE.value,
        created_at__gte=(now or timezone.now()) - RECENT,
    )
    return [
        EmergencyRow(
            id=row.id,
            created_at=row.created_at,
            device=f"{row.via} {row.sender}",
            headline=row.subject or bytes(row.raw or b"").decode("utf-8", "replace").split("\n")[0],
            state=summary(one.state for one in row.deliveries.all()),
        )
        for row in rows.order_by("-created_at").prefetch_related("deliveries")[:MAX_ROWS]
    ]


@guard
def without_emergency_contact() -> list[str]:
    """Return the active subscribers with an active device whose emergency reaches no contact: one query."""
    devices = Device.objects.filter(owner=OuterRef("pk"), is_active=True)
    contacts = Contact.objects.filter(owner=OuterRef("pk"), is_emergency=True)
    rows = Subscriber.objects.filter(Exists(devices), ~Exists(contacts), is_active=True)
    return list(rows.order_by("name").values_list("name", flat=True))
