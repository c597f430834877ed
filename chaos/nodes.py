"""Scenarios with a Ray cluster of three nodes, one of which is lost."""

import subprocess
import time

from chaos.cluster import Cluster
from chaos.field import Field
from chaos.processes import command_line, kill
from chaos.scenario import Ground, Scenario

BACK_SECONDS = 120.0
LOST = "third"


def node_scenarios() -> list[Scenario]:
    """All of them. They cost nodes, so their order matters."""
    return [
        Scenario(
            name="head-lost",
            what="the head of a Ray cluster is killed and started again from its own tables",
            strike=_lose_head,
            ground=Ground.CLUSTER,
            stores=("postgres",),
        ),
        Scenario(
            name="watcher-and-supervisor-lost",
            what="the process that ran `up` on a Ray cluster is killed, and the supervisor's, three times",
            strike=_lose_supervisor,
            ground=Ground.CLUSTER,
            stores=("postgres",),
        ),
        Scenario(
            name="node-lost",
            what="one of two worker nodes is killed, with the routers, senders and others on it",
            strike=_lose_node,
            ground=Ground.CLUSTER,
            stores=("postgres",),
        ),
    ]


def _lose_node(field: Field) -> None:
    cluster = _cluster(field)
    field.a_while(3, 5)
    there = cluster.processes(LOST)
    on_it = sorted(name for name, pid in field.gateway.workers().items() if pid in there)
    if not on_it:
        raise AssertionError("no actor runs on the node that is to be lost")
    field.say(f"on the lost node: {', '.join(on_it)}")
    began = time.monotonic()
    field.killed += cluster.kill(LOST)
    field.wait(3)  # until nobody tells any more what was before
    while not _is_whole(field):
        if time.monotonic() > began + BACK_SECONDS:
            raise AssertionError("not all actors came back")
        field.wait(0.5)
    field.say(f"every actor back after {time.monotonic() - began:.0f} s")
    field.wait(2)
    cluster.start_worker(LOST)


def _lose_head(field: Field) -> None:
    cluster = _cluster(field)
    field.a_while(3, 5)
    began = time.monotonic()
    field.killed += cluster.kill("head")
    field.wait(3)
    cluster.start_head()
    field.say(f"head back after {time.monotonic() - began:.0f} s")
    _watch_again(field)
    while not _is_whole(field):
        if time.monotonic() > began + BACK_SECONDS:
            raise AssertionError("the service is not whole again")
        field.wait(0.5)
    field.say(f"everything whole and ready after {time.monotonic() - began:.0f} s")
    field.wait(3)


def _lose_supervisor(field: Field) -> None:
    cluster = _cluster(field)
    field.a_while(1, 2)
    field.killed += kill(field.gateway.up.process.pid)
    field.gateway.up.stop()
    for _ in range(3):
        field.a_while(1, 2)
        field.killed += kill_supervisor(cluster)
    began = time.monotonic()
    field.gateway.start()
    field.say(f"found again by another `up` after {time.monotonic() - began:.0f} s")


def kill_supervisor(cluster: Cluster) -> int:
    """SIGKILL the supervisor's process, wherever it is; returns how many that were. Raises LookupError."""
    deadline = time.monotonic() + BACK_SECONDS
    while time.monotonic() < deadline:
        everywhere = {pid for name in cluster.workers for pid in cluster.processes(name)}
        if found := [pid for pid in everywhere if "ray::_Home" in command_line(pid)]:
            return sum(map(kill, found))
        time.sleep(0.1)
    raise LookupError("no supervisor runs")


def _watch_again(field: Field) -> None:
    """The process that only watched may have lost its node with the head; the service does not need it."""
    try:
        field.gateway.up.process.wait(5)
    except subprocess.TimeoutExpired:
        return
    field.gateway.up.stop()
    field.gateway.start()
    field.say("`up`, which only watches, ended, and was started again")


def _is_whole(field: Field) -> bool:
    workers = field.gateway.workers()
    # What the service told last may name processes that are gone.
    standing = all(pid and command_line(pid) for pid in workers.values())
    return bool(workers) and standing and field.gateway.is_ready()


def _cluster(field: Field) -> Cluster:
    if field.gateway.cluster is None:
        raise LookupError("this gateway joined no cluster")
    return field.gateway.cluster
