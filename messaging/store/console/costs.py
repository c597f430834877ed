"""The units that networks billed, by month, subscriber and account."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Sum
from django.db.models.functions import TruncMonth

from messaging.store.console.save import find_subscriber
from messaging.store.db.connection import guard
from messaging.store.models import Delivery


@dataclass(frozen=True, slots=True)
class CostRow:
    """The billed units of a month (`2026-11`, UTC): credits, segments or messages, as the account's network counts.

    `user` is the subscriber that the deliveries count for; None after its removal, and for mail to the operators.
    """

    month: str
    user: str | None
    account: str
    deliveries: int
    units: int


@guard
def costs(since: datetime | None = None, user: str | None = None) -> list[CostRow]:
    """Return the sums, the newest month first: one query. Deliveries without a reported charge do not count.

    Raises InvalidInput for an unknown subscriber.
    """
    rows = Delivery.objects.filter(units__isnull=False).order_by()
    if since is not None:
        rows = rows.filter(created_at__gte=since)
    if user is not None:
        rows = rows.filter(subscriber=find_subscriber(user))
    months = rows.annotate(month=TruncMonth("created_at"))
    grouped = months.values_list("month", "subscriber__name", "via").annotate(
        number=Count("id"), sum=Sum("units")
    )
    return [
        CostRow(f"{month:%Y-%m}", name, via, number, units)
        for month, name, via, number, units in grouped.order_by("-month", "subscriber__name", "via")
    ]
