"""What `up`, `down` and `status` do where the service runs on a Ray cluster that was joined."""

import time
from typing import Annotated

import typer

from messaging.cli.console import complain, say
from messaging.errors import Unavailable
from messaging.gateway import Gateway
from messaging.running import Running, forget, tell
from messaging.settings import Settings
from messaging.signals import stopping_signal

REPORT_SECONDS = 2.0
# A supervisor whose node is lost is back within seconds; only when it stays away, it is the cluster.
LOST_SECONDS = 30.0

RayAddress = Annotated[
    str | None,
    typer.Option(help="The Ray cluster: host:port, or auto. Else SATBRIDGE_RAY_ADDRESS."),
]


def given(ray_address: str | None) -> dict[str, str]:
    """What the option says instead of the environment."""
    return {"ray_address": ray_address} if ray_address else {}


def bring_up(gateway: Gateway, address: str, detach: bool) -> None:
    """Run the service on the cluster, and watch it unless `detach`; it stays when the watcher goes."""
    from messaging.joined import joined

    with joined(address) as service, stopping_signal() as stopped:
        running = service.bring_up(gateway)
        folder = gateway.settings.state_dir
        folder.mkdir(parents=True, exist_ok=True)
        domain = gateway.settings.mail_domain
        say(f"Satbridge accepts mail for {domain} on {', '.join(running.mail)}")
        say(f"and webhooks on {running.http}")
        silent_since: float | None = None
        while not detach and not stopped.wait(REPORT_SECONDS):
            try:
                found = service.report()
                silent_since = None
            except Unavailable:
                silent_since = silent_since or time.monotonic()
                if time.monotonic() - silent_since < LOST_SECONDS:
                    continue
                raise
            if found is None:
                say("The service was taken down.")
                break
            tell(folder, found)
        else:
            say("The service goes on in the cluster; satbridge down ends it.")
        forget(folder)


def take_down(settings: Settings, address: str) -> None:
    """Drain and end the service of the cluster."""
    from messaging.joined import joined

    with joined(address) as service:
        settled = service.take_down(settings)
    if settled is None:
        complain("no gateway is running on this cluster")
        raise typer.Exit(1)
    if not settled:
        complain("stopped, but not everything was settled in time; it goes on at the next start")
        raise typer.Exit(1)
    say("stopped")


def find_running(address: str) -> Running | None:
    """Ask the service of the cluster; None when there is none. Says so when nobody answers."""
    from messaging.joined import joined

    try:
        with joined(address) as service:
            return service.report()
    except Unavailable as error:
        complain(error.reason)
        return None
