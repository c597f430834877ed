"""The gateway in one process without Ray does the same job: every direction, its commands, a kill, and its end."""

import json
import os
import signal
import smtplib
import tempfile
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.support.acceptance.mail_client import Tally, mail, send_all
from tests.support.acceptance.running_gateway import NUMBER, Process, RunningGateway, running
from tests.support.eventually import wait_until
from tests.support.notify_socket import NotifySocket
from tests.support.ports import free_port

pytestmark = pytest.mark.timeout(300)

FRIEND = "+15551230000"
METRICS_TOKEN = "another token that nobody may see"
MAILS = 300


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningGateway]:
    folder: Path = tmp_path_factory.mktemp("inline")
    # A port that stays: clients try again where they know the gateway.
    listen = f"127.0.0.1:{free_port()}"
    settings = {"RUNTIME": "inline", "METRICS_TOKEN": METRICS_TOKEN, "SMTP_LISTEN": listen}
    with running(f"sqlite:///{folder}/store.sqlite3", folder, **settings) as found:
        yield found


def send(gateway: RunningGateway, subject: str, text: str) -> None:
    message = EmailMessage()
    message["From"], message["To"] = "alice@example.net", "boop@example.org"
    message["Subject"] = subject
    message.set_content(text)
    with smtplib.SMTP("127.0.0.1", gateway.smtp_port, timeout=30) as client:
        client.send_message(message)


def test_it_is_one_process_without_ray(gateway: RunningGateway) -> None:
    pid = gateway.up.process.pid
    assert set(gateway.workers().values()) == {pid}
    assert Path(f"/proc/{pid}/task/{pid}/children").read_text() == ""
    # Ray's extension module is mapped wherever Ray was imported.
    assert "/ray/" not in Path(f"/proc/{pid}/maps").read_text()


def test_a_mail_reaches_the_device(gateway: RunningGateway) -> None:
    send(gateway, "Wetter", "Sturm kommt, bleibt im Hafen ⚓")
    (found,) = wait_until(lambda: [x for x in gateway.shown() if "Sturm" in x[2]])
    assert found == (1000, "alice@example.net", "Wetter\nSturm kommt, bleibt im Hafen ⚓")


def test_a_device_writes_a_mail_and_a_text(gateway: RunningGateway) -> None:
    gateway.uplink(1000, "bob@example.net", "Anchored at noon")
    gateway.uplink(1000, FRIEND, "Back on Friday")
    (received,) = wait_until(
        lambda: [m for m in gateway.sink.received if "bob@" in m.recipients[0]]
    )
    assert received.message.get_content().strip() == "Anchored at noon"
    (text,) = wait_until(lambda: [t for t in gateway.texts() if "Friday" in t["body"]])
    assert (text["from"], text["to"]) == (NUMBER, FRIEND)


def test_a_text_from_a_phone_reaches_the_device(gateway: RunningGateway) -> None:
    assert gateway.text(FRIEND, "Bring fish 🐟")["taken"]
    (found,) = wait_until(lambda: [x for x in gateway.shown() if "fish" in x[2]])
    assert found == (1000, FRIEND, "Bring fish 🐟")


def test_health_readiness_admin_and_metrics_are_served(gateway: RunningGateway) -> None:
    assert httpx.get(f"{gateway.http}/healthz").json() == {"status": "alive"}
    assert httpx.get(f"{gateway.http}/readyz").json() == {"status": "ready"}
    admin = f"http://{gateway.environment['SATBRIDGE_ADMIN_LISTEN']}"
    assert "Log in" in httpx.get(f"{admin}/admin/login/").text
    headers = {"Authorization": f"Bearer {METRICS_TOKEN}"}
    answer = httpx.get(f"{gateway.http}/metrics", headers=headers, timeout=30)
    names = {family.name for family in text_string_to_metric_families(answer.text)}
    assert {"satbridge_mails", "satbridge_webhooks", "satbridge_deliveries"} <= names


def test_status_and_check_find_it(gateway: RunningGateway) -> None:
    status = json.loads(gateway.satbridge("status", "--json"))
    assert status["running"]["state"] == "running"
    stages = {"mail-in/0", "router/0", "due/0", "ledger/0", "mail-out/0", "hive-out/0"}
    rows = {row["name"]: row for row in status["running"]["workers"]}
    assert stages <= set(rows)
    keys = {"node", "pid", "in", "out", "refused", "restarts", "in_per_second", "up_seconds"}
    assert all(keys <= set(row) for row in rows.values())
    found = {row["part"]: row["ok"] for row in json.loads(gateway.satbridge("check", "--json"))}
    assert found["running"]
    assert found["http-in"]


def test_settings_are_read_again(gateway: RunningGateway) -> None:
    assert "nothing has changed" in gateway.satbridge("reload")


def test_a_second_one_says_that_one_runs_already(gateway: RunningGateway) -> None:
    assert "runs already" in gateway.satbridge("up", code=2)


def test_a_kill_costs_no_mail(gateway: RunningGateway) -> None:
    recipients = [f"user{n % 20 + 1}@example.org" for n in range(MAILS)]
    mails = [(one, mail(n, one, "killed")) for n, one in enumerate(recipients)]
    tally = Tally()
    threads = send_all(gateway.smtp_port, mails[: MAILS // 2], 10, tally)
    wait_until(lambda: tally.accepted >= MAILS // 4, 60)
    os.kill(gateway.up.process.pid, signal.SIGKILL)
    gateway.up.stop()
    gateway.start()
    threads += send_all(gateway.smtp_port, mails[MAILS // 2 :], 10, tally)
    for thread in threads:
        thread.join(120)
    assert (tally.accepted, tally.refused) == (MAILS, [])

    def missing() -> set[int]:
        texts = [text for _, _, text in gateway.shown()]
        return {n for n in range(MAILS) if not any(f"mail number {n}." in one for one in texts)}

    wait_until(lambda: not missing(), 90)


def test_systemd_hears_of_its_start_rounds_and_end(gateway: RunningGateway) -> None:
    with (
        tempfile.TemporaryDirectory() as folder,
        NotifySocket(Path(folder) / "notify") as systemd,
    ):
        gateway.satbridge("down")
        assert gateway.up.stop() == 0, gateway.up.output
        gateway.environment["NOTIFY_SOCKET"] = systemd.address
        gateway.start()
        found = wait_until(lambda: systemd.messages())
        assert "READY" in found[0]
        wait_until(lambda: [one for one in systemd.messages() if "WATCHDOG" in one])
        send(gateway, "Last", "just before it stops")
        gateway.up.process.send_signal(signal.SIGTERM)
        assert gateway.up.process.wait(60) == 0
        assert [one for one in systemd.messages() if "STOPPING" in one]
    assert [x for x in gateway.shown() if "just before it stops" in x[2]]
    gateway.satbridge("status", code=1)


def test_a_wrong_setting_ends_the_start(gateway: RunningGateway) -> None:
    environment = {**gateway.environment, "SATBRIDGE_RUNTIME": "spark"}
    process = Process("up", environment=environment)
    assert process.process.wait(60) == 2
    process.stop()
    assert "SATBRIDGE_RUNTIME" in process.output
