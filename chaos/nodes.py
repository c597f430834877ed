"""Scenarios with a Ray cluster of three nodes, one of which is lost."""

import subprocess
import time

from chaos.cluster import Cluster
from chaos.context import Context
from chaos.processes import command_line, kill
from chaos.scenario import Environment, Scenario

BACK_SECONDS = 120.0
LOST = "third"


def node_scenarios() -> list[Scenario]:
    """Return the scenarios of this module, in order: each one uses up a node."""
    return [
        Scenario(
            name="head-lost",
            description="the head of a Ray cluster is killed and started again from its own tables",
            inject=_lose_head,
            environment=Environment.CLUSTER,
            stores=("postgres",),
        ),
        Scenario(
            name="watcher-and-supervisor-lost",
            description="the process that ran `up` on a Ray cluster is killed, and the supervisor's, three times",
            inject=_lose_supervisor,
            environment=Environment.CLUSTER,
            stores=("postgres",),
        ),
        Scenario(
            name="node-lost",
            description="one of two worker nodes is killed, with the routers, senders and others on it",
            inject=_lose_node,
            environment=Environment.CLUSTER,
            stores=("postgres",),
        ),
    ]


def _lose_node(field: Context) -> None:
    cluster = _cluster(field)
    field.wait_random(3, 5)
    there = cluster.processes(LOST)
    on_it = sorted(name for name, pid in field.gateway.workers().items() if pid in there)
    if not on_it:
        raise AssertionError("no actor runs on the node that is to be lost")
    field.note(f"on the lost node: {', '.join(on_it)}")
    began = time.monotonic()
    field.killed += cluster.kill(LOST)
    field.wait(3)  # until nobody tells any more what was before
    while not _is_whole(field):
        if time.monotonic() > began + BACK_SECONDS:
            raise AssertionError("not all actors came back")
        field.wait(0.5)
    field.note(f"every actor back after {time.monotonic() - began:.0f} s")
    field.wait(2)
    cluster.start_worker(LOST)


def _lose_head(field: Context) -> None:
    cluster = _cluster(field)
    field.wait_random(3, 5)
    began = time.monotonic()
    field.killed += cluster.kill("head")
    field.wait(3)
    cluster.start_head()
    field.note(f"head back after {time.monotonic() - began:.0f} s")
    _watch_again(field)
    while not _is_whole(field):
        if time.monotonic() > began + BACK_SECONDS:
            raise AssertionError("the service is not whole again")
        field.wait(0.5)
    field.note(f"everything whole and ready after {time.monotonic() - began:.0f} s")
    field.wait(3)


def _lose_supervisor(field: Context) -> None:
    cluster = _cluster(field)
    field.wait_random(1, 2)
    field.killed += kill(field.gateway.up.process.pid)
    field.gateway.up.stop()
    for _ in range(3):
        field.wait_random(1, 2)
        field.killed += kill_supervisor(cluster)
    began = time.monotonic()
    field.gateway.start()
    field.note(f"found again by another `up` after {time.monotonic() - began:.0f} s")


def kill_supervisor(cluster: Cluster) -> int:
    """SIGKILL the process of the supervisor; return the number of processes. Raises LookupError."""
    deadline = time.monotonic() + BACK_SECONDS
    while time.monotonic() < deadline:
        everywhere = {pid for name in cluster.workers for pid in cluster.processes(name)}
        if found := [pid for pid in everywhere if "ray::_RoundsActor" in command_line(pid)]:
            return sum(map(kill, found))
        time.sleep(0.1)
    raise LookupError("no supervisor runs")


def _watch_again(field: Context) -> None:
    """Restart the process that watches the service, if it lost its node with the head; the service runs without it."""
    try:
        field.gateway.up.process.wait(5)
    except subprocess.TimeoutExpired:
        return
    field.gateway.up.stop()
    field.gateway.start()
    field.note("`up`, which only watches, ended, and was started again")


def _is_whole(field: Context) -> bool:
    workers = field.gateway.workers()
    # What the service told last may name processes that are gone.
    standing = all(pid and command_line(pid) for pid in workers.values())
    return bool(workers) and standing and field.gateway.is_ready()


def _cluster(field: Context) -> Cluster:
    if field.gateway.cluster is None:
        raise LookupError("this gateway joined no cluster")
    return field.gateway.cluster
