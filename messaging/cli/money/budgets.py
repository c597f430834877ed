"""The commands `budget` and `tariff`."""

from typing import Annotated

import typer

from messaging.cli.output import Json, print_json, print_table, print_text
from messaging.cli.store import open_settings_store
from messaging.costs.periods import Period
from messaging.store.budgets.edits import (
    BudgetRow,
    add_budget,
    change_budget,
    list_budgets,
    list_tariffs,
    remove_budget,
    remove_tariff,
    reset_trip,
    set_tariff,
    top_up,
)

budget = typer.Typer(
    help="The budgets: limits of units or money, which messages reserve before they are sent.",
    no_args_is_help=True,
)
tariff = typer.Typer(help="The prices of billed units by account.", no_args_is_help=True)

Number = Annotated[int, typer.Argument(help="The number of the budget, as `budget list` says.")]
TARGET = "gateway, account:hive, subscriber:boop, device:1001 or contact:boop/alice."
LIMIT = "Money or units: '20 EUR', '500 units'."
RESERVE = "The share that only messages to and from emergency contacts may use: 20%."
Account = Annotated[str, typer.Argument(help="The account that messages leave by.")]


@budget.command("add")
def add(
    on: Annotated[str, typer.Option(help=TARGET)],
    limit: Annotated[str, typer.Option(help=LIMIT)],
    per: Annotated[Period, typer.Option(help="A trip lasts until `budget reset`.")] = Period.MONTH,
    reserve: Annotated[str, typer.Option(help=RESERVE)] = "0%",
    as_json: Json = False,
) -> None:
    """Add a budget. Messages that it has no room for are held."""
    open_settings_store()
    _print(add_budget(on, limit, per, reserve), as_json)


@budget.command("list")
def list_all(
    on: Annotated[str | None, typer.Option(help=TARGET)] = None, as_json: Json = False
) -> None:
    """List the budgets, and how much of each is used."""
    open_settings_store(only_reads=True)
    rows = list_budgets(on)
    if as_json:
        print_json(rows)
        return
    columns = ("number", "budget", "limit", "per", "reserve", "reserved", "spent", "left", "used")
    cells = (
        (
            *(r.number, r.on, f"{r.limit} {r.unit}", r.per, f"{r.reserve_percent} %"),
            *(r.reserved, r.spent, r.left, f"{r.used_percent} %"),
        )
        for r in rows
    )
    print_table("", columns, cells)


@budget.command("change")
def change(
    number: Number,
    limit: Annotated[str | None, typer.Option(help=LIMIT)] = None,
    reserve: Annotated[str | None, typer.Option(help=RESERVE)] = None,
    as_json: Json = False,
) -> None:
    """Change the limit or the reserve of a budget."""
    open_settings_store()
    _print(change_budget(number, limit, reserve), as_json)


@budget.command("top-up")
def add_to(
    number: Number,
    amount: Annotated[str, typer.Argument(help=LIMIT)],
    as_json: Json = False,
) -> None:
    """Raise the limit of a budget for its current period only."""
    open_settings_store()
    _print(top_up(number, amount), as_json)


@budget.command("reset")
def reset(number: Number, as_json: Json = False) -> None:
    """Begin the next trip of a budget for trips."""
    open_settings_store()
    _print(reset_trip(number), as_json)


@budget.command("remove")
def remove(number: Number, as_json: Json = False) -> None:
    """Remove a budget. Its held messages go as far as other budgets allow."""
    open_settings_store()
    row = remove_budget(number)
    print_json(row) if as_json else print_text(f"removed budget {row.number} on {row.on}")


@tariff.command("set")
def set_price(
    account: Account,
    price: Annotated[str, typer.Argument(help="The price of a unit: '0.12 EUR'.")],
    free: Annotated[
        int, typer.Option("--free", min=0, help="Units of a month that cost nothing.")
    ] = 0,
    as_json: Json = False,
) -> None:
    """Set the price of a unit that leaves by an account."""
    open_settings_store()
    row = set_tariff(account, price, free)
    print_json(row) if as_json else print_text(
        f"a unit by {row.account} costs {row.price} {row.currency}"
    )


@tariff.command("list")
def list_prices(as_json: Json = False) -> None:
    """List the prices."""
    open_settings_store(only_reads=True)
    rows = list_tariffs()
    if as_json:
        print_json(rows)
        return
    cells = ((one.account, f"{one.price} {one.currency}", one.free_units) for one in rows)
    print_table("", ("account", "price of a unit", "free units a month"), cells)


@tariff.command("remove")
def remove_price(account: Account, as_json: Json = False) -> None:
    """Remove the price of an account: its units cost nothing in money."""
    open_settings_store()
    row = remove_tariff(account)
    print_json(row) if as_json else print_text(f"{row.account} has no tariff any more")


def _print(row: BudgetRow, as_json: bool) -> None:
    if as_json:
        print_json(row)
        return
    print_text(
        f"budget {row.number} on {row.on}: {row.limit} {row.unit} per {row.per},"
        f" {row.left} {row.unit} left"
    )
