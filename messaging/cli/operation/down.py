"""The command `down`."""

from typing import Annotated

import typer

from messaging.cli.output import print_error, print_text
from messaging.cli.ray_address import RayAddress, overrides
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
        _take_down(settings, settings.ray_address)
        return
    if read_running(settings.state_dir) is None:
        print_error("no gateway is running with these settings")
        raise typer.Exit(1)
    longest = settings.unready_seconds + settings.drain_seconds + seconds
    if not stop_running(settings.state_dir, longest):
        print_error("the gateway has not stopped yet")
        raise typer.Exit(1)
    print_text("stopped")


def _take_down(settings: Settings, address: str) -> None:
    """Drain and end the service of the cluster."""
    from messaging.service.cluster import join_cluster  # loads Ray

    with join_cluster(address) as service:
        settled = service.take_down(settings)
    if settled is None:
        print_error("no gateway is running on this cluster")
        raise typer.Exit(1)
    if not settled:
        print_error("stopped, but not everything was settled in time; it goes on at the next start")
        raise typer.Exit(1)
    print_text("stopped")
