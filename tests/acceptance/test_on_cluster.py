"""The service on a Ray cluster of three nodes, as on Kubernetes: whatever is lost of it, mails come in and arrive."""

import json
import os
import signal
from collections.abc import Iterator
from random import Random
from typing import Any

import httpx
import pytest

from chaos.catalogue import catalogue
from chaos.cluster import Cluster
from chaos.gateway import StrickenGateway
from chaos.run import run_one
from chaos.stores import PostgresStore
from chaos.tables import has_redis, redis_tables
from chaos.verdict import Verdict
from tests.acceptance.mailing import Tally, mail, send_all
from tests.acceptance.running_gateway import Process, eventually

pytestmark = [
    pytest.mark.ray,
    pytest.mark.postgres,
    pytest.mark.timeout(600),
    pytest.mark.skipif(not has_redis(), reason="redis-server is not installed"),
]

AGAIN_SECONDS = 30.0
NODES = {"second": {"smtp": 1.0}, "third": {}}


@pytest.fixture(scope="module")
def store(own_postgres: Any, tmp_path_factory: pytest.TempPathFactory) -> PostgresStore:
    return PostgresStore(own_postgres, tmp_path_factory.mktemp("state"))


@pytest.fixture(scope="module")
def clustered(store: PostgresStore) -> Iterator[StrickenGateway]:
    """A gateway on a head without work, a node that mail comes in on, and another one."""
    with redis_tables() as tables, Cluster(NODES, tables) as cluster:
        gateway = StrickenGateway(store.url, store.folder, cluster)
        with gateway:
            yield gateway


def told(gateway: StrickenGateway) -> dict[str, Any]:
    process = Process(
        "status", "--json", environment={**gateway.environment, **gateway.surroundings}
    )
    process.process.wait(60)
    process.stop()
    found: dict[str, Any] = json.loads(process.output)["running"]
    return found


def struck(name: str, gateway: StrickenGateway, store: PostgresStore) -> Verdict:
    (scenario,) = (one for one in catalogue() if one.name == name)
    return run_one(scenario, gateway, store, Random(7))


def test_mail_comes_in_on_the_smtp_node_alone_and_reaches_the_device(
    clustered: StrickenGateway,
) -> None:
    workers = told(clustered)["workers"]
    receivers = [row for row in workers if row["stage"] == "mail-in"]
    assert clustered.cluster is not None
    smtp_node = clustered.cluster.processes("second")
    assert [row["pid"] in smtp_node for row in receivers] == [True]
    assert not clustered.cluster.processes("head") & {row["pid"] for row in workers}
    assert {row["pid"] in smtp_node for row in workers} == {True, False}
    letter = ("user1@example.org", mail(1, "user1@example.org", "cluster"))
    for thread in send_all(clustered.smtp_port, [letter], 1, Tally()):
        thread.join()
    eventually(lambda: [x for x in clustered.shown() if x[0] == 1001])


def test_whoever_started_and_supervises_it_may_die(
    clustered: StrickenGateway, store: PostgresStore
) -> None:
    before = {row["name"]: row["pid"] for row in told(clustered)["workers"]}
    verdict = struck("watcher-and-supervisor-lost", clustered, store)
    assert not verdict.problems, verdict
    assert {row["name"]: row["pid"] for row in told(clustered)["workers"]} == before


def test_a_lost_worker_node_loses_no_message(
    clustered: StrickenGateway, store: PostgresStore
) -> None:
    verdict = struck("node-lost", clustered, store)
    assert not verdict.problems, verdict


def test_a_lost_head_that_keeps_its_tables_costs_less_than_half_a_minute(
    clustered: StrickenGateway, store: PostgresStore
) -> None:
    verdict = struck("head-lost", clustered, store)
    assert not verdict.problems, verdict
    assert verdict.gap_seconds <= AGAIN_SECONDS


def test_a_worker_that_hangs_is_started_again(clustered: StrickenGateway) -> None:
    hung = pid_of(clustered, "ledger/0")
    os.kill(hung, signal.SIGSTOP)
    eventually(lambda: pid_of(clustered, "ledger/0") not in (0, hung), 120)
    eventually(lambda: not os.path.exists(f"/proc/{hung}"), 20)


def pid_of(gateway: StrickenGateway, name: str) -> int:
    return gateway.workers().get(name, 0)


def test_another_smtp_node_gets_a_receiver_and_a_node_that_is_gone_loses_its_own(
    clustered: StrickenGateway,
) -> None:
    cluster = clustered.cluster
    assert cluster is not None
    cluster.workers = {**NODES, "fourth": {"smtp": 1.0}}
    cluster.start_worker("fourth")
    there = cluster.processes("fourth")
    eventually(lambda: len(receivers(clustered)) == 2, 120)
    assert set(receivers(clustered)) & (there | cluster.processes("fourth"))
    cluster.kill("fourth")
    (left,) = eventually(lambda: found if len(found := receivers(clustered)) == 1 else None, 120)
    assert left in cluster.processes("second")


def receivers(gateway: StrickenGateway) -> list[int]:
    return [pid for name, pid in gateway.workers().items() if name.startswith("mail-in/")]


def test_down_drains_and_ends_it_from_any_process(clustered: StrickenGateway) -> None:
    environment = {**clustered.environment, **clustered.surroundings}
    down = Process("down", environment=environment)
    assert down.process.wait(90) == 0, down.output
    down.stop()
    assert "The service was taken down." in clustered.up.line_with("taken down")
    assert clustered.up.stop() == 0
    status = Process("status", environment=environment)
    assert status.process.wait(60) == 1, status.output
    status.stop()
    with pytest.raises(httpx.HTTPError):
        httpx.get(f"{clustered.http}/readyz", timeout=5).raise_for_status()
