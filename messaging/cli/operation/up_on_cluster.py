"""The command `up` for a service on a Ray cluster that this process joins."""

import time
from functools import partial
from threading import Event

from messaging.cli.output import print_text
from messaging.errors import Unavailable
from messaging.gateway import Gateway
from messaging.service.cluster import ClusterService, join_cluster
from messaging.service.signals import stopping_signal
from messaging.service.state_file import StateFile, remove
from messaging.service.supervisor import Supervisor
from messaging.service.systemd import Notifier
from messaging.streaming.ray.local import own_node_lives

REPORT_SECONDS = 2.0
# A lost supervisor is back within seconds, on a busy machine within a minute; after longer, the cluster is gone.
LOST_SECONDS = 90.0
GOES_ON = "The service goes on in the cluster; satbridge down ends it."


def bring_up(gateway: Gateway, address: str, detach: bool) -> None:
    """Run the service on the cluster, and watch it unless `detach`. The end of the watching does not end it."""
    folder = gateway.settings.state_dir
    folder.mkdir(parents=True, exist_ok=True)
    state_file, notifier = StateFile(folder), Notifier()
    # In this order, each time: Ray, when it starts, replaces our signal handler by its own.
    with join_cluster(address) as service, stopping_signal() as stop:
        running = service.bring_up(gateway, partial(Supervisor, gateway))
        domain = gateway.settings.mail_domain
        print_text(f"Satbridge accepts mail for {domain} on {', '.join(running.mail)}")
        print_text(f"and webhooks on {running.http}")
        notifier.ready(running.state)
        if detach:
            print_text(GOES_ON)
        cut_off = not detach and _watch(service, stop, state_file, notifier)
    while cut_off:
        with join_cluster(address) as service, stopping_signal() as stop:
            cut_off = _watch(service, stop, state_file, notifier)
    remove(folder)


def _watch(service: ClusterService, stop: Event, state_file: StateFile, notifier: Notifier) -> bool:
    """Return when the service ends or a signal stops the watching.

    Returns True when the node that this process had joined has ended and the cluster has not. A process without its
    node still reaches the supervisor, but does not find it again after the supervisor has moved.
    """
    silent_since: float | None = None
    while not stop.wait(REPORT_SECONDS):
        notifier.alive("watching the service of the cluster")
        try:
            running = service.report()
            silent_since = None
        except Unavailable:
            silent_since = silent_since or time.monotonic()
            if time.monotonic() - silent_since > LOST_SECONDS:
                raise
            if not own_node_lives():
                return True
            continue
        if running is None:
            print_text("The service was taken down.")
            return False
        state_file.write(running)
    notifier.stopping()
    print_text(GOES_ON)
    return False
