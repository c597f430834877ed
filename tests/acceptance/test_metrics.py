"""A running service tells Prometheus every figure under its name, and no secret, and `status` what waits."""

import json
import smtplib
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from messaging.web.metrics import FIGURES
from tests.support.acceptance.running_gateway import (
    HIVE_PASSWORD,
    TOKEN,
    RunningGateway,
    running,
)
from tests.support.eventually import wait_until
from tests.support.mail.certificates import make_certificate

pytestmark = [pytest.mark.ray, pytest.mark.timeout(600)]

METRICS_TOKEN = "another token that nobody may see"


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningGateway]:
    folder: Path = tmp_path_factory.mktemp("metrics")
    files = make_certificate(folder)
    settings = {
        "METRICS_TOKEN": METRICS_TOKEN,
        "SMTP_CERTIFICATE": str(files.certificate),
        "SMTP_KEY": str(files.key),
        "RELAY_URL": "smtp://127.0.0.1:1",
    }
    with running(f"sqlite:///{folder}/store.sqlite3", folder, **settings) as gateway:
        yield gateway


def scrape(gateway: RunningGateway) -> str:
    headers = {"Authorization": f"Bearer {METRICS_TOKEN}"}
    answer = httpx.get(f"{gateway.http}/metrics", headers=headers, timeout=30)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    return answer.text


def figures(gateway: RunningGateway) -> dict[tuple[str, ...], float]:
    """Every sample: its name and the values of its labels, without the one of the process."""
    return {
        (sample.name, *(v for n, v in sample.labels.items() if n not in ("worker", "replica"))): (
            sample.value
        )
        for family in text_string_to_metric_families(scrape(gateway))
        for sample in family.samples
    }


def send(gateway: RunningGateway, to: str) -> None:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "alice@example.net", to, "Hello"
    message.set_content("a text that nobody else may see")
    with smtplib.SMTP("127.0.0.1", gateway.smtp_port, timeout=30) as client:
        client.send_message(message)


def test_after_some_traffic_every_name_has_figures(gateway: RunningGateway) -> None:
    send(gateway, "boop@example.org")
    assert gateway.text("+15551230000", "Hello")["taken"]
    assert httpx.post(f"{gateway.http}/sms/twilio", data={"Body": "forged"}).status_code == 403

    def sent() -> bool:
        return figures(gateway).get(("satbridge_deliveries_total", "sent", "hive"), 0) >= 2

    wait_until(sent)
    told = figures(gateway)
    # No account has been refused, so there is none to count attempts for.
    expected = {figure.name for figure in FIGURES} - {"satbridge_blocked_attempts_total"}
    assert {name for name, *_ in told} == expected
    assert told["satbridge_mails_total", "accepted"] == 1
    assert told["satbridge_webhooks_total", "twilio", "200"] == 1
    assert told["satbridge_webhooks_total", "twilio", "403"] == 1
    assert told["satbridge_store_up",] == 1
    assert told["satbridge_waiting_deliveries", "hive"] == 0
    assert 0 <= told["satbridge_poller_silent_seconds", "hive"] < 30
    assert 29 * 86400 < told["satbridge_certificate_seconds_left",] < 30 * 86400


def test_an_unreachable_relay_is_a_state_that_status_shows(gateway: RunningGateway) -> None:
    gateway.uplink(1000, "bob@example.net", "nobody takes this")

    def with_a_reason() -> list[dict[str, str]]:
        rows = json.loads(gateway.satbridge("messages", "list", "--json"))
        return [row for row in rows if row["reason"]]

    [row] = wait_until(with_a_reason)
    assert row["state"] == "waiting"
    assert "relay" in row["reason"]
    assert gateway.waiting() == 1
    assert "runs already" in gateway.satbridge("up", code=2)


def test_a_network_that_answers_no_more_is_silent_longer_and_longer(
    gateway: RunningGateway,
) -> None:
    httpx.put(f"{gateway.hive}/sim/faults", json={"refuse_rate": 1}).raise_for_status()
    silent = ("satbridge_poller_silent_seconds", "hive")
    wait_until(lambda: figures(gateway)[silent] > 3)


def test_no_secret_no_address_and_no_text_is_told(gateway: RunningGateway) -> None:
    text = scrape(gateway)
    for secret in (METRICS_TOKEN, TOKEN, HIVE_PASSWORD, "alice", "boop", "nobody", "+1555"):
        assert secret not in text


def test_without_the_token_nothing_is_told(gateway: RunningGateway) -> None:
    assert httpx.get(f"{gateway.http}/metrics").status_code == 401
