"""Commands in a folder without a store say so, make none, and name the place that they looked at."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from messaging.cli.app import app
from messaging.config.settings import Settings
from messaging.errors import ConfigurationError
from messaging.store.db.connection import close_connection, open_store
from messaging.store.models import Subscriber


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Point the environment at a store that does not exist; return its path."""
    path = tmp_path / "data" / "store.sqlite3"
    monkeypatch.setenv("SATBRIDGE_DATABASE_URL", f"sqlite:///{path}")
    monkeypatch.setenv("SATBRIDGE_STATE_DIR", str(tmp_path / "state"))
    return path


def run(*words: str) -> Result:
    return CliRunner().invoke(app, list(words))


@pytest.mark.parametrize(
    "words",
    [
        ("users", "list"),
        ("users", "change", "anna", "--inactive"),
        ("users", "contacts", "list"),
        ("devices", "list"),
        ("devices", "add", "1001", "--owner=anna", "--network=hive"),
        ("messages", "list"),
        ("messages", "retry", "--state=failed", "--yes"),
        ("compact", "--yes"),
        ("manage", "createsuperuser"),
    ],
    ids=" ".join,
)
def test_other_commands_make_no_database_and_name_the_place(
    words: tuple[str, ...], store: Path
) -> None:
    outcome = run(*words)
    assert isinstance(outcome.exception, ConfigurationError)
    assert f"there is no database at {store}" in str(outcome.exception)
    assert not store.parent.exists()


def test_status_says_where_it_looked(store: Path, tmp_path: Path) -> None:
    outcome = run("status")
    assert outcome.exit_code == 1
    assert f"not running (SATBRIDGE_STATE_DIR is {tmp_path / 'state'})" in outcome.stdout
    assert f"there is no database at {store}" in outcome.stdout
    found = json.loads(run("status", "--json").stdout)
    assert found == {"running": None, "queues": [], "emergencies": [], "without_mailbox": []}
    assert not store.parent.exists()


def test_check_makes_no_database(store: Path) -> None:
    rows = {row["part"]: row for row in json.loads(run("check", "--json").stdout)}
    assert rows["store"]["ok"] is True
    assert str(store) in rows["store"]["said"]
    assert not store.parent.exists()


def test_the_first_subscriber_makes_the_database_and_names_it_once(store: Path) -> None:
    note = f"satbridge: makes a new database, {store}\n"
    assert note in run("users", "add", "anna").stderr
    assert "database" not in run("users", "add", "bert").stderr
    close_connection()


def test_a_read_only_copy_can_be_listed(store_settings: Settings, tmp_path: Path) -> None:
    open_store(store_settings)
    Subscriber.objects.create(name="anna")
    close_connection()
    (file,) = tmp_path.glob("*.sqlite3")
    before = file.stat()
    open_store(store_settings, is_read_only=True)
    assert list(Subscriber.objects.values_list("name", flat=True)) == ["anna"]
    close_connection()
    assert list(tmp_path.glob("*.sqlite3*")) == [file]
    assert file.stat().st_mtime_ns == before.st_mtime_ns
    open_store(store_settings)


@pytest.mark.parametrize(
    "words",
    [
        ("messages", "list", "--user=nobody"),
        ("messages", "list", "--via=bogus"),
        ("messages", "list", "--device=4711"),
        ("messages", "cancel", "--user=nobody", "--yes"),
        ("messages", "retry", "--via=bogus", "--yes"),
        ("devices", "list", "--owner=nobody"),
        ("devices", "positions", "--owner=nobody"),
        ("devices", "positions", "4711"),
        ("users", "contacts", "list", "nobody"),
    ],
    ids=" ".join,
)
def test_a_filter_that_names_nothing_is_an_error(
    words: tuple[str, ...], store_settings: Settings
) -> None:
    outcome = run(*words)
    assert isinstance(outcome.exception, ConfigurationError)
    assert "there is no " in str(outcome.exception)


def test_an_account_that_has_sent_nothing_yet_is_known(store_settings: Settings) -> None:
    assert run("messages", "list", "--via=rockblock").exit_code == 0


def test_an_unknown_codec_is_answered_with_the_known_ones(store_settings: Settings) -> None:
    run("users", "add", "anna")
    words = ("devices", "add", "1001", "--owner=anna", "--network=hive", "--codec=txt")
    assert str(run(*words).exception) == (
        "codec: 'txt' is not known; it can be protobuf, text, or empty"
    )
