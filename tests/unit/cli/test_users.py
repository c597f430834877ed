"""The commands about people: their contacts, and how their devices write."""

import json

import pytest
from typer.testing import CliRunner, Result

from messaging.cli.app import app
from messaging.config.settings import Settings
from messaging.store.console.save import InvalidInput


@pytest.fixture(autouse=True)
def store(store_settings: Settings) -> None:
    done("users", "add", "boop")


def run(*words: str) -> Result:
    return CliRunner().invoke(app, list(words))


def done(*words: str) -> str:
    outcome = run(*words)
    assert outcome.exit_code == 0, outcome.output
    return outcome.stdout


def test_contacts_are_added_listed_changed_and_removed() -> None:
    told = done("users", "contacts", "add", "boop", "Alice", "alice@example.org", "--emergency")
    assert told == "boop can now write to @alice, alice@example.org\n"
    done("users", "contacts", "change", "boop", "alice", "--no-emergency")
    [row] = json.loads(done("users", "contacts", "list", "boop", "--json"))
    assert row == {
        "owner": "boop",
        "name": "alice",
        "address": "alice@example.org",
        "is_emergency": False,
    }
    assert "alice@example.org" in done("users", "contacts", "list")
    done("users", "contacts", "remove", "boop", "alice")
    assert json.loads(done("users", "contacts", "list", "--json")) == []


def test_what_cannot_be_a_contact_is_refused() -> None:
    outcome = run("users", "contacts", "add", "boop", "alice", "12345")
    assert isinstance(outcome.exception, InvalidInput)


def test_a_device_says_how_it_writes_and_whether_it_tells_its_place() -> None:
    done("devices", "add", "1001", "--owner=boop", "--network=hive", "--codec=text")
    done("devices", "change", "1001", "--no-position")
    [row] = json.loads(done("devices", "list", "--json"))
    assert (row["codec"], row["adds_position"]) == ("text", False)
    done("devices", "change", "1001", "--codec=", "--position")
    [row] = json.loads(done("devices", "list", "--json"))
    assert (row["codec"], row["adds_position"]) == ("", True)
    assert "codec" in done("devices", "list")
