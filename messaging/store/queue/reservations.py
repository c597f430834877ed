"""Reserves budgets for deliveries that have rows: those that are released, retried, or held by a budget.

Every function belongs into the transaction that changes their state, at its end.
"""

from collections import defaultdict
from datetime import datetime
from typing import TYPE_CHECKING

from messaging.store.budgets.lookup import has_budgets
from messaging.store.budgets.reserve import reserve, write_bookings
from messaging.store.budgets.settle import settle_bookings
from messaging.store.budgets.stored import read_charges
from messaging.store.models import BudgetBooking, Delivery

if TYPE_CHECKING:
    from collections.abc import Collection

    from django.db.models import QuerySet


def reserve_rows(
    rows: "QuerySet[Delivery]", mail_domain: str, now: datetime, *, over_budget: bool = False
) -> dict[int, str]:
    """Reserve for these locked deliveries, in their order; return why those do not fit that have no room, by id."""
    if not has_budgets():
        return {}
    charges = read_charges(rows, mail_domain, over_budget=over_budget)
    results = dict(zip(charges, reserve(list(charges.values()), now), strict=True))
    write_bookings(results.items())
    by_units: dict[int, list[int]] = defaultdict(list)
    for number, charge in charges.items():
        by_units[charge.units].append(number)
    for units, ids in by_units.items():
        # What was accepted before there were budgets has no estimate.
        Delivery.objects.filter(id__in=ids, estimated_units=None).update(estimated_units=units)
    return {number: one.refusal for number, one in results.items() if one.refusal}


def reserve_again(ids: "Collection[int]", mail_domain: str, now: datetime) -> None:
    """Reserve for deliveries that wait again by hand, over their budgets where they have no room."""
    if not ids or not has_budgets():
        return
    # Those that cost something already keep their bookings.
    booked = set(
        BudgetBooking.objects.filter(delivery__in=ids).values_list("delivery_id", flat=True)
    )
    settle_bookings(booked).write()
    others = Delivery.objects.filter(id__in=set(ids) - booked).order_by("id")
    reserve_rows(others, mail_domain, now, over_budget=True)
