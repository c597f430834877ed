"""The command `compact`."""

from typing import Annotated

import typer

from messaging.cli.output import Json, format_duration, print_json, print_text
from messaging.cli.store import open_settings_store
from messaging.service.state_file import read_running
from messaging.store.retention.compact import compact, plan

app = typer.Typer()


@app.command("compact")
def compact_store(
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: Json = False,
) -> None:
    """Rewrite the file of a SQLite store without its free pages, after a question. It gives them back from then on.

    Nothing can be written meanwhile: a gateway that runs answers "later", and goes on afterwards.
    """
    settings = open_settings_store()
    needed = plan(settings)
    if not (yes or as_json):
        print_text(
            f"The store has {needed.bytes / 1e6:.1f} MB, of which {needed.free_bytes / 1e6:.1f} MB are free."
            f" This needs {needed.needed_bytes / 1e6:.1f} MB of room for a while ({needed.room_bytes / 1e6:.0f} MB are"
            f" free on its disk) and about {format_duration(needed.seconds)}."
        )
        if read_running(settings.state_dir):
            print_text("The gateway runs: for that time it answers mail and webhooks with later.")
        typer.confirm("Go on?", abort=True)
    done = compact(settings)
    if as_json:
        print_json(done)
    else:
        print_text(
            f"{done.before_bytes / 1e6:.1f} MB became {done.after_bytes / 1e6:.1f} MB"
            f" in {format_duration(done.seconds)}"
        )
