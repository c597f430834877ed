"""The service on a Ray cluster of three nodes, as on Kubernetes: whatever is lost of it, mails come in and arrive."""

import json
import os
import signal
import socket
import time
from collections.abc import Iterator
from random import Random
from typing import Any

import httpx
import pytest

from chaos.cluster import Cluster
from chaos.gateway import TargetGateway
from chaos.nodes import kill_supervisor
from chaos.processes import kill
from chaos.redis_server import has_redis, redis_server
from chaos.run import run_one
from chaos.scenarios import all_scenarios
from chaos.stores import PostgresStore
from messaging.service.state_file import read_running
from tests.support.acceptance.mail_client import Tally, mail, send_all
from tests.support.acceptance.running_gateway import Process
from tests.support.eventually import wait_until

pytestmark = [
    pytest.mark.ray,
    pytest.mark.postgres,
    pytest.mark.timeout(600),
    pytest.mark.skipif(not has_redis(), reason="redis-server is not installed"),
]

# For the most part the start of the head, beside another cluster on a small machine.
AGAIN_SECONDS = 60.0
# On a busy machine a command that joins a cluster needs a while for that alone.
WAIT_SECONDS = 180.0
NODES = {"second": {"smtp": 1.0}, "third": {}}


@pytest.fixture(scope="module")
def store(own_postgres: Any, tmp_path_factory: pytest.TempPathFactory) -> PostgresStore:
    return PostgresStore(own_postgres, tmp_path_factory.mktemp("state"))


@pytest.fixture(scope="module")
def clustered(store: PostgresStore) -> Iterator[TargetGateway]:
    """A gateway on a head without work, a node that mail comes in on, and another one."""
    with redis_server() as tables, Cluster(NODES, tables) as cluster:
        gateway = TargetGateway(store.url, store.folder, cluster)
        with gateway:
            yield gateway


def told(gateway: TargetGateway) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(status(gateway, "--json", code=0))["running"]
    return found


def all_of(gateway: TargetGateway) -> list[dict[str, Any]]:
    """Ask until every worker answers: on a busy machine one may need longer than `status` waits."""
    return wait_until(lambda: _answered(told(gateway)["workers"]), WAIT_SECONDS)


def _answered(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [] if any(row.get("lost") for row in rows) else rows


def status(gateway: TargetGateway, *options: str, code: int) -> str:
    environment = {**gateway.environment, **gateway.extra_environment}
    address = environment.pop("SATBRIDGE_RAY_ADDRESS")
    arguments = ("status", *options, "--ray-address", address)
    process = Process(*arguments, environment=environment)
    assert process.process.wait(WAIT_SECONDS) == code, process.output
    process.stop()
    return process.output


def test_mail_comes_in_on_the_smtp_node_alone_and_reaches_the_device(
    clustered: TargetGateway,
) -> None:
    workers = all_of(clustered)
    assert clustered.cluster is not None
    smtp_node = clustered.cluster.processes("second")
    assert [row["pid"] in smtp_node for row in workers if row["stage"] == "mail-in"] == [True]
    assert not clustered.cluster.processes("head") & {row["pid"] for row in workers}
    assert {row["pid"] in smtp_node for row in workers} == {True, False}
    send_letters(clustered, 1)


def test_whoever_started_and_supervises_it_may_die(clustered: TargetGateway) -> None:
    before = {row["name"]: row["pid"] for row in all_of(clustered)}
    assert clustered.cluster is not None
    assert kill(clustered.up.process.pid)
    assert kill_supervisor(clustered.cluster)
    clustered.up.stop()
    clustered.start()
    assert {row["name"]: row["pid"] for row in all_of(clustered)} == before


def test_a_lost_head_that_keeps_its_tables_costs_less_than_a_minute(
    clustered: TargetGateway, store: PostgresStore
) -> None:
    (scenario,) = (one for one in all_scenarios() if one.name == "head-lost")
    verdict = run_one(scenario, clustered, store, Random(7))
    assert not verdict.problems, verdict
    assert verdict.gap_seconds <= AGAIN_SECONDS


def test_who_watches_finds_the_supervisor_again_though_its_own_node_was_lost(
    clustered: TargetGateway,
) -> None:
    """Its node was the head that was lost in the test before; the supervisor now gets another process."""
    assert clustered.cluster is not None
    assert kill_supervisor(clustered.cluster)
    killed = time.time()
    wait_until(lambda: (found := read_running(clustered.folder)) and found.at > killed + 3, 60)


def test_a_worker_that_hangs_is_started_again(clustered: TargetGateway) -> None:
    # While a worker moves it has no process; 0 would stop the group of the tests themselves.
    hung = wait_until(lambda: pid_of(clustered, "ledger/0"), WAIT_SECONDS)
    os.kill(hung, signal.SIGSTOP)
    wait_until(lambda: pid_of(clustered, "ledger/0") not in (0, hung), 120)
    wait_until(lambda: not os.path.exists(f"/proc/{hung}"), 20)


def pid_of(gateway: TargetGateway, name: str) -> int:
    return gateway.workers().get(name, 0)


def test_mail_is_taken_on_another_smtp_node_and_all_goes_on_when_two_nodes_are_lost_at_once(
    clustered: TargetGateway,
) -> None:
    cluster = clustered.cluster
    assert cluster is not None
    cluster.workers = {**NODES, "fourth": {"smtp": 1.0}}
    cluster.start_worker("fourth")
    wait_until(lambda: len(receivers(clustered)) == 2, WAIT_SECONDS)

    def one_went_there() -> bool:
        # Both listen on one address here, and the kernel deals the connections out.
        send_letters(clustered, 6)
        there = cluster.processes("fourth")
        return any(_took(row, there) for row in receivers(clustered))

    wait_until(one_went_there, WAIT_SECONDS)
    cluster.kill("fourth")
    cluster.kill("third")
    wait_until(lambda: all_run_on("second", clustered), WAIT_SECONDS)
    (left,) = receivers(clustered)
    send_letters(clustered, 2)
    told = status(clustered, code=0)
    assert [line.split()[:2] for line in told.splitlines() if line.startswith("mail-in/")] == [
        [left["name"], left["node"]]
    ]


def _took(receiver: dict[str, Any], processes: set[int]) -> bool:
    return receiver.get("pid") in processes and receiver["out"] > 0


def all_run_on(node: str, gateway: TargetGateway) -> bool:
    assert gateway.cluster is not None
    pids = set(gateway.workers().values())
    return bool(pids) and pids <= gateway.cluster.processes(node)


def receivers(gateway: TargetGateway) -> list[dict[str, Any]]:
    rows = json.loads((gateway.folder / "running.json").read_text())["workers"]
    return [row for row in rows if row["stage"] == "mail-in"]


def send_letters(gateway: TargetGateway, count: int) -> None:
    """One connection each; returns when the device has them all."""
    before, tally = len(gateway.shown()), Tally()
    to, run = "user1@example.org", f"letters.{before}"
    content = [(to, mail(number, to, run)) for number in range(count)]
    for thread in send_all(gateway.smtp_port, content, count, tally):
        thread.join()
    assert (tally.accepted, tally.refused) == (count, [])
    wait_until(lambda: len(gateway.shown()) == before + count, WAIT_SECONDS)


def test_down_drains_and_ends_it_although_its_supervisor_was_just_killed(
    clustered: TargetGateway,
) -> None:
    assert clustered.cluster is not None
    assert kill_supervisor(clustered.cluster)
    environment = {**clustered.environment, **clustered.extra_environment}
    down = Process("down", environment=environment)
    assert down.process.wait(WAIT_SECONDS) == 0, down.output
    down.stop()
    assert "The service was taken down." in clustered.up.line_with("taken down")
    assert clustered.up.process.wait(WAIT_SECONDS) == 0
    clustered.up.stop()
    assert "not running" in status(clustered, code=1)
    with pytest.raises(httpx.HTTPError):
        httpx.get(f"{clustered.http}/readyz", timeout=5).raise_for_status()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", clustered.smtp_port), 5)
