"""The commands about money: budgets, tariffs, and costs by them."""

import csv
import io
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from messaging.cli.app import app
from messaging.config.settings import Settings
from messaging.store.console.save import InvalidInput


@pytest.fixture(autouse=True)
def store(store_settings: Settings) -> None:
    done("users", "add", "boop")
    done("users", "contacts", "add", "boop", "alice", "alice@example.org")
    done("devices", "add", "1001", "--owner", "boop", "--network", "hive")


def run(*words: str) -> Result:
    return CliRunner().invoke(app, list(words))


def done(*words: str) -> str:
    outcome = run(*words)
    assert outcome.exit_code == 0, outcome.output
    return outcome.stdout


def test_budgets_are_added_listed_changed_and_removed() -> None:
    limit = ("--limit", "20 EUR", "--per", "week", "--reserve", "20%")
    told = done("budget", "add", "--on", "subscriber:boop", *limit)
    number = told.split()[1]
    assert told == (f"budget {number} on subscriber:boop: 20 EUR per week, 20 EUR left\n")
    done("budget", "top-up", number, "5 eur")
    [row] = json.loads(done("budget", "list", "--json"))
    assert row.pop("since").endswith("+00:00")
    assert row == {
        "number": int(number),
        "on": "subscriber:boop",
        "limit": "20",
        "unit": "EUR",
        "per": "week",
        "reserve_percent": 20,
        "added": "5",
        "reserved": "0",
        "spent": "0",
        "left": "25",
        "used_percent": 0,
    }
    assert "30 EUR per week, 35 EUR left" in done("budget", "change", number, "--limit", "30 EUR")
    assert "subscriber:boop" in done("budget", "list", "--on", "subscriber:boop")
    done("budget", "remove", number)
    assert json.loads(done("budget", "list", "--json")) == []


@pytest.mark.parametrize(
    "on", ["gateway", "account:hive", "device:1001", "device:hive/1001", "contact:boop/alice"]
)
def test_each_target_has_a_name(on: str) -> None:
    done("budget", "add", "--on", on, "--limit", "1.5 units", "--per", "trip")
    [row] = json.loads(done("budget", "list", "--json"))
    assert row["on"] == on.replace("device:1001", "device:hive/1001")
    assert "1.5 units left" in done("budget", "reset", str(row["number"]))


@pytest.mark.parametrize(
    "words",
    [
        ("add", "--on", "subscriber:nobody", "--limit", "5 units"),
        ("add", "--on", "boop", "--limit", "5 units"),
        ("add", "--on", "gateway", "--limit", "5"),
        ("add", "--on", "gateway", "--limit", "5 units", "--reserve", "120%"),
        ("add", "--on", "subscriber:boop", "--limit", "9 units"),
        ("change", "99", "--limit", "5 units"),
    ],
)
def test_wrong_budgets_are_refused_in_one_sentence(words: tuple[str, ...]) -> None:
    done("budget", "add", "--on", "subscriber:boop", "--limit", "8 units")
    outcome = run("budget", *words)
    assert isinstance(outcome.exception, InvalidInput), outcome.output
    assert len(json.loads(done("budget", "list", "--json"))) == 1


def test_tariffs_are_set_listed_and_removed() -> None:
    assert done("tariff", "set", "hive", "0.12 EUR", "--free", "10") == (
        "a unit by hive costs 0.12 EUR\n"
    )
    done("tariff", "set", "hive", "0.15 EUR")
    [row] = json.loads(done("tariff", "list", "--json"))
    assert row == {"account": "hive", "price": "0.15", "currency": "EUR", "free_units": 0}
    assert "0.15 EUR" in done("tariff", "list")
    done("tariff", "remove", "hive")
    assert isinstance(run("tariff", "remove", "hive").exception, InvalidInput)


def test_costs_are_printed_as_csv() -> None:
    [head] = csv.reader(io.StringIO(done("costs", "--month", "2026-11", "--by", "device", "--csv")))
    assert head == ["month", "device", "deliveries", "units", "cost", "currency"]
    assert isinstance(run("costs", "--month", "november").exception, InvalidInput)


def test_a_bill_is_read_from_a_file(tmp_path: Path) -> None:
    bill = tmp_path / "bill.csv"
    bill.write_text("sid,segments\nSM1,2\n")
    columns = ("--id-column", "sid", "--units-column", "segments")
    words = ("costs", "reconcile", str(bill), "--account", "twilio", *columns)
    assert json.loads(done(*words, "--json")) == [
        {"network_id": "SM1", "message_id": None, "billed": "2", "stored": None}
    ]
    assert "SM1" in done(*words)
