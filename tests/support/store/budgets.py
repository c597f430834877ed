"""Budgets for tests, and the check that their figures are the sums of their bookings."""

from decimal import Decimal
from typing import Any

from django.db.models import Q, Sum

from messaging.costs.amounts import MILLION
from messaging.model.message import Delivery as Attempt
from messaging.model.message import Outcome, SubmittedPart
from messaging.store.models import Budget, BudgetBooking, BudgetPeriod, Delivery, Subscriber
from tests.support.store.records import Gateway


def add_budget(limit: int | str = 3, **columns: Any) -> Budget:
    """Give the only subscriber a budget, of units for a month unless the columns say otherwise."""
    if "scope" not in columns:
        columns |= {"scope": "subscriber", "subscriber": Subscriber.objects.get(name="boop")}
    return Budget.objects.create(max_amount=Decimal(limit), **columns)


def figures(budget: Budget | None = None) -> tuple[float, float]:
    """Return what is reserved and spent of a budget, or of the only one, in its newest period."""
    rows = BudgetPeriod.objects.order_by("-starts_at")
    row = rows.filter(budget=budget).first() if budget else rows.first()
    return (row.reserved / MILLION, row.spent / MILLION) if row else (0, 0)


def check_sums() -> None:
    """Assert that each figure is the sum of its bookings, and that each booking fits the state of its delivery."""
    for period in BudgetPeriod.objects.all():
        sums = period.bookings.aggregate(
            reserved=Sum("amount", filter=Q(is_spent=False), default=0),
            spent=Sum("amount", filter=Q(is_spent=True), default=0),
        )
        assert sums == {"reserved": period.reserved, "spent": period.spent}
    assert not BudgetBooking.objects.filter(is_spent=False).exclude(delivery__state="waiting")
    assert not BudgetBooking.objects.filter(is_spent=True, delivery__state="waiting")
    assert not BudgetBooking.objects.filter(delivery__state__in=("held", "refused"))


def states() -> list[str]:
    """Return the states of all deliveries, in the order of their ids."""
    return list(Delivery.objects.order_by("id").values_list("state", flat=True))


def report_sent(gateway: Gateway, attempt: Attempt, units: int | None = None) -> None:
    """Let an attempt begin and be sent, for so many units."""
    [begun] = gateway.begin(attempt)
    part = SubmittedPart(f"id-{begun.id}-{begun.attempt}", units)
    assert gateway.ledger.process([Outcome.sent(begun, part)]) == [[]]
