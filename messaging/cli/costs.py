"""The command `costs`."""

from typing import Annotated

import typer

from messaging.cli.durations import moment_of
from messaging.cli.output import Json, print_json, print_table
from messaging.cli.store import open_settings_store
from messaging.store.console.costs import costs

app = typer.Typer()


@app.command("costs")
def show_costs(
    user: Annotated[str | None, typer.Option(help="Of this subscriber only.")] = None,
    since: Annotated[
        str | None, typer.Option(help="Accepted since then (UTC): 2026-11-01, yesterday, 30d.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Print the billed units by month, subscriber and account, as far as the networks report them."""
    open_settings_store(only_reads=True)
    rows = costs(moment_of(since), user)
    if as_json:
        print_json(rows)
        return
    cells = ((r.month, r.user, r.account, r.deliveries, r.units) for r in rows)
    print_table("", ("month", "user", "account", "deliveries", "units"), cells)
