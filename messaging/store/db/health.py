"""Says in one sentence why the store cannot be used, for `check`, `status` and the readiness probe."""

from datetime import UTC, datetime

from django.db import connection, transaction
from django.db.migrations.executor import MigrationExecutor

from messaging.errors import Unavailable
from messaging.store.db.connection import close_connection, store_errors
from messaging.store.db.errors import describe
from messaging.store.models import OptOut

NOT_MIGRATED = "the database is not up to date (satbridge manage migrate)"


def store_problem() -> str | None:
    """Return why the store is unreachable, not migrated or unwritable, in one plain sentence; None when all is well.

    Never quotes the URL of the database. Takes as long as the time-outs of the settings at most.
    """
    try:
        with store_errors():
            return _not_migrated() or _unwritable()
    except Unavailable as error:
        return describe(error.__cause__ or error)


def write_problem() -> str | None:
    """Return why nothing can be written now, in one plain sentence; None when it can. Cheap enough to be polled."""
    try:
        with store_errors():
            return _unwritable()
    except Unavailable as error:
        return describe(error.__cause__ or error)
    finally:
        close_connection()


def _not_migrated() -> str | None:
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return NOT_MIGRATED if plan else None


def _unwritable() -> str | None:
    # Takes the write lock and changes nothing: a read-only file, server or disk says so here.
    with transaction.atomic():
        OptOut.objects.filter(pk=0).update(since=datetime.now(UTC))
    return None
