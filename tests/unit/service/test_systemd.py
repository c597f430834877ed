"""The messages to systemd, over a real socket."""

import os
import uuid
from pathlib import Path

import pytest

from messaging.service.systemd import Notifier
from tests.support.notify_socket import NotifySocket


@pytest.mark.parametrize("kind", ["path", "abstract"])
def test_systemd_hears_each_message(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = tmp_path / "notify" if kind == "path" else f"@satbridge-{uuid.uuid4().hex}"
    with NotifySocket(address) as systemd:
        monkeypatch.setenv("NOTIFY_SOCKET", systemd.address)
        notifier = Notifier()
        notifier.ready("running")
        notifier.alive("no room")
        notifier.stopping()
        assert systemd.messages() == [
            {"READY": "1", "STATUS": "running"},
            {"WATCHDOG": "1", "STATUS": "no room"},
            {"STOPPING": "1", "WATCHDOG": "1", "STATUS": "draining"},
        ]


def test_processes_of_the_gateway_do_not_inherit_the_socket(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
    Notifier()
    assert "NOTIFY_SOCKET" not in os.environ


def test_without_systemd_nothing_is_sent(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    Notifier().ready("running")
    assert not caplog.records


def test_a_socket_that_is_gone_or_full_ends_nothing_and_is_logged_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with NotifySocket(tmp_path / "notify") as systemd:
        monkeypatch.setenv("NOTIFY_SOCKET", systemd.address)
        notifier = Notifier()
        for _ in range(2000):  # more than a socket that is not read can hold
            notifier.alive("running")
    notifier.alive("running")
    assert [record.levelname for record in caplog.records] == ["WARNING"]
