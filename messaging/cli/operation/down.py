"""The command `down`."""

from typing import Annotated

import typer

from messaging.cli.operation.ray_address import RayAddress, overrides
from messaging.cli.output import print_error, print_text
from messaging.config.env import read
from messaging.config.settings import Settings
from messaging.service.state_file import read_running, stop_running

STOP_GRACE_SECONDS = 30.0

app = typer.Typer()


@app.command()
def down(
    ray_address: RayAddress = None,
    seconds: Annotated[float, typer.Option(help="How long to wait beyond the drain time.")] = (
        STOP_GRACE_SECONDS
    ),
) -> None:
    """Drain and stop the gateway that runs with these settings."""
    settings = read(Settings, **overrides(ray_address))
    if settings.ray_address:
        from messaging.cli.operation.run_on_cluster import (
            take_down,  # loads Ray and the whole pipeline
        )

        take_down(settings, settings.ray_address)
        return
    if read_running(settings.state_dir) is None:
        print_error("no gateway is running with these settings")
        raise typer.Exit(1)
    longest = settings.unready_seconds + settings.drain_seconds + seconds
    if not stop_running(settings.state_dir, longest):
        print_error("the gateway has not stopped yet")
        raise typer.Exit(1)
    print_text("stopped")
