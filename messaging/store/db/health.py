"""Checks whether the store can be used, and opens it ready for use. Problems are plain sentences."""

import os
from collections.abc import Callable
from datetime import datetime

from django.db import connection, transaction
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from messaging.config.settings import Settings
from messaging.errors import ConfigurationError, Unavailable
from messaging.store.db.connection import (
    close_connection,
    migrate_store,
    open_store,
    store_errors,
)
from messaging.store.db.errors import describe
from messaging.store.db.key_check import key_problem
from messaging.store.db.room import store_file, store_room_problem
from messaging.store.db.sql import storable_time

_WRITE = (
    "INSERT INTO users_task (name, holder, number, until) VALUES ('write check', '', 0, %s)"
    " ON CONFLICT (name) DO UPDATE SET until = excluded.until"
)
_NOW = "SELECT clock_timestamp()"
NOT_MIGRATED = "the database is not up to date (satbridge manage migrate)"


def open_ready_store(settings: Settings, *, only_reads: bool = False) -> bool:
    """Open the store; migrate it too unless `settings.migrate` is false. Returns whether it was migrated.

    With `only_reads` the store need not be writable. Raises ConfigurationError when it cannot be used.
    """
    file = store_file(settings)
    # SQLite writes files beside its own.
    is_read_only = (
        only_reads
        and file is not None
        and not (os.access(file, os.W_OK) and os.access(file.parent, os.W_OK))
    )
    open_store(settings, is_read_only=is_read_only)
    problem = store_problem(only_reads=only_reads)
    is_older = problem == NOT_MIGRATED and settings.migrate and not is_read_only
    if is_older:
        migrate_store()
        problem = store_problem()
    if problem:
        raise ConfigurationError(f"SATBRIDGE_DATABASE_URL: {problem}")
    if problem := key_problem(only_reads=only_reads):
        raise ConfigurationError(problem)
    return is_older


def store_problem(*, only_reads: bool = False) -> str | None:
    """Return why the store is unreachable, not migrated or unwritable; None when it can be used.

    With `only_reads` it may be unwritable. Never quotes the URL of the database. Takes at most the time-outs of the
    settings.
    """
    try:
        with store_errors():
            executor = MigrationExecutor(connection)
            if executor.migration_plan(executor.loader.graph.leaf_nodes()):
                return NOT_MIGRATED
            if not only_reads:
                # Takes the write lock and changes nothing: fails on a read-only file, server or disk.
                with transaction.atomic(), connection.cursor() as cursor:
                    cursor.execute("UPDATE users_optout SET since = since WHERE id = 0")
    except Unavailable as error:
        return describe(error.__cause__ or error)
    return None


def clock_difference(
    settings: Settings, now: Callable[[], datetime] = timezone.now
) -> float | None:
    """Return by how many seconds the clock of the database is ahead of this machine's; None for SQLite.

    Call it when the store is open. Raises Unavailable.
    """
    if settings.uses_sqlite:
        return None
    try:
        with store_errors(), connection.cursor() as cursor:
            cursor.execute("SELECT 1")  # connects
            before = now()
            cursor.execute(_NOW)
            [[moment]] = cursor.fetchall()
            after = now()
    finally:
        close_connection()
    found: datetime = moment
    return (found - (before + (after - before) / 2)).total_seconds()


def write_problem(settings: Settings) -> str | None:
    """Return why the store takes no new messages now; None when it does.

    Writes a row of its own: a full disk still gives the write lock. One commit, for a readiness probe and `check`.
    """
    if problem := store_room_problem(settings):
        return problem
    try:
        with store_errors(), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(_WRITE, [storable_time(timezone.now())])
    except Unavailable as error:
        return describe(error.__cause__ or error)
    finally:
        close_connection()
    return None
