"""A service whose Ray is gone ends by itself, so that its supervisor starts it again; and a new one takes over."""

import smtplib
from pathlib import Path

import pytest

from chaos.gateway import StrickenGateway
from chaos.processes import kill, titled

pytestmark = [pytest.mark.ray, pytest.mark.timeout(300)]


def test_the_service_ends_when_its_cluster_is_gone_and_starts_again(tmp_path: Path) -> None:
    with StrickenGateway(f"sqlite:///{tmp_path}/store.sqlite3", tmp_path) as gateway:
        for title in ("/gcs_server", "/raylet"):
            for pid in titled(gateway.up.process.pid, title):
                kill(pid)
        assert gateway.up.process.wait(120) != 0
        assert gateway.workers() == {}
        gateway.start()
        with smtplib.SMTP("127.0.0.1", gateway.smtp_port, timeout=30) as client:
            client.sendmail("alice@example.net", "user1@example.org", "Subject: back\r\n\r\nx\r\n")
