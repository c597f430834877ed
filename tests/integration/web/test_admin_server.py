"""The socket of the admin: it waits for a port that is taken, and ends when it is told to."""

import logging
import socket
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from messaging.config.settings import Listen, Settings
from messaging.web.admin_server import AdminServer, admin_app
from tests.support.eventually import wait_until
from tests.support.ports import free_port
from tests.support.store.fixtures import opened, settings_for


@pytest.fixture(autouse=True)
def settings(tmp_path: Path) -> Iterator[Settings]:
    yield from opened(settings_for(f"sqlite:///{tmp_path}/x.sqlite3", tmp_path))


def status(port: int, **headers: str) -> int | None:
    try:
        url = f"http://127.0.0.1:{port}/admin/login/"
        return httpx.get(url, headers=headers, trust_env=False, timeout=60).status_code
    except httpx.TransportError:
        return None


def test_the_admin_is_served_and_ends() -> None:
    port = free_port()
    server = AdminServer(Listen("127.0.0.1", port), admin_app)
    assert server.runs
    assert status(port) == 200
    assert status(port, Host="evil.example") == 400
    server.close()
    assert status(port) is None


def test_a_taken_port_is_one_line_and_is_tried_again(caplog: pytest.LogCaptureFixture) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        server = AdminServer(Listen("127.0.0.1", port), admin_app, retry_seconds=0.05)
    wait_until(lambda: status(port) == 200)
    server.close()
    (line,) = [one for one in caplog.records if one.levelno >= logging.ERROR]
    said = f"SATBRIDGE_ADMIN_LISTEN: cannot listen on 127.0.0.1:{port}"
    assert line.getMessage().startswith(said)
