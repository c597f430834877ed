"""Opens the store (Django's database), keeps its connections healthy, and guards its edge."""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from functools import wraps
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import django
from django.conf import settings as django_settings
from django.core.management import call_command
from django.db import DEFAULT_DB_ALIAS, Error, connection, connections

from messaging.config.settings import Settings
from messaging.errors import ConfigurationError
from messaging.store.db.django_settings import APPS, SQLITE, constant_values, values_of
from messaging.store.db.errors import StoreAway, translate

P = ParamSpec("P")
T = TypeVar("T")

MIGRATION_LOCK = 0x5A7B21D6E
MIGRATION_SECONDS = 300


def set_up_django(apps: Sequence[str] = APPS) -> None:
    """Make models importable in this process. Names no database yet. The apps of the first call are the process's."""
    if not django_settings.configured:
        # Another thread may have been faster.
        with suppress(RuntimeError):
            django_settings.configure(**constant_values(apps))
    django.setup()


def open_store(settings: Settings, apps: Sequence[str] = APPS) -> None:
    """Make this process use the store of `settings`; cheap and harmless when it does already.

    Makes the folder of a SQLite file. Connects to nothing yet. Raises ConfigurationError.
    """
    values = values_of(settings)
    description = values.pop("DATABASES")[DEFAULT_DB_ALIAS]
    _make_parent_folder(description)
    set_up_django(apps)
    for name, value in values.items():
        setattr(django_settings, name, value)
    use_store(description)


def use_store(description: dict[str, Any]) -> None:
    """Point Django at the database that `description` (from `project.database`) names.

    A thread that still holds a connection to another one drops it when it next enters `guarded`.
    """
    current = connections.settings.get(DEFAULT_DB_ALIAS, {})
    if {**current, **description} == current:
        return
    complete = connections.configure_settings({DEFAULT_DB_ALIAS: description})
    connections.settings[DEFAULT_DB_ALIAS] = complete[DEFAULT_DB_ALIAS]
    _drop_foreign_connection()


def _make_parent_folder(description: dict[str, Any]) -> None:
    if description["ENGINE"] != SQLITE:
        return
    folder = Path(description["NAME"]).parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigurationError(
            f"SATBRIDGE_DATABASE_URL: cannot make the folder {folder}: {error.strerror}"
        ) from error


def _drop_foreign_connection() -> None:
    wrapper = connections[DEFAULT_DB_ALIAS]
    if wrapper.settings_dict is not connections.settings[DEFAULT_DB_ALIAS]:
        if wrapper.connection is not None:  # an event loop may not close one, even if there is none
            wrapper.close()
        del connections[DEFAULT_DB_ALIAS]


def close_connection() -> None:
    """Close this thread's connection; the next statement opens a new one."""
    with suppress(Error):
        connection.close()


@contextmanager
def store_errors() -> Iterator[None]:
    """The edge of the store: every database error inside leaves as one of ours (`store_errors.translated`).

    A connection that failed is closed, and one that broke while it was idle (the server was restarted) is
    replaced before anything is asked of it: so the store is used again as soon as it is back.
    """
    try:
        _renew_broken_connection()
        yield
    except Error as error:
        ours = translate(error)
        if isinstance(ours, StoreAway):
            close_connection()
        raise ours from error


def _renew_broken_connection() -> None:
    if connection.in_atomic_block:
        return
    _drop_foreign_connection()
    if connection.connection is not None and not connection.is_usable():
        close_connection()


def guard(function: Callable[P, T]) -> Callable[P, T]:
    """Run the whole of `function` inside `guarded`."""

    @wraps(function)
    def inside(*args: P.args, **kwargs: P.kwargs) -> T:
        with store_errors():
            return function(*args, **kwargs)

    return inside


@guard
def migrate_store() -> None:
    """Bring an empty or older database up to date. Safe when several processes do it at once: one does, others wait.

    Raises Unavailable when the store is away.
    """
    one_at_a_time = _postgresql_lock if connection.vendor == "postgresql" else _sqlite_lock
    with one_at_a_time():
        call_command("migrate", interactive=False, verbosity=0)


@contextmanager
def _postgresql_lock() -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0; SET lock_timeout = 0")
        cursor.execute("SELECT pg_advisory_lock(%s)", [MIGRATION_LOCK])
    try:
        yield
    finally:
        # Ends the lock and the lifted limits together.
        close_connection()


@contextmanager
def _sqlite_lock() -> Iterator[None]:
    # A lock on the file itself would keep the migrations out too; this one ends with the process at the latest.
    beside = f"{connection.settings_dict['NAME']}.migrating"
    try:
        with closing(sqlite3.connect(beside, timeout=MIGRATION_SECONDS)) as lock:
            lock.execute("BEGIN EXCLUSIVE")
            yield
    except sqlite3.Error as error:
        raise StoreAway() from error
