"""The command `migrate`."""

import time
from typing import Annotated

import typer

from messaging.cli.output import print_error, print_text
from messaging.errors import ConfigurationError
from messaging.gateway import read_gateway
from messaging.store.db.health import open_ready_store
from messaging.store.db.room import store_place

PAUSE_SECONDS = 1.0

app = typer.Typer()


@app.command()
def migrate(
    wait: Annotated[
        float,
        typer.Option(
            metavar="SECONDS", min=0, help="How long to wait for a database that is away."
        ),
    ] = 0.0,
) -> None:
    """Read all settings, and bring the database up to date.

    A wrong setting ends the command before the database is touched. Exit code 2 with the reason when a setting is
    wrong, or the database cannot be used within the time.
    """
    settings = read_gateway().settings.model_copy(update={"migrate": True})
    deadline = time.monotonic() + wait
    said = ""
    while True:
        try:
            was_older = open_ready_store(settings)
        except ConfigurationError as error:
            if time.monotonic() > deadline:
                raise
            if str(error) != said:
                print_error(f"{error}; waiting for it")
            said = str(error)
            time.sleep(PAUSE_SECONDS)
        else:
            break
    place = store_place(settings)
    print_text(f"{'brought up to date' if was_older else 'is up to date'}: {place}")
