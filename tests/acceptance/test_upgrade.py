"""A new version takes over on the same store while the old one drains: only 421 is heard, nothing is lost or twice."""

import json
import smtplib
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.acceptance.running_gateway import Process, free_port, running
from tests.support.eventually import wait_until

pytestmark = [pytest.mark.ray, pytest.mark.postgres, pytest.mark.timeout(600)]


class Sender:
    """Offers mail without a break: to the old service while it listens, then to the new one, as behind a balancer."""

    def __init__(self, ports: list[int]) -> None:
        self.ports = ports
        self.accepted: list[str] = []
        self.turned_away: Counter[int] = Counter()
        self.pause_seconds = 0.3  # each mail takes processor time from the service that starts
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        number = 0
        while not self.stopping.is_set():
            token = f"upgrade-{number}"
            if self._offered(token):
                self.accepted.append(token)
                number += 1
            time.sleep(self.pause_seconds)

    def _offered(self, token: str) -> bool:
        content = f"Subject: {token}\r\nMessage-ID: <{token}@example.net>\r\n\r\nhello\r\n"
        try:
            with smtplib.SMTP("127.0.0.1", self.ports[0], timeout=30) as client:
                client.sendmail("alice@example.net", "user1@example.org", content)
        except smtplib.SMTPResponseException as error:
            self.turned_away[error.smtp_code] += 1
            return False
        except smtplib.SMTPRecipientsRefused as error:
            ((code, _text),) = error.recipients.values()
            self.turned_away[code] += 1
            return False
        except OSError:
            # Refused or cut off: the next connection goes elsewhere.
            self.ports.pop(0) if len(self.ports) > 1 else None
            return False
        return True


def test_a_new_version_takes_over_while_the_old_one_drains(
    own_postgres: Any, tmp_path: Path
) -> None:
    with running(own_postgres.get_uri(), tmp_path / "old", UNREADY_SECONDS="2") as old:
        for number in range(50):
            old.uplink(1000, "bob@example.net", f"early {number}")
        sender = Sender([old.smtp_port])
        sender.thread.start()
        http = free_port()
        environment = {
            **old.environment,
            "SATBRIDGE_STATE_DIR": str(tmp_path / "new"),
            "SATBRIDGE_HTTP_LISTEN": f"127.0.0.1:{http}",
        }
        new = Process("up", environment=environment)
        try:
            sender.ports.append(int(new.line_with("accepts mail").rpartition(":")[2]))
            running_file = tmp_path / "new" / "running.json"
            workers = json.loads(running_file.read_text())["workers"]
            (poller,) = [row for row in workers if row.get("name") == "hive-in/0"]
            assert poller["standing_by"]
            sender.pause_seconds = 0.02
            stopping = threading.Thread(target=old.up.stop)
            stopping.start()
            wait_until(lambda: "draining" in httpx.get(f"{old.http}/readyz").text, 10)
            assert httpx.get(f"http://127.0.0.1:{http}/readyz").status_code == 200
            for number in range(50):
                old.uplink(1000, "bob@example.net", f"late {number}")
            stopping.join(60)
            assert old.up.process.returncode == 0, old.up.output
            time.sleep(2)
            sender.stopping.set()
            sender.thread.join(30)
            wait_until(lambda: len(old.sink.received) >= 100, 40)
            tokens = wait_until(
                lambda: found if len(found := arrived(old)) >= len(sender.accepted) else None
            )
            time.sleep(1)
            assert Counter(arrived(old)) == Counter(sender.accepted), tokens
            assert set(sender.turned_away) <= {421, 451}
            texts = Counter(m.message.get_content().strip() for m in old.sink.received)
            wanted = [f"{when} {n}" for when in ("early", "late") for n in range(50)]
            assert texts == Counter(wanted)
        finally:
            sender.stopping.set()
            assert new.stop() == 0, new.output


def arrived(gateway: Any) -> list[str]:
    return [text.split("\n")[0] for _, _, text in gateway.shown() if text.startswith("upgrade-")]
