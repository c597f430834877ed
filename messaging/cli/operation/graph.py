"""The command `graph`."""

import typer

from messaging.gateway import read_gateway
from messaging.pipeline import declare

app = typer.Typer()


@app.command()
def graph() -> None:
    """Print the dataflow that these settings declare."""
    typer.echo(str(declare(read_gateway())))
