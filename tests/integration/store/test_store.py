"""The store goes away and comes back, and the gateway says so and goes on without a restart."""

import sqlite3
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection

from messaging.config.settings import Settings
from messaging.errors import ConfigurationError, Unavailable
from messaging.model.message import Outcome
from messaging.store.accept.router import Router
from messaging.store.console import directory, queues
from messaging.store.db.connection import close_connection, migrate_store, open_store, store_errors
from messaging.store.db.health import NOT_MIGRATED, store_problem
from messaging.store.models import Subscriber
from tests.support.store import records as g
from tests.support.store.fixtures import settings_for
from tests.support.store.records import Gateway


def test_a_job_of_a_user_can_be_imported_before_django_is_configured() -> None:
    modules = ("db.connection", "message_log")
    imports = "; ".join(f"import messaging.store.{module}" for module in modules)
    code = f"{imports}; import django.conf as c; assert not c.settings.configured"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_the_migrations_are_complete(settings: Settings) -> None:
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


def test_the_store_is_as_durable_as_promised(sqlite_settings: Settings) -> None:
    with store_errors(), connection.cursor() as cursor:
        found = {
            name: cursor.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    assert found == {
        "journal_mode": "wal",
        "synchronous": 2,
        "foreign_keys": 1,
        "busy_timeout": 5000,
    }


def test_migrating_twice_at_once_is_harmless(url: str, tmp_path: Path) -> None:
    fresh = url if url.startswith("postgres") else f"sqlite:///{tmp_path / 'fresh.sqlite3'}"
    open_store(settings_for(fresh, tmp_path))
    failures: list[BaseException] = []

    def migrate() -> None:
        try:
            migrate_store()
        except BaseException as error:
            failures.append(error)
        finally:
            close_connection()

    threads = [threading.Thread(target=migrate) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failures == []
    assert store_problem() is None
    close_connection()


def test_all_is_well(gateway: Gateway) -> None:
    assert store_problem() is None


def test_a_store_that_was_never_migrated_says_so_and_refuses(tmp_path: Path) -> None:
    settings = settings_for(f"sqlite:///{tmp_path / 'empty.sqlite3'}", tmp_path)
    gateway_router = Router(settings, g.VIAS)
    assert store_problem() == NOT_MIGRATED
    [refused] = gateway_router.process([g.mail()])
    assert isinstance(refused, Unavailable)
    close_connection()


def test_a_file_that_cannot_be_a_database_says_so(tmp_path: Path) -> None:
    path = tmp_path / "text.sqlite3"
    path.write_text("this is not a database, " * 100)
    open_store(settings_for(f"sqlite:///{path}", tmp_path))
    assert store_problem() == "the database file is not a SQLite database"
    close_connection()


def test_an_unreachable_server_says_so_without_the_password(tmp_path: Path) -> None:
    url = f"postgresql://user:secret@/db?host={tmp_path}"
    open_store(settings_for(url, tmp_path))
    problem = store_problem()
    assert problem == "nothing listens at the address of the database"


def test_a_missing_database_and_a_wrong_password_are_told_apart(
    postgres_url: str, tmp_path: Path
) -> None:
    open_store(settings_for(postgres_url.replace("/postgres?", "/nothere?"), tmp_path))
    assert store_problem() == "the server has no database of that name"


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SATBRIDGE_STORE_BUSY_SECONDS", "0.2")


def test_a_locked_file_is_refused_and_taken_when_it_is_free(
    impatient: None, sqlite_gateway: Gateway, caplog: pytest.LogCaptureFixture
) -> None:
    with store_errors():
        path = connection.settings_dict["NAME"]
    other = sqlite3.connect(path, isolation_level=None)
    try:
        other.execute("BEGIN IMMEDIATE")
        for _ in range(2):
            assert isinstance(sqlite_gateway.router.process([g.mail()])[0], Unavailable)
        assert store_problem() == "the database file is locked by another process"
    finally:
        other.close()
    assert sqlite_gateway.take_one()
    said = [r.message for r in caplog.records if r.name == "messaging.store.db.connection"]
    assert said == [
        "router: the store is away: the database file is locked by another process",
        "router: the store is back",
    ]


def test_a_full_disk_is_refused_and_taken_when_there_is_room(sqlite_gateway: Gateway) -> None:
    with store_errors(), connection.cursor() as cursor:
        cursor.execute("VACUUM")
        pages = cursor.execute("PRAGMA page_count").fetchone()[0]
        cursor.execute(f"PRAGMA max_page_count = {pages}")
    records = [g.mail("big", text="x" * 900_000), g.mail("small")]
    results = sqlite_gateway.router.process(records)
    assert [type(result).__mro__[1] for result in results] == [Unavailable, Unavailable]
    # The connection was closed, and with it went the limit.
    assert all(isinstance(one, list) for one in sqlite_gateway.router.process(records))


@pytest.mark.postgres
def test_a_stopped_server_is_refused_and_used_again_without_a_restart(
    postgres_gateway: Gateway, postgres_server: Any
) -> None:
    gateway = postgres_gateway
    delivery = gateway.take_one()
    postgres_server.stop()
    try:
        results = gateway.router.process([g.mail("a"), g.inquiry(), g.stranded()])
        assert all(isinstance(result, Unavailable) for result in results)
        assert {result.reason for result in results if isinstance(result, Unavailable)} == {
            "the store is away"
        }
        assert isinstance(gateway.ledger.process([Outcome.sent(delivery)])[0], Unavailable)
        assert gateway.owed() == []
        gateway.router.take_back([delivery])
        with pytest.raises(Unavailable):
            directory.list_subscribers()
        assert store_problem() == "nothing listens at the address of the database"
    finally:
        postgres_server.start()
    # Its provider had no room within the last second, unless the server took longer to start.
    [again] = gateway.take(g.mail("a")) or gateway.owed()
    assert again.id != delivery.id
    gateway.settle(delivery)
    assert queues.counts(gateway.clock.now)[0].states == {"sent": 1, "waiting": 1}


@pytest.mark.postgres
def test_a_restart_between_two_batches_is_not_even_noticed(
    postgres_gateway: Gateway, postgres_server: Any
) -> None:
    postgres_gateway.take_one(g.mail("a"))
    postgres_server.stop()
    postgres_server.start()
    postgres_gateway.take_one(g.mail("b"))


def test_a_thread_that_holds_another_store_changes_over(
    sqlite_settings: Settings, tmp_path: Path
) -> None:
    directory.add_subscriber("first")
    open_store(settings_for(f"sqlite:///{tmp_path / 'second.sqlite3'}", tmp_path))
    migrate_store()
    assert directory.list_subscribers() == []
    close_connection()
    open_store(sqlite_settings)
    assert [row.name for row in directory.list_subscribers()] == ["first"]
    assert Subscriber.objects.count() == 1


@pytest.mark.parametrize(
    "url", ["mysql://a:geheim@b/c", "nonsense", "sqlite://", "sqlite://:memory:", "postgres://[/x"]
)
def test_a_wrong_url_names_its_setting_and_not_itself(url: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="SATBRIDGE_DATABASE_URL") as caught:
        open_store(settings_for(url, tmp_path))
    assert "geheim" not in str(caught.value)


def test_a_folder_that_cannot_be_made_names_its_setting(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigurationError, match="SATBRIDGE_DATABASE_URL: cannot make the folder"):
        open_store(settings_for(f"sqlite:///{tmp_path}/file/x/y.sqlite3", tmp_path))
