"""The scenario of a rolling upgrade: a second Ray cluster takes over on the same store, and the first one goes."""

import time
from copy import copy

from chaos.cluster import Cluster
from chaos.field import Field
from chaos.scenario import Ground, Scenario

BOTH_SECONDS = 4.0


def upgrade_scenarios() -> list[Scenario]:
    """One. It takes the cluster that it finds away, so it is the last on its ground."""
    return [
        Scenario(
            name="rolling-upgrade",
            what="a second Ray cluster starts on the same PostgreSQL, mails and webhooks are sent there,"
            " and the first one is drained and ended",
            strike=_upgrade,
            ground=Ground.CLUSTER,
            stores=("postgres",),
            gentle=True,
        )
    ]


def _upgrade(field: Field) -> None:
    gateway = field.gateway
    field.a_while(2, 3)
    began = time.monotonic()
    cluster = gateway.until_it_ends(Cluster({"new": {"smtp": 1}}))
    folder = gateway.folder / "new"
    folder.mkdir()
    new = gateway.start_elsewhere(cluster, folder)
    field.say(f"the second cluster took mail after {time.monotonic() - began:.0f} s")
    old = copy(gateway)
    field.wait(BOTH_SECONDS)
    gateway.move_to(new)
    field.a_while(0.5, 1.5)
    began = time.monotonic()
    old.take_down()
    field.say(f"the first one drained and ended in {time.monotonic() - began:.0f} s")
    old.up.stop()
    put_off = sum(field.record.put_off.values())
    field.say(f"{put_off} tries were put off by 421 and made again at once")
    field.wait(4)
