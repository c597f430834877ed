"""The scenario of a rolling upgrade: a second Ray cluster takes over on the same store, and the first one ends."""

import time
from copy import copy

from chaos.cluster import Cluster
from chaos.context import Context
from chaos.scenario import Environment, Scenario

BOTH_SECONDS = 4.0


def upgrade_scenarios() -> list[Scenario]:
    """Return the one scenario of this module; it ends its cluster, so it runs last in its environment."""
    return [
        Scenario(
            name="rolling-upgrade",
            description="a second Ray cluster starts on the same PostgreSQL, mails and webhooks are sent there,"
            " and the first one is drained and ended",
            inject=_upgrade,
            environment=Environment.CLUSTER,
            stores=("postgres",),
            gentle=True,
        )
    ]


def _upgrade(field: Context) -> None:
    gateway = field.gateway
    field.wait_random(2, 3)
    began = time.monotonic()
    cluster = gateway.until_it_ends(Cluster({"new": {"smtp": 1}}))
    folder = gateway.folder / "new"
    folder.mkdir()
    new = gateway.start_elsewhere(cluster, folder)
    field.note(f"the second cluster took mail after {time.monotonic() - began:.0f} s")
    old = copy(gateway)
    field.wait(BOTH_SECONDS)
    gateway.move_to(new)
    field.wait_random(0.5, 1.5)
    began = time.monotonic()
    old.take_down()
    field.note(f"the first one drained and ended in {time.monotonic() - began:.0f} s")
    old.up.stop()
    put_off = sum(field.record.deferred.values())
    field.note(f"{put_off} tries were put off by 421 and made again at once")
    field.wait(4)
