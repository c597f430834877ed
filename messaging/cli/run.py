"""The commands that start and stop: `up`, `down`, `demo`."""

from typing import TYPE_CHECKING, Annotated

import typer

from messaging.cli.exit_codes import interruptible
from messaging.cli.output import complain, say
from messaging.cli.run_on_cluster import RayAddress, bring_up, take_down, with_overrides
from messaging.config.env import read
from messaging.config.settings import Settings
from messaging.errors import ConfigurationError
from messaging.gateway import Gateway, read_gateway
from messaging.service.log_setup import set_up_logging
from messaging.service.signals import StopRequest, defer_signals
from messaging.service.state_file import read_running, stop_running

if TYPE_CHECKING:  # Ray is loaded only where it is needed
    from messaging.service.local import Service

REPORT_SECONDS = 2.0
# A worker is back within seconds, a node within a minute; only when all are away for so long, it is the cluster.
LOST_SECONDS = 20.0
STOP_GRACE_SECONDS = 30.0


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(up)
    app.command()(down)
    app.command()(demo)


def up(
    ray_address: RayAddress = None,
    detach: Annotated[
        bool, typer.Option("--detach", help="On a cluster: return once it runs; do not watch it.")
    ] = False,
) -> None:
    """Run the gateway in the foreground; SIGTERM and Ctrl-C drain and stop it.

    On a Ray cluster that is joined it runs there by itself, kept by a supervisor, and this command only watches:
    ending it changes nothing, and `satbridge down` drains and stops the gateway.
    """
    gateway = read_gateway(**with_overrides(ray_address))
    set_up_logging(gateway.settings.log_level)
    if gateway.settings.ray_address:
        bring_up(gateway, gateway.settings.ray_address, detach)
    elif detach:
        raise ConfigurationError(
            "--detach: needs a Ray cluster to run on, such as --ray-address auto"
        )
    else:
        _run(gateway)


def _run(gateway: Gateway) -> None:
    with interruptible() as stopped:
        # Until Ray has put its own handlers in place, no thread of a library may get one.
        with defer_signals():
            from messaging.service.local import Service

        with Service(gateway) as service:
            _watch(service, gateway, stopped)
    if not service.settled:
        complain("not everything was settled in time; it goes on at the next start")
        raise typer.Exit(1)


def _watch(service: "Service", gateway: Gateway, stopped: StopRequest) -> None:
    """Return when somebody asks for the end."""
    stopped.wait_for_me()
    running = service.report()
    say(f"Satbridge accepts mail for {gateway.settings.mail_domain} on {', '.join(running.mail)}")
    say(f"and webhooks on {running.http}")
    while not stopped.wait(REPORT_SECONDS):
        service.report()
        if service.lost_seconds > LOST_SECONDS:
            complain("the Ray cluster is gone: no worker answers any more; start the gateway again")
            raise typer.Exit(1)
    say("Draining; what is in work is settled first.")


def down(
    ray_address: RayAddress = None,
    seconds: Annotated[float, typer.Option(help="How long to wait beyond the drain time.")] = (
        STOP_GRACE_SECONDS
    ),
) -> None:
    """Drain and stop the gateway that runs with these settings."""
    settings = read(Settings, **with_overrides(ray_address))
    if settings.ray_address:
        take_down(settings, settings.ray_address)
        return
    if read_running(settings.state_dir) is None:
        complain("no gateway is running with these settings")
        raise typer.Exit(1)
    longest = settings.unready_seconds + settings.drain_seconds + seconds
    if not stop_running(settings.state_dir, longest):
        complain("the gateway has not stopped yet")
        raise typer.Exit(1)
    say("stopped")


def demo(
    seconds: Annotated[
        float | None, typer.Option(help="Stop by itself after so many seconds.")
    ] = None,
) -> None:
    """Run everything on this machine, with simulated networks; nothing to configure."""
    with interruptible() as stopped:
        with defer_signals():
            from messaging.demo import run_demo

        run_demo(stopped, seconds)
