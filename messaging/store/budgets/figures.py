"""The figures of budgets in their periods: locks and changes them, last in a transaction and in one order."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from django.db import connection

from messaging.costs.reservation import Figures
from messaging.store.budgets.lookup import BudgetInfo
from messaging.store.db.sql import Row, Select, execute_values, storable_time

_COLUMNS: Final = "id, budget_id, starts_at, added, reserved, spent, warned_percent"
_LOCK: Final = Select(
    f"SELECT {_COLUMNS} FROM users_budgetperiod WHERE ({{}} AND {{}}) OR {{}} ORDER BY id",  # noqa: S608
    *("budget_id", "starts_at", "id"),
    locks=True,
)
_INSERT: Final = (
    "INSERT INTO users_budgetperiod"
    " (budget_id, starts_at, added, reserved, spent, warned_percent) VALUES "
)
_ONCE: Final = " ON CONFLICT (budget_id, starts_at) DO NOTHING"
_CHANGE: Final = (
    "UPDATE users_budgetperiod SET reserved = reserved + %s, spent = spent + %s WHERE id = %s"
)
_WARN: Final = "UPDATE users_budgetperiod SET warned_percent = %s, warned_at = %s WHERE id = %s"


@dataclass(slots=True)
class FigureChanges:
    """By how much the figures of periods change, by their ids: reserved, and spent."""

    reserved: dict[int, int]
    spent: dict[int, int]

    @classmethod
    def none(cls) -> "FigureChanges":
        """Return no changes."""
        return cls(defaultdict(int), defaultdict(int))

    @property
    def ids(self) -> set[int]:
        """The periods that may change."""
        return self.reserved.keys() | self.spent.keys()

    def write(self) -> None:
        """Write the changes, the smallest id first: one statement, none without any.

        Each transaction has this order, so that two of them wait for each other instead of locking up.
        """
        rows = [
            (self.reserved.get(one, 0), self.spent.get(one, 0), one)
            for one in sorted(self.ids)
            if self.reserved.get(one) or self.spent.get(one)
        ]
        if rows:
            with connection.cursor() as cursor:
                cursor.executemany(_CHANGE, rows)


@dataclass(slots=True)
class LockedPeriod:
    """A budget in its current period, locked: its figures, and the share of the limit that was warned of."""

    id: int
    budget: BudgetInfo
    starts_at: datetime
    figures: Figures
    warned_percent: int


def lock_periods(
    budgets: Collection[BudgetInfo], now: datetime, others: Collection[int] = ()
) -> dict[BudgetInfo, LockedPeriod]:
    """Lock the current periods of these budgets, and the `others` by id; return the current ones.

    One statement, and two more where a period begins.
    """
    starts = {(one.id, one.start(now)): one for one in budgets}
    found = _lock(starts, others)
    if missing := [key for key in starts if key not in found]:
        rows: list[Row] = [
            (number, storable_time(at), 0, 0, 0, 0) for number, at in sorted(missing)
        ]
        with connection.cursor() as cursor:
            execute_values(cursor, _INSERT, "(%s, %s, %s, %s, %s, %s)", rows, _ONCE)
        found = _lock(starts, others)
    periods = {}
    for key, budget in starts.items():
        number, added, reserved, spent, warned = found[key]
        limit = budget.limit.millionths + added
        figures = Figures(limit, budget.reserve_percent, reserved, spent)
        periods[budget] = LockedPeriod(number, budget, key[1], figures, warned)
    return periods


def write_warnings(warnings: Mapping[int, int], now: datetime) -> None:
    """Note the share of the limit that was warned of, by the ids of periods: one statement, none without any."""
    if warnings:
        rows = [(percent, storable_time(now), one) for one, percent in sorted(warnings.items())]
        with connection.cursor() as cursor:
            cursor.executemany(_WARN, rows)


def _lock(
    starts: Mapping[tuple[int, datetime], Any], others: Collection[int]
) -> dict[tuple[int, datetime], Row]:
    ids, times = {one for one, _ in starts}, {storable_time(at) for _, at in starts}
    found = {}
    for number, budget_id, starts_at, *figures in _LOCK(ids, times, others):
        at = starts_at if starts_at.tzinfo else starts_at.replace(tzinfo=UTC)
        found[budget_id, at] = (number, *figures)
    return found
