"""What `up`, `down` and `status` do where the service runs on a Ray cluster that was joined."""

import time
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Annotated

import typer

from messaging.cli.output import complain, say
from messaging.config.settings import Settings
from messaging.errors import Unavailable
from messaging.gateway import Gateway
from messaging.service.signals import stopping_signal
from messaging.service.state_file import RunningService, remove, write

if TYPE_CHECKING:  # Ray is loaded only where it is needed
    from messaging.service.cluster import ClusterService

REPORT_SECONDS = 2.0
# A supervisor that is lost is back within seconds, on a busy machine within a minute; only then it is the cluster.
LOST_SECONDS = 90.0
GOES_ON = "The service goes on in the cluster; satbridge down ends it."

RayAddress = Annotated[
    str | None,
    typer.Option(help="The Ray cluster: host:port, or auto. Else SATBRIDGE_RAY_ADDRESS."),
]


def with_overrides(ray_address: str | None) -> dict[str, str]:
    """What the option says instead of the environment."""
    return {"ray_address": ray_address} if ray_address else {}


def bring_up(gateway: Gateway, address: str, detach: bool) -> None:
    """Run the service on the cluster, and watch it unless `detach`; it stays when the watcher goes."""
    from messaging.service.cluster import join_cluster

    folder = gateway.settings.state_dir
    folder.mkdir(parents=True, exist_ok=True)
    # In this order, each time: Ray, when it starts, puts a handler of its own in the place of ours.
    with join_cluster(address) as service, stopping_signal() as stopped:
        running = service.bring_up(gateway)
        domain = gateway.settings.mail_domain
        say(f"Satbridge accepts mail for {domain} on {', '.join(running.mail)}")
        say(f"and webhooks on {running.http}")
        if detach:
            say(GOES_ON)
        cut_off = not detach and _watch(service, stopped, folder)
    while cut_off:
        with join_cluster(address) as service, stopping_signal() as stopped:
            cut_off = _watch(service, stopped, folder)
    remove(folder)


def _watch(service: "ClusterService", stopped: Event, folder: Path) -> bool:
    """Return at the end of either; True when only the node that this process had joined has ended.

    Who is left without a node still hears from the supervisor, but does not find it again when it moves.
    """
    from messaging.streaming.ray.local import own_node_lives

    silent_since: float | None = None
    while not stopped.wait(REPORT_SECONDS):
        try:
            found = service.report()
            silent_since = None
        except Unavailable:
            silent_since = silent_since or time.monotonic()
            if time.monotonic() - silent_since > LOST_SECONDS:
                raise
            if not own_node_lives():
                return True
            continue
        if found is None:
            say("The service was taken down.")
            return False
        write(folder, found)
    say(GOES_ON)
    return False


def take_down(settings: Settings, address: str) -> None:
    """Drain and end the service of the cluster."""
    from messaging.service.cluster import join_cluster

    with join_cluster(address) as service:
        settled = service.take_down(settings)
    if settled is None:
        complain("no gateway is running on this cluster")
        raise typer.Exit(1)
    if not settled:
        complain("stopped, but not everything was settled in time; it goes on at the next start")
        raise typer.Exit(1)
    say("stopped")


def find_running(address: str) -> RunningService | None:
    """Ask the service of the cluster; None when there is none. Says so when nobody answers."""
    from messaging.service.cluster import join_cluster

    try:
        with join_cluster(address) as service:
            return service.report()
    except Unavailable as error:
        complain(error.reason)
        return None
