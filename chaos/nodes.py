"""Scenarios with a Ray cluster of two nodes, one of which is lost."""

import time

from chaos.cluster import Cluster
from chaos.field import Field
from chaos.kills import restart_when_ended
from chaos.processes import command_line
from chaos.scenario import Ground, Scenario

BACK_SECONDS = 120.0


def node_scenarios() -> list[Scenario]:
    """All of them. They cost nodes, so their order matters."""
    return [
        Scenario(
            name="head-lost",
            what="the head of two Ray nodes is killed and started again from its own tables;"
            " the service ends by itself and is started again, as its supervisor would",
            strike=_lose_head,
            ground=Ground.TWO_NODES,
            stores=("postgres",),
        ),
        Scenario(
            name="node-lost",
            what="the second of two Ray nodes is killed, with the routers, senders and others on it",
            strike=_lose_node,
            ground=Ground.TWO_NODES,
            stores=("postgres",),
        ),
    ]


def _lose_node(field: Field) -> None:
    cluster = _cluster(field)
    field.a_while(3, 5)
    there = cluster.processes("second")
    on_it = sorted(name for name, pid in field.gateway.workers().items() if pid in there)
    if not on_it:
        raise AssertionError("Ray, which chooses at random, had put no actor on the second node")
    field.say(f"on the lost node: {', '.join(on_it)}")
    field.killed += cluster.kill("second")
    began = time.monotonic()
    field.wait(3)  # until nobody tells any more what was before
    while not _is_whole(field):
        if time.monotonic() > began + BACK_SECONDS:
            raise AssertionError("not all actors came back")
        field.wait(0.5)
    field.say(f"every actor back after {time.monotonic() - began:.0f} s")
    field.wait(2)


def _lose_head(field: Field) -> None:
    cluster = _cluster(field)
    field.a_while(3, 5)
    began = time.monotonic()
    field.killed += cluster.kill("head")
    cluster.start_head()
    field.say(f"head back after {time.monotonic() - began:.0f} s")
    restart_when_ended(field)
    field.wait(3)


def _is_whole(field: Field) -> bool:
    workers = field.gateway.workers()
    # What the service told last may name processes that are gone.
    standing = all(pid and command_line(pid) for pid in workers.values())
    return bool(workers) and standing and field.gateway.is_ready()


def _cluster(field: Field) -> Cluster:
    if field.gateway.cluster is None:
        raise LookupError("this gateway joined no cluster")
    return field.gateway.cluster
