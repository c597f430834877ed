"""Stores in SQL: a SQLite file for each worker of one machine, or the deployment's database for a cluster."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import uuid4

from messaging.streaming.stateful.state.store_protocol import Changes, Name, Store, StoreFailed

_CREATE = """CREATE TABLE IF NOT EXISTS streaming_kept (
    worker TEXT NOT NULL, kind TEXT NOT NULL, name {bytes} NOT NULL, value {bytes} NOT NULL,
    PRIMARY KEY (worker, kind, name))"""
_LOAD = (
    "SELECT kind, name, value FROM streaming_kept WHERE worker = {p} AND kind <> 'life'"
    " ORDER BY kind, name"
)
_CLAIM = (
    "UPDATE streaming_kept SET value = value WHERE worker = {p} AND kind = 'life' AND value = {p}"
)
_PUT = (
    "INSERT INTO streaming_kept (worker, kind, name, value) VALUES ({p}, {p}, {p}, {p})"
    " ON CONFLICT (worker, kind, name) DO UPDATE SET value = excluded.value"
)
_REMOVE = "DELETE FROM streaming_kept WHERE worker = {p} AND kind = {p} AND name = {p}"


class SqlStore:
    """The rows of one worker in the table `streaming_kept`, over any DB-API connection that knows ON CONFLICT.

    `load` takes over: an older process of the same worker, cut off but not dead, can write no more until it has
    loaded the changes of the newer one. A row of the kind `life` names the process that may write.
    """

    def __init__(
        self,
        connect: Callable[[], Any],
        worker: str,
        mark: str,
        errors: type[Exception],
        bytes_type: str,
    ) -> None:
        self._connect = connect
        self._worker = worker
        self._errors = errors
        self._create = _CREATE.format(bytes=bytes_type)
        self._load, self._put, self._remove, self._claim = (
            sql.format(p=mark) for sql in (_LOAD, _PUT, _REMOVE, _CLAIM)
        )
        self._token = uuid4().bytes
        self._connection: Any = None

    def load(self) -> Iterable[tuple[Name, bytes]]:
        """See Store."""
        with self._cursor() as cursor:
            cursor.execute(self._put, (self._worker, "life", b"", self._token))
            cursor.execute(self._load, (self._worker,))
            rows = cursor.fetchall()
        return [((kind, bytes(name)), bytes(value)) for kind, name, value in rows]

    def write(self, changes: Changes) -> None:
        """See Store."""
        puts = [(self._worker, k, n, v) for (k, n), v in changes.items() if v is not None]
        removals = [(self._worker, k, n) for (k, n), v in changes.items() if v is None]
        with self._cursor() as cursor:
            cursor.execute(self._claim, (self._worker, self._token))
            if cursor.rowcount != 1:
                raise StoreFailed("another process of this worker has taken over")
            if puts:
                cursor.executemany(self._put, puts)
            if removals:
                cursor.executemany(self._remove, removals)

    def close(self) -> None:
        """See Store."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    @contextmanager
    def _cursor(self) -> Iterator[Any]:
        """A transaction. After a failure the next one begins on a new connection."""
        try:
            if self._connection is None:
                self._connection = self._connect()
                self._connection.cursor().execute(self._create)
            cursor = self._connection.cursor()
            yield cursor
            self._connection.commit()
        except self._errors as error:
            self._disconnect()
            raise StoreFailed(type(error).__name__) from None
        except StoreFailed:
            self._disconnect()
            raise

    def _disconnect(self) -> None:
        try:
            self.close()
        except self._errors:
            self._connection = None


def sqlite_store(place: str, job: str, worker: str) -> Store:
    """Return the store in a folder, which `?synchronous=off` may follow."""
    folder, _, query = place.partition("?")
    synchronous = "OFF" if query == "synchronous=off" else "FULL"
    path = Path(folder) / quote(job, safe="") / f"{quote(worker, safe='')}.sqlite3"

    def connect() -> sqlite3.Connection:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise sqlite3.OperationalError(str(error)) from None
        connection = sqlite3.connect(path, timeout=10, check_same_thread=False)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute(f"PRAGMA synchronous = {synchronous}")
        return connection

    return SqlStore(connect, worker, "?", sqlite3.Error, "BLOB")


def postgres_store(url: str, worker: str) -> Store:
    """Return the store in a database."""
    import psycopg  # an optional dependency

    return SqlStore(lambda: psycopg.connect(url), worker, "%s", psycopg.Error, "BYTEA")
