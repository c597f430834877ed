"""The command `demo`."""

from typing import Annotated

import typer

from messaging.cli.exit_codes import interruptible
from messaging.demo.run import run_demo

app = typer.Typer()


@app.command()
def demo(
    seconds: Annotated[float | None, typer.Option(help="Stop after so many seconds.")] = None,
    runtime: Annotated[
        str, typer.Option(help="ray, or inline for one process without Ray.")
    ] = "ray",
) -> None:
    """Run everything on this machine, with simulated networks; nothing to configure."""
    with interruptible() as stop:
        run_demo(stop, seconds, runtime)
