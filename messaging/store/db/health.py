"""Checks whether the store can be used, and opens it ready for use. Problems are plain sentences."""

from django.db import connection, transaction
from django.db.migrations.executor import MigrationExecutor

from messaging.config.settings import Settings
from messaging.errors import ConfigurationError, Unavailable
from messaging.store.db.connection import (
    close_connection,
    migrate_store,
    open_store,
    store_errors,
)
from messaging.store.db.errors import describe

NOT_MIGRATED = "the database is not up to date (satbridge manage migrate)"


def open_ready_store(settings: Settings) -> None:
    """Open the store; migrate it too unless `settings.migrate` is false.

    Raises ConfigurationError when it cannot be used.
    """
    open_store(settings)
    problem = store_problem()
    if problem == NOT_MIGRATED and settings.migrate:
        migrate_store()
        problem = store_problem()
    if problem:
        raise ConfigurationError(f"SATBRIDGE_DATABASE_URL: {problem}")


def store_problem() -> str | None:
    """Return why the store is unreachable, not migrated or unwritable; None when it can be used.

    Never quotes the URL of the database. Takes at most the time-outs of the settings.
    """
    try:
        with store_errors():
            executor = MigrationExecutor(connection)
            if executor.migration_plan(executor.loader.graph.leaf_nodes()):
                return NOT_MIGRATED
            _write_nothing()
    except Unavailable as error:
        return describe(error.__cause__ or error)
    return None


def write_problem() -> str | None:
    """Return why the store takes no writes now; None when it does. Cheap enough for a readiness probe."""
    try:
        with store_errors():
            _write_nothing()
    except Unavailable as error:
        return describe(error.__cause__ or error)
    finally:
        close_connection()
    return None


def _write_nothing() -> None:
    # Takes the write lock and changes nothing: fails on a read-only file, server or disk.
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE users_optout SET since = since WHERE id = 0")
