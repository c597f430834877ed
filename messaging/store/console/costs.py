"""The units that networks billed, by month, subscriber and account, and their costs by the tariffs."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from django.db.models import Case, Count, F, OuterRef, Q, Subquery, Sum, Value, When
from django.db.models.functions import Coalesce, Concat, Lower, TruncMonth

from messaging.costs.amounts import format_millionths, to_millionths
from messaging.model.message import Network
from messaging.store.console.save import InvalidInput, find_subscriber
from messaging.store.db.connection import guard
from messaging.store.models import Contact, ContactAddress, Delivery, Device, Tariff
from messaging.store.states import GIVEN

if TYPE_CHECKING:
    from django.db.models import QuerySet


_MONTH: Final = TruncMonth("created_at")


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


class CostKey(StrEnum):
    """How costs are summed up."""

    SUBSCRIBER = "subscriber"
    DEVICE = "device"
    CONTACT = "contact"
    ACCOUNT = "account"


@dataclass(frozen=True, slots=True)
class CostSum:
    """The units and the cost of a month (UTC) of one subscriber, device, contact or account, in one currency.

    `name` is None for deliveries of none. The cost is exact; without a tariff there is none.
    """

    month: str
    name: str | None
    deliveries: int
    units: int
    cost: str
    currency: str


@guard
def costs(
    since: datetime | None = None, user: str | None = None, before: datetime | None = None
) -> list[CostRow]:
    """Return the sums, the newest month first: one query. Deliveries without a reported charge do not count.

    Raises InvalidInput for an unknown subscriber.
    """
    rows = _find(since, before, user).filter(units__isnull=False)
    grouped = (
        rows.annotate(month=_MONTH)
        .values_list("month", "subscriber__name", "via")
        .annotate(number=Count("id"), sum=Sum("units"))
    )
    return [
        CostRow(f"{month:%Y-%m}", name, via, number, units)
        for month, name, via, number, units in grouped.order_by("-month", "subscriber__name", "via")
    ]


@guard
def cost_sums(
    by: CostKey,
    month: str | None = None,
    since: datetime | None = None,
    user: str | None = None,
) -> list[CostSum]:
    """Return units and costs summed up, the newest month first. Raises InvalidInput.

    Where a network does not report units, the estimates of sent messages count. Free units are shared by all who used
    the account in that month.
    """
    start, end = month_of(month) if month else (since, None)
    counted = _find(start, end, user)
    whole = start and start.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    used = _find(whole, end, None).annotate(month=_MONTH).values_list("month", "via")
    totals = _Totals(
        {(f"{at:%Y-%m}", via): units for at, via, units in used.annotate(sum=_units_sum())}
    )
    sums: dict[tuple[str, str | None, str], list[int]] = defaultdict(lambda: [0, 0, 0])
    for at, via, name, number, units in _group(counted, by):
        text = f"{at:%Y-%m}"
        cost, currency = totals.cost(text, via, units)
        found = sums[text, name, currency]
        found[0] += number
        found[1] += units
        found[2] += cost
    rows = [
        CostSum(text, name, number, units, format_millionths(cost), currency)
        for (text, name, currency), (number, units, cost) in sums.items()
    ]
    rows.sort(key=lambda one: (one.name or "", one.currency))
    return sorted(rows, key=lambda one: one.month, reverse=True)


def month_of(text: str) -> tuple[datetime, datetime]:
    """Return the begin and the end of a month such as `2026-11`. Raises InvalidInput."""
    try:
        start = datetime.strptime(text, "%Y-%m").replace(tzinfo=UTC)
    except ValueError:
        raise InvalidInput(f"{text!r} is no month; write 2026-11") from None
    is_last = start.month == 12
    return start, start.replace(year=start.year + is_last, month=start.month % 12 + 1)


class _Totals:
    """The tariffs, and the units of all deliveries by month and account, of which some are free."""

    def __init__(self, units: Mapping[tuple[str, str], int]) -> None:
        self._units = units
        self._tariffs = {one.account: one for one in Tariff.objects.all()}

    def cost(self, month: str, via: str, units: int) -> tuple[int, str]:
        """Return the cost of these units in millionths, and its currency."""
        tariff = self._tariffs.get(via)
        if tariff is None:
            return 0, ""
        total = max(self._units.get((month, via), 0), units)
        paid = max(total - tariff.free_units, 0)
        price = to_millionths(tariff.price)
        return (price * units * paid // total if total else 0), tariff.currency


def _find(start: datetime | None, end: datetime | None, user: str | None) -> "QuerySet[Delivery]":
    """Return the charged deliveries of a time."""
    is_charged = Q(units__isnull=False) | Q(state__in=GIVEN, estimated_units__gt=0)
    rows = Delivery.objects.filter(is_charged).order_by()
    if start is not None:
        rows = rows.filter(created_at__gte=start)
    if end is not None:
        rows = rows.filter(created_at__lt=end)
    if user is not None:
        rows = rows.filter(subscriber=find_subscriber(user))
    return rows


def _group(
    rows: "QuerySet[Delivery]", by: CostKey
) -> Iterator[tuple[datetime, str, str | None, int, int]]:
    """Yield month, account, name, number of deliveries, and units."""
    if by is CostKey.CONTACT:
        is_for_device = Q(recipient_network=Network.SATELLITE.value)
        peer = Case(When(is_for_device, then=Lower("message__sender")), default=Lower("recipient"))
        names = _contact_names()
        keys = rows.annotate(month=_MONTH, peer=peer).values_list(
            "month", "via", "subscriber_id", "peer"
        )
        for at, via, owner, address, number, units in keys.annotate(
            number=Count("id"), sum=_units_sum()
        ):
            yield at, via, names.get((owner, address)), number, units
        return
    match by:
        case CostKey.SUBSCRIBER:
            name: Any = F("subscriber__name")
        case CostKey.ACCOUNT:
            name = F("via")
        case _:
            name = _device_name()
    named = rows.annotate(month=_MONTH, name=name).values_list("month", "via", "name")
    yield from named.annotate(number=Count("id"), sum=_units_sum())


def _units_sum() -> Sum:
    return Sum(Coalesce("units", "estimated_units"))


def _device_name() -> Subquery:
    """The device that a delivery goes to, else the one that its message comes from."""
    return Subquery(
        Device.objects.filter(
            id=Coalesce(OuterRef("device_id"), OuterRef("message__device_id"))
        ).values_list(Concat("network", Value("/"), "serial"))[:1]
    )


def _contact_names() -> dict[tuple[int, str], str]:
    """Return the names of all contacts by subscriber and address in lower case."""
    names: dict[tuple[int, str], str] = {}
    for owner, address, name, contact in Contact.objects.values_list(
        "owner_id", "address", "owner__name", "name"
    ):
        names[owner, address.lower()] = f"{name}/{contact}"
    for owner, address, name, contact in ContactAddress.objects.values_list(
        "contact__owner_id", "address", "contact__owner__name", "contact__name"
    ):
        names.setdefault((owner, address.lower()), f"{name}/{contact}")
    return names
