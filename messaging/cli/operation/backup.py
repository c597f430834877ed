"""The commands `backup` and `restore`."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from messaging.cli.output import Json, print_json, print_text
from messaging.config.env import read
from messaging.config.settings import Settings
from messaging.service.state_file import sole_service
from messaging.store.backup.backup import back_up
from messaging.store.backup.restore import RestoreReport, restore

app = typer.Typer()

Target = Annotated[Path, typer.Argument(help="A file, or a folder: the name then has the date.")]
Source = Annotated[Path, typer.Argument(help="A backup of the same kind of store.", exists=True)]


@app.command("backup")
def back_up_store(
    target: Target,
    keep: Annotated[
        int | None, typer.Option(min=1, help="In a folder: keep so many of the newest backups.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Back the store up while the gateway runs: to one checked file that only its owner can read.

    PostgreSQL needs pg_dump and pg_restore on this machine.
    """
    report = back_up(read(Settings), target, datetime.now(UTC), keep)
    if as_json:
        print_json(report)
        return
    print_text(f"backed up to {report.path}, {report.bytes / 1e6:.1f} MB")
    for path in report.removed:
        print_text(f"removed {path}")


@app.command("restore")
def restore_store(
    source: Source,
    force: Annotated[
        bool, typer.Option("--force", help="Replace a store that has messages or subscribers.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Replace the store by a backup, while the gateway does not run. Waiting messages are then sent again."""
    settings = read(Settings)
    with sole_service(settings.state_dir):
        report = restore(settings, source, force=force)
    print_json(report) if as_json else _print_report(report)


def _print_report(report: RestoreReport) -> None:
    newest = f"; the newest is of {report.newest:%Y-%m-%d %H:%M:%S} UTC" if report.newest else ""
    print_text(
        f"restored {report.messages} messages and {report.subscribers} subscribers{newest}."
        " What was accepted later is not in this backup."
    )
    number = sum(report.waiting.values())
    if not number:
        print_text("Nothing waits to be sent.")
        return
    by_account = ", ".join(f"{via} {count}" for via, count in report.waiting.items())
    print_text(
        f"{number} deliveries wait ({by_account}). They will be sent when the gateway starts, also those that were"
        " sent after the backup: `satbridge messages list --state waiting` shows them, and"
        " `satbridge messages cancel --state waiting` cancels them."
    )
