"""A Ray node that is about to end: mail on its way is finished, no new client comes, the drain is announced first."""

import smtplib
import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from chaos.cluster import Cluster
from messaging.mail.smtp.replies import LEAVING, OK
from messaging.streaming.ops.node_drain import listeners_on
from tests.support.acceptance.running_gateway import Process, RunningGateway, free_port, running
from tests.support.eventually import wait_until


@contextmanager
def one_node() -> Iterator[Cluster]:
    """A Ray node as `ray start` makes it, which knows nothing of the gateway."""
    with closing(_Node()) as node:
        node.start_head()
        yield node


class _Node(Cluster):
    def close(self) -> None:
        self.kill("head")
        self.__exit__(None, None, None)


@pytest.fixture
def gateway(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[RunningGateway, Process]]:
    with one_node() as node:
        for name, value in node.environment.items():
            monkeypatch.setenv(name, value)
        settings = {
            "RAY_ADDRESS": node.address,
            "WORKER_CPUS": "0",  # it is a head, which has none to give
            "UNREADY_SECONDS": "6",
            "SMTP_LISTEN": f"127.0.0.1:{free_port()}",
        }
        with running(f"sqlite:///{tmp_path}/store.sqlite3", tmp_path, **settings) as gateway:
            yield gateway, Process("prepare-for-shutdown", environment=gateway.environment)


def connect(gateway: RunningGateway) -> smtplib.SMTP:
    client = smtplib.SMTP("127.0.0.1", gateway.smtp_port, timeout=60)
    client.ehlo()
    return client


@pytest.mark.ray
@pytest.mark.timeout(600)
def test_mail_on_its_way_finishes_and_nobody_new_is_sent_there(
    gateway: tuple[RunningGateway, Process],
) -> None:
    here, command = gateway
    busy, idle = connect(here), connect(here)
    assert said(idle) == OK
    busy.mail("alice@example.net")
    busy.rcpt("boop@example.org")
    assert busy.docmd("DATA")[0] == 354
    # Announced: a probe says no, and all is taken.
    wait_until(lambda: said(idle) == LEAVING, 90)
    assert "draining" in here.satbridge("probe", "mail", code=1)
    with connect(here) as late:
        letter = "Subject: late\r\n\r\nstill taken"
        assert late.sendmail("alice@example.net", "boop@example.org", letter) == {}
    # Drained: closed to all but the mail that is on its way.
    wait_until(lambda: refused(here.smtp_port), 30)
    assert idle.getreply()[0] == 421
    idle.close()
    assert command.process.poll() is None
    busy.send(b"Subject: slow\r\n\r\njust in time\r\n.\r\n")
    assert busy.getreply()[0] == 250
    busy.close()
    assert command.process.wait(60) == 0
    assert "drained: mail-in/0" in command.output
    command.stop()
    texts = wait_until(lambda: found if len(found := [t for *_, t in here.shown()]) == 2 else None)
    assert {text.partition("\n")[0] for text in texts} == {"late", "slow"}


def said(client: smtplib.SMTP) -> str:
    code, text = client.noop()
    return f"{code} {text.decode()}"


def refused(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 5).close()
    except ConnectionRefusedError:
        return True
    return False


def test_only_what_listens_on_this_very_node_is_drained() -> None:
    rows: list[dict[str, Any]] = [
        {"name": "mail-in/0", "node": "here", "listening": ["127.0.0.1:25"]},
        {"name": "mail-in/1", "node": "there", "listening": ["127.0.0.1:25"]},
        {"name": "mail-in/2", "node": "here", "listening": []},
        {"name": "router/0", "node": "here"},
        {"name": "mail-in/3", "lost": True},
    ]
    assert listeners_on("here", rows) == ["mail-in/0"]


@pytest.mark.ray
@pytest.mark.timeout(600)
def test_where_no_cluster_answers_it_says_so_and_ends(tmp_path: Path) -> None:
    environment = {"SATBRIDGE_RAY_ADDRESS": f"127.0.0.1:{free_port()}", "RAY_AUTH_MODE": "disabled"}
    command = Process("prepare-for-shutdown", environment=environment, cwd=tmp_path)
    assert command.process.wait(90) == 1, command.output
    command.stop()
    assert "the cluster does not answer" in command.output
