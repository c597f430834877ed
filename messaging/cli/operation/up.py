"""The command `up`."""

import logging
from contextlib import suppress
from importlib import import_module
from typing import Annotated

import typer

from messaging.cli.exit_codes import interruptible
from messaging.cli.output import print_error, print_text
from messaging.cli.ray_address import RayAddress, Runtime, overrides
from messaging.cli.unknown_settings import unknown_settings
from messaging.config.memory import small_machine_hint
from messaging.config.temporary import replace_missing_folders
from messaging.errors import ConfigurationError
from messaging.gateway import Gateway, read_gateway
from messaging.service.exposure import readable_files
from messaging.service.foreground import ForegroundService, end_in_time, service_of
from messaging.service.process import set_up_log
from messaging.service.signals import StopRequest, hangup_signal
from messaging.service.state_file import RunningService
from messaging.service.systemd import Notifier

log = logging.getLogger(__name__)

REPORT_SECONDS = 2.0
# A worker is back within seconds, a node within a minute; only when all are lost for so long, the cluster is gone.
LOST_SECONDS = 20.0

app = typer.Typer()


@app.command()
def up(
    ray_address: RayAddress = None,
    runtime: Runtime = None,
    detach: Annotated[
        bool,
        typer.Option("--detach", help="On a cluster: return once it runs, instead of watching it."),
    ] = False,
) -> None:
    """Run the gateway in the foreground; SIGTERM and Ctrl-C drain and stop it.

    On a Ray cluster that is joined, a supervisor keeps it running there and this command only watches: ending the
    command changes nothing, and `satbridge down` drains and stops the gateway.
    """
    gateway = read_gateway(**overrides(ray_address, runtime))
    set_up_log(gateway.settings)
    for sentence in unknown_settings():
        log.warning("%s", sentence)
    if readable := readable_files(gateway.settings):
        log.warning("every user of this machine can read %s", ", ".join(map(str, readable)))
    if gateway.settings.ray_address:
        on_cluster = import_module("messaging.cli.operation.up_on_cluster")  # loads Ray
        on_cluster.bring_up(gateway, gateway.settings.ray_address, detach)
    elif detach:
        raise ConfigurationError(
            "--detach: needs a Ray cluster to run on, such as --ray-address auto"
        )
    else:
        if gateway.settings.runtime == "ray" and (hint := small_machine_hint()):
            log.warning("%s", hint)
        run_in_foreground(gateway)


def run_in_foreground(gateway: Gateway) -> None:
    """Run the gateway on this machine until a signal stops it."""
    replace_missing_folders()
    notifier = Notifier()
    with end_in_time(gateway), interruptible() as stop, service_of(gateway) as service:
        _watch(service, gateway, stop, notifier)
    if not service.settled:
        print_error("not everything was settled in time; it goes on at the next start")
        raise typer.Exit(1)


def _watch(
    service: ForegroundService, gateway: Gateway, stop: StopRequest, notifier: Notifier
) -> None:
    """Return at a signal to stop. Raises typer.Exit when the runtime is gone."""
    stop.wait_for_me()
    running = service.look()
    notifier.ready(_describe(running))
    _say(f"Satbridge accepts mail for {gateway.settings.mail_domain} on {', '.join(running.mail)}")
    _say(f"and webhooks on {running.http}")
    if running.admin:
        _say(f"The admin is at {running.admin}")
    with hangup_signal() as hangup:
        while not stop.wait(REPORT_SECONDS):
            if hangup.is_set():
                hangup.clear()
                service.reload()
            running = service.look()
            # A round that hangs, in Ray or on a disk, ends the messages to systemd, which restarts the service.
            notifier.alive(_describe(running))
            if service.silent_seconds > LOST_SECONDS:
                print_error(service.lost)
                raise typer.Exit(1)
    notifier.stopping()
    _say("Draining; what is in work is settled first.")


def _describe(running: RunningService) -> str:
    return running.problem or f"{running.state}; mail on {', '.join(running.mail)}; {running.http}"


def _say(text: str) -> None:
    # Standard output may be a file on a full disk, or a terminal that is gone.
    with suppress(OSError):
        print_text(text)
