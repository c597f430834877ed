"""The command `costs`."""

import csv
import sys
from collections.abc import Sequence
from typing import Annotated, Any

import typer

from messaging.cli.durations import moment_of
from messaging.cli.output import Json, print_json, print_table
from messaging.cli.store import open_settings_store
from messaging.store.console.costs import CostKey, cost_sums, costs, month_of

app = typer.Typer()


@app.command("costs")
def show_costs(
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
