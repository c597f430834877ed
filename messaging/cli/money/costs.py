"""The commands `costs` and `costs reconcile`."""

import csv
import sys
from collections.abc import Sequence
from typing import Annotated, Any

import typer

from messaging.cli.durations import moment_of
from messaging.cli.output import Json, print_json, print_table
from messaging.cli.store import open_settings_store
from messaging.store.budgets.reconcile import compare_bill, read_bill
from messaging.store.console.costs import CostKey, cost_sums, costs, month_of

app = typer.Typer(invoke_without_command=True)


@app.callback()
def show_costs(
    context: typer.Context,
    user: Annotated[str | None, typer.Option(help="Of this subscriber only.")] = None,
    since: Annotated[
        str | None, typer.Option(help="Accepted since then (UTC): 2026-11-01, yesterday, 30d.")
    ] = None,
    month: Annotated[str | None, typer.Option(help="Of this month only (UTC): 2026-11.")] = None,
    by: Annotated[
        CostKey | None, typer.Option(help="Sum up units and costs by the tariffs.")
    ] = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV, for spreadsheets.")] = False,
    as_json: Json = False,
) -> None:
    """Print the billed units by month, subscriber and account, as far as the networks report them.

    With --by, units that a network does not report are estimated, and the tariffs price them.
    """
    if context.invoked_subcommand is not None:
        return
    if month and since:
        raise typer.BadParameter("give either --month or --since")
    open_settings_store(only_reads=True)
    if by is not None:
        sums = cost_sums(by, month, moment_of(since), user)
        cells = [(r.month, r.name, r.deliveries, r.units, r.cost, r.currency) for r in sums]
        columns: Sequence[str] = ("month", by, "deliveries", "units", "cost", "currency")
        _print(sums, columns, cells, as_csv=as_csv, as_json=as_json)
        return
    start, end = month_of(month) if month else (moment_of(since), None)
    rows = costs(start, user, end)
    _print(
        rows,
        ("month", "user", "account", "deliveries", "units"),
        [(r.month, r.user, r.account, r.deliveries, r.units) for r in rows],
        as_csv=as_csv,
        as_json=as_json,
    )


@app.command("reconcile")
def reconcile(
    bill: Annotated[
        typer.FileText,
        typer.Argument(help="The bill of a provider, a CSV file; - for standard input."),
    ],
    account: Annotated[str, typer.Option(help="The account that the bill is for.")],
    id_column: Annotated[
        str, typer.Option(help="The column with the provider's id of a part.")
    ] = "id",
    units_column: Annotated[str, typer.Option(help="The column with the units.")] = "units",
    month: Annotated[
        str | None, typer.Option(help="Print also what the bill lacks of this month (UTC).")
    ] = None,
    as_json: Json = False,
) -> None:
    """Print the differences between the bill of a provider and the sent messages. Changes nothing."""
    open_settings_store(only_reads=True)
    found = compare_bill(read_bill(bill, id_column, units_column), account, month)
    if as_json:
        print_json(found)
        return
    cells = [(one.network_id, one.message_id, one.billed, one.stored) for one in found]
    print_table("", ("id", "message", "billed units", "units here"), cells)


def _print(
    rows: object,
    columns: Sequence[str],
    cells: Sequence[Sequence[Any]],
    *,
    as_csv: bool,
    as_json: bool,
) -> None:
    if as_json:
        print_json(rows)
    elif as_csv:
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerows([columns, *cells])
    else:
        print_table("", columns, cells)
