"""What Prometheus is told: every name and figure, to who shows the token only, also while things are down."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from prometheus_client.parser import text_string_to_metric_families
from pydantic import SecretStr, ValidationError

from messaging.config.settings import Settings
from messaging.simulator.shared.serving import Serving
from messaging.web.metrics import FIGURES, Snapshot, exposition
from messaging.web.metrics_route import MetricsSource, metrics_route
from tests.support.paths import ROOT


@dataclass(frozen=True)
class Queue:
    via: str
    waiting: int
    oldest_waiting_seconds: float


NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
TOKEN = "a token that nobody may see"
ATTEMPTS = "satbridge_attempts_total"
MAIL_IN = {
    "name": "mail-in/0",
    "draining": False,
    "accepted": 5,
    "refused": 2,
    "put_off": 1,
    "connections": 3,
    "turned_away": 4,
    "certificate_expires": (NOW + timedelta(days=2)).isoformat(),
}
POLLER = {
    "name": "hive-in/0",
    "draining": True,
    "up_seconds": 50.0,
    "via": "hive",
    "standing_by": False,
    "last_poll": (NOW - timedelta(seconds=90)).isoformat(),
    "stuck": 6,
}
LEDGER = {
    "name": "ledger/0",
    "draining": False,
    "settled": {"hive": {"sent": 7, "failed": 1}, "twilio": {"sent": 2}},
}


def read(**parts: Any) -> dict[tuple[str, ...], float]:
    """Every sample: its name and the values of its labels, in the order of their names."""
    whole: dict[str, Any] = {
        "now": NOW,
        "vias": ("hive", "smtp"),
        "workers": (),
        "queues": (),
        "sendable": (),
        "webhooks": Counter(),
        "replica": "r1",
        **parts,
    }
    return samples(exposition(Snapshot(**whole)).decode())


def samples(text: str) -> dict[tuple[str, ...], float]:
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_every_figure_of_a_worker_is_told() -> None:
    told = read(workers=(MAIL_IN, POLLER, LEDGER, {"name": "router/0", "lost": True}))
    expected = {
        ("satbridge_worker_up", "mail-in/0"): 1,
        ("satbridge_worker_up", "router/0"): 0,
        ("satbridge_draining", "mail-in/0"): 0,
        ("satbridge_draining", "hive-in/0"): 1,
        ("satbridge_mails_total", "accepted", "mail-in/0"): 5,
        ("satbridge_mails_total", "refused", "mail-in/0"): 2,
        ("satbridge_mails_total", "put_off", "mail-in/0"): 1,
        ("satbridge_mail_connections", "mail-in/0"): 3,
        ("satbridge_mail_connections_turned_away_total", "mail-in/0"): 4,
        ("satbridge_certificate_seconds_left", "mail-in/0"): 2 * 86400,
        ("satbridge_poller_silent_seconds", "hive"): 90,
        ("satbridge_poller_stuck_packets", "hive"): 6,
        ("satbridge_deliveries_total", "sent", "hive", "ledger/0"): 7,
        ("satbridge_deliveries_total", "failed", "hive", "ledger/0"): 1,
        ("satbridge_deliveries_total", "sent", "twilio", "ledger/0"): 2,
    }
    assert expected.items() <= told.items()


def test_accounts_with_something_that_could_go_are_one_and_the_others_zero() -> None:
    told = read(sendable={"hive"})
    assert told["satbridge_sendable", "hive"] == 1
    assert told["satbridge_sendable", "smtp"] == 0
    assert ("satbridge_sendable", "hive") not in read(sendable=None)


def test_blocked_accounts_are_one_and_the_others_zero() -> None:
    ledgers = (
        {**LEDGER, "blocked": {"smtp": {"attempts": 3}}, "blocked_attempts": {"smtp": 9}},
        {**LEDGER, "name": "ledger/1", "blocked": {}, "blocked_attempts": {}},
    )
    told = read(workers=ledgers)
    assert told["satbridge_account_blocked", "smtp"] == 1
    assert told["satbridge_account_blocked", "hive"] == 0
    assert told["satbridge_blocked_attempts_total", "smtp", "ledger/0"] == 9
    assert ("satbridge_account_blocked", "smtp") not in read(workers=(LEDGER,))


def test_attempts_are_counted_by_event_of_each_sender() -> None:
    sender = {"name": "hive-out/0", "draining": False, "begun": 9, "outcomes_sent": 7}
    told = read(workers=(LEDGER, sender))
    events = {labels[0]: value for (name, *labels), value in told.items() if name == ATTEMPTS}
    assert events == {
        "begun": 9,
        "not_begun": 0,
        "without_begin": 0,
        "sent": 7,
        "rejected": 0,
        "unavailable": 0,
        "uncertain": 0,
    }


def test_a_poller_that_never_succeeded_is_silent_since_it_started() -> None:
    told = read(workers=({**POLLER, "last_poll": None},))
    assert told["satbridge_poller_silent_seconds", "hive"] == 50


def test_a_poller_that_stands_by_is_not_missed() -> None:
    told = read(workers=({**POLLER, "standing_by": True},))
    assert ("satbridge_poller_silent_seconds", "hive") not in told


def test_a_certificate_that_has_ended_is_below_zero_and_none_is_nothing() -> None:
    ended = {**MAIL_IN, "certificate_expires": (NOW - timedelta(seconds=9)).isoformat()}
    assert read(workers=(ended,))["satbridge_certificate_seconds_left", "mail-in/0"] == -9
    none = {**MAIL_IN, "certificate_expires": None}
    assert ("satbridge_certificate_seconds_left", "mail-in/0") not in read(workers=(none,))


def test_the_queues_are_told_with_zeros_for_those_that_are_empty() -> None:
    told = read(queues=(Queue("hive", 12, 34.5), Queue("gone", 1, 2)))
    assert told["satbridge_waiting_deliveries", "hive"] == 12
    assert told["satbridge_oldest_waiting_seconds", "hive"] == 34.5
    assert told["satbridge_waiting_deliveries", "gone"] == 1
    assert told["satbridge_waiting_deliveries", "smtp"] == 0
    assert told["satbridge_oldest_waiting_seconds", "smtp"] == 0
    assert told["satbridge_store_up",] == 1


def test_of_a_store_that_is_away_no_zero_is_told() -> None:
    told = read(queues=None)
    assert told["satbridge_store_up",] == 0
    assert ("satbridge_waiting_deliveries", "hive") not in told


def test_webhooks_are_told_by_account_and_answer() -> None:
    told = read(webhooks=Counter({("twilio", 200): 3, ("twilio", 403): 2}))
    assert told["satbridge_webhooks_total", "twilio", "200", "r1"] == 3
    assert told["satbridge_webhooks_total", "twilio", "403", "r1"] == 2


def test_the_document_has_every_name_with_its_labels_and_no_other() -> None:
    text = (ROOT / "docs/metrics.md").read_text()
    rows = [line.split("|") for line in text.splitlines() if line.startswith("| `satbridge_")]
    told = {row[1].strip(" `"): row[2].replace("`", "").strip() for row in rows}
    assert told == {figure.name: ", ".join(figure.labels) for figure in FIGURES}


@contextmanager
def serving() -> Iterator[str]:
    async def workers() -> list[dict[str, Any]]:
        return [MAIL_IN]

    app = FastAPI()
    app.include_router(
        metrics_route(SecretStr(TOKEN), MetricsSource(("hive",), "r1", workers), Counter())
    )
    with Serving(app) as served:
        yield f"{served.url}/metrics"


@pytest.mark.parametrize(
    "shown", [None, "", "Bearer", f"Bearer {TOKEN[:-1]}", f"Bearer {TOKEN}x", TOKEN, "Bearer é"]
)
def test_other_requests_get_no_figures(shown: str | None) -> None:
    headers = [] if shown is None else [(b"Authorization", shown.encode("latin-1"))]
    with serving() as url, httpx.Client(trust_env=False) as client:
        answer = client.get(url, headers=headers)
    assert (answer.status_code, answer.text) == (401, "not allowed")


@pytest.mark.parametrize("token", ["", "short"])
def test_a_token_that_could_be_guessed_is_none(token: str) -> None:
    with pytest.raises(ValidationError):
        Settings(metrics_token=SecretStr(token))
