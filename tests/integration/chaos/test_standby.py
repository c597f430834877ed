"""The PostgreSQL of the fault harness fails over to a standby, with and without the last commits."""

import threading
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg
import pytest

from chaos.standby import ReplicatedStore, replicated_store

pytestmark = pytest.mark.postgres


@pytest.fixture
def store() -> Iterator[ReplicatedStore]:
    # Not pytest's folder: the user of the server must come by, and the paths of sockets are short.
    with TemporaryDirectory(prefix="sbp-") as folder:
        Path(folder).chmod(0o755)
        with replicated_store(Path(folder)) as store:
            execute(store, "CREATE TABLE line (number INTEGER)")
            yield store


def execute(store: ReplicatedStore, statement: str) -> None:
    with psycopg.connect(store.url, autocommit=True) as connection:
        connection.execute(statement.encode())


def insert(store: ReplicatedStore, number: int) -> None:
    execute(store, f"INSERT INTO line VALUES ({number})")


def lines(store: ReplicatedStore) -> list[int]:
    with psycopg.connect(store.url) as connection:
        found = connection.execute("SELECT number FROM line ORDER BY number").fetchall()
    return [number for (number,) in found]


def test_asynchronous_replication_loses_what_was_committed_after_the_cut(
    store: ReplicatedStore,
) -> None:
    store.add_standby(synchronous=False)
    insert(store, 1)
    store.cut_off()
    insert(store, 2)
    assert lines(store) == [1, 2]
    assert store.fail_over() > 0
    assert lines(store) == [1]
    insert(store, 3)
    assert lines(store) == [1, 3]


def test_synchronous_replication_commits_nothing_after_the_cut(store: ReplicatedStore) -> None:
    store.add_standby(synchronous=True)
    insert(store, 1)
    store.cut_off()
    errors: list[psycopg.Error] = []
    committed = threading.Event()

    def commit() -> None:
        try:
            insert(store, 2)
            committed.set()
        except psycopg.Error as error:
            errors.append(error)

    thread = threading.Thread(target=commit)
    thread.start()
    assert not committed.wait(1)
    store.fail_over()
    thread.join(20)
    assert errors
    assert not committed.is_set()
    assert lines(store) == [1]


def test_a_store_that_failed_over_may_do_so_again_and_crash(store: ReplicatedStore) -> None:
    for number in (1, 2):
        store.add_standby(synchronous=number == 1)
        insert(store, number)
        store.cut_off()
        store.fail_over()
    store.crash()
    store.take_away()
    with pytest.raises(psycopg.OperationalError):
        insert(store, 3)
    store.give_back()
    assert lines(store) == [1, 2]
