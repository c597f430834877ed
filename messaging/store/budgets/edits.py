"""The budgets and tariffs, as the command line lists and changes them.

Every function raises InvalidInput for wrong input and Unavailable when the store is away.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from messaging.costs.amounts import (
    Amount,
    format_millionths,
    from_millionths,
    parse_amount,
    parse_share,
    to_millionths,
)
from messaging.costs.periods import Period
from messaging.costs.reservation import Figures
from messaging.store.budgets.figures import lock_periods
from messaging.store.budgets.lookup import BudgetInfo, find_budgets
from messaging.store.console.directory import find_device
from messaging.store.console.save import InvalidInput, find_subscriber, save
from messaging.store.db.connection import guard
from messaging.store.models import Budget, BudgetPeriod, Contact, Scope, Tariff


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetRow:
    """A budget with its figures in the current period, for tables and `--json`. Numbers are exact texts."""

    number: int
    on: str
    limit: str
    unit: str
    per: str
    reserve_percent: int
    since: datetime
    added: str
    reserved: str
    spent: str
    left: str
    used_percent: int


@dataclass(frozen=True, slots=True)
class TariffRow:
    """The price of a unit that leaves by an account, for tables and `--json`."""

    account: str
    price: str
    currency: str
    free_units: int


@guard
def add_budget(
    on: str, limit: str, per: str = Period.MONTH, reserve: str = "0%", now: datetime | None = None
) -> BudgetRow:
    """Add a budget on `gateway`, `account:NAME`, `subscriber:NAME`, `device:SERIAL` or `contact:NAME/CONTACT`."""
    amount = _amount(limit)
    budget = Budget(
        **_target(on),
        max_amount=from_millionths(amount.millionths),
        currency=amount.currency,
        period=per,
        reserve_percent=_share(reserve),
        trip_began_at=now or timezone.now(),
    )
    return _row(save(budget), now)


@guard
def list_budgets(on: str | None = None, now: datetime | None = None) -> list[BudgetRow]:
    """Return all budgets, or those of one target."""
    rows = Budget.objects.select_related("subscriber", "device", "contact__owner").order_by("id")
    if on is not None:
        rows = rows.filter(**_target(on))
    return [_row(one, now) for one in rows]


@guard
def change_budget(
    number: int, limit: str | None = None, reserve: str | None = None, now: datetime | None = None
) -> BudgetRow:
    """Change the limit of a budget, in the same unit, or its reserve."""
    budget = _find(number)
    if limit is not None:
        amount = _amount(limit)
        if amount.currency != budget.currency:
            raise InvalidInput(f"this budget is in {budget.currency or 'units'}; add another one")
        budget.max_amount = from_millionths(amount.millionths)
    if reserve is not None:
        budget.reserve_percent = _share(reserve)
    return _row(save(budget), now)


@guard
def remove_budget(number: int, now: datetime | None = None) -> BudgetRow:
    """Delete a budget with its figures, and return it."""
    budget = _find(number)
    row = _row(budget, now)
    budget.delete()
    return row


@guard
def top_up(number: int, more: str, now: datetime | None = None) -> BudgetRow:
    """Add to the limit of a budget for its current period."""
    budget, amount = _find(number), _amount(more)
    if amount.currency != budget.currency:
        raise InvalidInput(f"this budget is in {budget.currency or 'units'}")
    with transaction.atomic():
        info = _info(budget)
        [period] = lock_periods([info], now or timezone.now()).values()
        row = BudgetPeriod.objects.get(id=period.id)
        row.added += amount.millionths
        row.save(update_fields=["added"])
    return _row(budget, now)


@guard
def reset_trip(number: int, now: datetime | None = None) -> BudgetRow:
    """Begin the next trip of a budget: its figures start at nothing."""
    budget = _find(number)
    if budget.period != Period.TRIP:
        raise InvalidInput(f"this budget is per {budget.period}, which starts anew by itself")
    budget.trip_began_at = now or timezone.now()
    return _row(save(budget), now)


@guard
def set_tariff(account: str, price: str, free_units: int = 0) -> TariffRow:
    """Set the price of a unit that leaves by an account, such as `0.12 EUR`."""
    amount = _amount(price)
    if not amount.currency:
        raise InvalidInput("a price is in a currency: 0.12 EUR")
    row = Tariff.objects.filter(account=account).first() or Tariff(account=account)
    row.price, row.currency = from_millionths(amount.millionths), amount.currency
    row.free_units = free_units
    return _tariff_row(save(row))


@guard
def list_tariffs() -> list[TariffRow]:
    """Return all tariffs."""
    return [_tariff_row(one) for one in Tariff.objects.order_by("account")]


@guard
def remove_tariff(account: str) -> TariffRow:
    """Delete the tariff of an account, and return it."""
    found = Tariff.objects.filter(account=account).first()
    if found is None:
        raise InvalidInput(f"the account {account!r} has no tariff")
    row = _tariff_row(found)
    found.delete()
    return row


def _target(on: str) -> dict[str, Any]:
    """Return the columns of the target of a budget."""
    scope, _, name = on.strip().partition(":")
    if scope not in Scope.values or bool(name) is (scope == Scope.GATEWAY):
        raise InvalidInput(
            f"{on!r} is no target of a budget; it can be gateway, account:hive, subscriber:boop,"
            " device:1001 or contact:boop/alice"
        )
    match scope:
        case Scope.ACCOUNT:
            return {"scope": scope, "account": name}
        case Scope.SUBSCRIBER:
            return {"scope": scope, "subscriber": find_subscriber(name)}
        case Scope.DEVICE:
            network, _, serial = name.rpartition("/")
            return {"scope": scope, "device": find_device(serial, network or None)}
        case Scope.CONTACT:
            owner, _, contact_name = name.partition("/")
            subscriber = find_subscriber(owner)
            contact = Contact.objects.filter(owner=subscriber, name=contact_name).first()
            if contact is None:
                raise InvalidInput(f"{owner!r} has no contact {contact_name!r}")
            return {"scope": scope, "contact": contact}
    return {"scope": scope}


def _amount(text: str) -> Amount:
    try:
        return parse_amount(text)
    except ValueError as error:
        raise InvalidInput(str(error)) from None


def _share(text: str) -> int:
    try:
        return parse_share(text)
    except ValueError as error:
        raise InvalidInput(str(error)) from None


def _find(number: int) -> Budget:
    found = Budget.objects.filter(id=number).first()
    if found is None:
        raise InvalidInput(f"there is no budget {number}")
    return found


def _info(budget: Budget) -> BudgetInfo:
    [info] = find_budgets([budget.id])
    return info


def _row(budget: Budget, now: datetime | None) -> BudgetRow:
    info = _info(budget)
    since = info.start(now or timezone.now())
    period = BudgetPeriod.objects.filter(budget=budget, starts_at=since).first()
    period = period or BudgetPeriod()
    limit = info.limit.millionths
    figures = Figures(limit + period.added, info.reserve_percent, period.reserved, period.spent)
    return BudgetRow(
        number=budget.id,
        on=info.name,
        limit=format_millionths(limit),
        unit=info.limit.currency or "units",
        per=info.period,
        reserve_percent=info.reserve_percent,
        since=since,
        added=format_millionths(period.added),
        reserved=format_millionths(figures.reserved),
        spent=format_millionths(figures.spent),
        left=format_millionths(max(figures.limit - figures.reserved - figures.spent, 0)),
        used_percent=figures.used_percent,
    )


def _tariff_row(row: Tariff) -> TariffRow:
    price = format_millionths(to_millionths(row.price))
    return TariffRow(row.account, price, row.currency, row.free_units)
