"""The budgets that have reached a share of their limits, for notices to their owners, the status and the metrics."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db.models import Q

from messaging.costs.amounts import Amount
from messaging.costs.periods import Period
from messaging.costs.reservation import WARN_PERCENTS, Figures
from messaging.store.budgets.lookup import find_budgets
from messaging.store.db.connection import guard
from messaging.store.models import BudgetPeriod

_LONGEST: Final = timedelta(days=33)
"""Longer than every period but a trip."""


@dataclass(frozen=True, slots=True)
class BudgetWarning:
    """A budget of which 50, 80 or 100 percent are used in the current period, and since when.

    `owner_id` is the subscriber whom it concerns; None for budgets of the gateway and its accounts.
    """

    budget_id: int
    owner_id: int | None
    name: str
    percent: int
    used: str
    limit: str
    period: str
    reached_at: datetime


@guard
def budget_warnings(now: datetime, since: datetime | None = None) -> list[BudgetWarning]:
    """Return the warnings of the current periods, those given later than `since` only: two queries."""
    is_current = Q(starts_at__gte=now - _LONGEST) | Q(budget__period=Period.TRIP.value)
    rows = BudgetPeriod.objects.filter(is_current, warned_percent__gt=0).order_by("budget_id")
    if since is not None:
        rows = rows.filter(warned_at__gt=since)
    periods = list(rows)
    budgets = {one.id: one for one in find_budgets({row.budget_id for row in periods})}
    found = []
    for row in periods:
        budget = budgets.get(row.budget_id)
        if budget is None or budget.start(now) != row.starts_at:
            continue
        limit = budget.limit.millionths + row.added
        figures = Figures(limit, budget.reserve_percent, row.reserved, row.spent)
        # A top-up, or what came back, takes the warning away.
        if percent := figures.warning():
            currency = budget.limit.currency
            found.append(
                BudgetWarning(
                    budget_id=budget.id,
                    owner_id=budget.owner_id,
                    name=budget.name,
                    percent=percent,
                    used=str(Amount(figures.reserved + figures.spent, currency)),
                    limit=str(Amount(limit, currency)),
                    period=budget.period,
                    reached_at=row.warned_at or row.starts_at,
                )
            )
    return found


def count_reached(now: datetime) -> dict[int, int]:
    """Return how many budgets have reached each of the shares, in percent."""
    reached = [one.percent for one in budget_warnings(now)]
    return {share: sum(one >= share for one in reached) for share in WARN_PERCENTS}
