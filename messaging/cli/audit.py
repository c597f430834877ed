"""The command `audit`."""

from typing import Annotated

import typer

from messaging.cli.durations import moment_of
from messaging.cli.output import Json, print_json, print_table
from messaging.cli.store import open_settings_store
from messaging.store.audit.record import Action
from messaging.store.console.audit import AuditFilter, list_audit

app = typer.Typer()

COLUMNS = ("when (UTC)", "by", "action", "what", "of", "changed")


@app.command("audit")
def show_audit(
    action: Annotated[
        str | None, typer.Option(help=f"This action only: {', '.join(Action)}.")
    ] = None,
    message: Annotated[
        str | None, typer.Option(help="About the deliveries of this message.")
    ] = None,
    user: Annotated[
        str | None, typer.Option(help="About this subscriber, with devices and contacts.")
    ] = None,
    since: Annotated[
        str | None, typer.Option(help="Not older than this (UTC): 2026-11-30, yesterday, 12h.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="The largest number of rows.")] = 50,
    as_json: Json = False,
) -> None:
    """List the changes by operators, the newest first: time, operator, action, row. Nothing deletes these entries."""
    open_settings_store(only_reads=True)
    rows = list_audit(
        AuditFilter(action=action, message=message, user=user, since=moment_of(since), limit=limit)
    )
    if as_json:
        print_json(rows)
    else:
        cells = []
        for row in rows:
            by = f"{row.channel} {row.by or row.actor}"
            what = f"{row.kind} {row.object_id}"
            of = f"message {row.parent_id[:12]}" if row.kind == "delivery" else row.name
            cells.append((row.at, by, row.action, what, of, row.fields))
        print_table("", COLUMNS, cells)
