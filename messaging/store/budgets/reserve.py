"""Reserves parts of budgets for deliveries, within the transaction that writes their rows."""

import logging
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Final

from django.db import transaction

from messaging.costs.amounts import Amount
from messaging.costs.reservation import Booking
from messaging.store.budgets.figures import (
    FigureChanges,
    LockedPeriod,
    lock_periods,
    write_warnings,
)
from messaging.store.budgets.lookup import BudgetContext, BudgetInfo, Charge, look_up_budgets
from messaging.store.db.sql import Row, insert

log = logging.getLogger(__name__)

_BOOKING: Final = ("period_id", "delivery_id", "price", "amount", "is_spent")


@dataclass(frozen=True, slots=True)
class Reservation:
    """The bookings of one delivery by period, or the reason why a budget has no room for it."""

    bookings: tuple[tuple[int, Booking], ...] = ()
    refusal: str = ""


def reserve(
    charges: Sequence[Charge], now: datetime, changes: FigureChanges | None = None
) -> list[Reservation]:
    """Reserve for each charge, in their order, where all its budgets have room; return the result of each.

    Call it last in a transaction: it locks the budgets until the end. Writes the other `changes` too. Takes no
    statement when nothing costs units, and a fixed number otherwise.
    """
    changes = changes or FigureChanges.none()
    context = look_up_budgets(charges)
    prices = [context.prices_for(one) if one.units > 0 else {} for one in charges]
    budgets = {budget for found in prices for budget in found}
    if not budgets:
        changes.write()
        return [Reservation() for _ in charges]
    periods = lock_periods(budgets, now, changes.ids)
    for period in periods.values():
        period.figures.reserved += changes.reserved.get(period.id, 0)
        period.figures.spent += changes.spent.get(period.id, 0)
    results = [
        _reserve_one(charge, found, periods, context, changes)
        for charge, found in zip(charges, prices, strict=True)
    ]
    changes.write()
    _warn(periods.values(), now)
    return results


def write_bookings(reservations: Iterable[tuple[int, Reservation]]) -> None:
    """Write the bookings of deliveries, each with its id: one statement, none without any."""
    rows: list[Row] = [
        (period, delivery_id, booking.price, booking.amount, booking.is_spent)
        for delivery_id, reservation in reservations
        for period, booking in reservation.bookings
    ]
    insert("users_budgetbooking", _BOOKING, rows)


def _reserve_one(
    charge: Charge,
    prices: "dict[BudgetInfo, int]",
    periods: "dict[BudgetInfo, LockedPeriod]",
    context: BudgetContext,
    changes: FigureChanges,
) -> Reservation:
    access = context.access_of(charge)
    amounts = {budget: price * charge.units for budget, price in prices.items()}
    for budget, amount in amounts.items():
        if not periods[budget].figures.has_room(amount, access):
            return Reservation(refusal=_refusal(periods[budget]))
    bookings = []
    for budget, amount in amounts.items():
        period = periods[budget]
        period.figures.reserved += amount
        changes.reserved[period.id] += amount
        bookings.append((period.id, Booking(prices[budget], amount)))
    return Reservation(tuple(bookings))


def _refusal(period: LockedPeriod) -> str:
    budget, figures = period.budget, period.figures
    currency = budget.limit.currency
    used, limit = (
        Amount(figures.reserved + figures.spent, currency),
        Amount(figures.limit, currency),
    )
    return f"budget {budget.name}: {used} of {limit} for this {budget.period} are used"


def _warn(periods: "Collection[LockedPeriod]", now: datetime) -> None:
    """Note and log each budget that reached a further share of its limit: once in a period for each share."""
    reached = [
        (one, percent) for one in periods if (percent := one.figures.warning()) > one.warned_percent
    ]
    write_warnings({one.id: percent for one, percent in reached}, now)
    for one, percent in reached:
        name, period = one.budget.name, one.budget.period
        line = partial(
            log.warning, "%d %% of the budget %s for this %s are used", percent, name, period
        )
        transaction.on_commit(line)
