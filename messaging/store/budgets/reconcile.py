"""Compares the bill of a provider with the parts of messages that were sent by its account."""

import csv
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from messaging.model.message import ReceiptState
from messaging.store.console.costs import month_of
from messaging.store.console.save import InvalidInput
from messaging.store.db.connection import guard
from messaging.store.models import DeliveryPart

PAGE_ROWS = 500


@dataclass(frozen=True, slots=True)
class BillDifference:
    """A part that the bill and the store do not agree on: its id at the provider, and the units of both.

    `billed` is None for a part that the bill lacks, `stored` for one that is not in the store, or has no report.
    """

    network_id: str
    message_id: str | None
    billed: str | None
    stored: int | None


def read_bill(lines: Iterable[str], id_column: str, units_column: str) -> dict[str, Decimal]:
    """Return the units of a bill in CSV by the provider's id, summed up. Raises InvalidInput."""
    rows = csv.DictReader(lines)
    missing = [one for one in (id_column, units_column) if one not in (rows.fieldnames or ())]
    if missing:
        columns = ", ".join(rows.fieldnames or ()) or "none"
        raise InvalidInput(f"the bill has no column {missing[0]!r}; it has: {columns}")
    billed: dict[str, Decimal] = defaultdict(Decimal)
    for number, row in enumerate(rows, 2):
        try:
            units = Decimal((row[units_column] or "").strip() or "0")
        except InvalidOperation:
            raise InvalidInput(f"line {number} of the bill: the units are no number") from None
        if not units.is_finite():
            raise InvalidInput(f"line {number} of the bill: the units are no number")
        billed[(row[id_column] or "").strip()] += units
    return {number: units for number, units in billed.items() if number}


@guard
def compare_bill(
    billed: dict[str, Decimal], account: str, month: str | None = None
) -> list[BillDifference]:
    """Return the parts whose units differ, and those of the bill that are not in the store.

    With a month also the parts of that month that the bill lacks. Raises InvalidInput.
    """
    ids = list(billed)
    stored: dict[str, tuple[str, str | None, int | None]] = {}
    for at in range(0, len(ids), PAGE_ROWS):
        page = DeliveryPart.objects.filter(via=account, network_id__in=ids[at : at + PAGE_ROWS])
        rows = page.values_list("network_id", "delivery__message_id", "units")
        stored |= {row[0]: row for row in rows}
    found = []
    for number, units in sorted(billed.items()):
        _, message_id, own = stored.get(number, (number, None, None))
        if own is None or units != own:
            found.append(BillDifference(number, message_id, f"{units.normalize():f}", own))
    if month is not None:
        start, end = month_of(month)
        unbilled = DeliveryPart.objects.filter(
            via=account, delivery__created_at__gte=start, delivery__created_at__lt=end
        ).exclude(state=ReceiptState.FAILED.value)
        parts = unbilled.order_by("network_id").values_list(
            "network_id", "delivery__message_id", "units"
        )
        found += [
            BillDifference(number, message_id, None, units)
            for number, message_id, units in parts
            if number not in billed and units != 0
        ]
    return found
