"""Opens the store (Django's database), renews broken connections, translates database errors, and retries batches."""

import logging
import sqlite3
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from functools import wraps
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import django
from django.conf import settings as django_settings
from django.core.management import call_command
from django.db import DEFAULT_DB_ALIAS, Error, connection, connections, transaction

from messaging.config.settings import Settings
from messaging.errors import ConfigurationError, GatewayError
from messaging.store.db.django_settings import APPS, SQLITE, constant_values, read_only, values_of
from messaging.store.db.encryption import use_keys
from messaging.store.db.errors import Conflict, StoreAway, describe, translate

log = logging.getLogger(__name__)

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")

MIGRATION_LOCK = 0x5A7B21D6E
MIGRATION_SECONDS = 300

CONFLICT_TRIES = 3
"""Two transactions that race for one id block each other once; the loser sees the winner's rows at the next try."""


def set_up_django(apps: Sequence[str] = APPS) -> None:
    """Configure Django in this process, so that models can be imported. Only the first call sets the apps."""
    if not django_settings.configured:
        # Another thread may configure Django first.
        with suppress(RuntimeError):
            django_settings.configure(**constant_values(apps))
    django.setup()


def open_store(
    settings: Settings, apps: Sequence[str] = APPS, *, is_read_only: bool = False
) -> None:
    """Make this process use the store of `settings`; cheap when it does already.

    Creates the folder of a SQLite file, unless `is_read_only`. Does not connect yet. Raises ConfigurationError.
    """
    values = values_of(settings)
    description = values.pop("DATABASES")[DEFAULT_DB_ALIAS]
    if is_read_only:
        description = read_only(description)
    else:
        _make_parent_folder(description)
    set_up_django(apps)
    use_keys(settings.store_key.get_secret_value() if settings.store_key else None)
    for name, value in values.items():
        setattr(django_settings, name, value)
    use_store(description)


def use_store(description: dict[str, Any]) -> None:
    """Make Django use the database of `description`, which `django_settings.database` returns.

    A thread with a connection to another database drops it when it next enters `store_errors`.
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
    """Translate every database error inside into one of ours (`errors.translate`).

    Closes a connection that failed, and renews one that broke while it was idle: after a restart of the server the
    store is used again at once.
    """
    try:
        if not connection.in_atomic_block:
            _drop_foreign_connection()
            if connection.connection is not None and not connection.is_usable():
                close_connection()
        yield
    except Error as error:
        ours = translate(error)
        if isinstance(ours, StoreAway):
            close_connection()
        raise ours from error


def guard(function: Callable[P, T]) -> Callable[P, T]:
    """Run the whole of `function` inside `store_errors`."""

    @wraps(function)
    def inside(*args: P.args, **kwargs: P.kwargs) -> T:
        with store_errors():
            return function(*args, **kwargs)

    return inside


def one_transaction(function: Callable[P, T]) -> Callable[P, T]:
    """Run the whole of `function` in one transaction inside `store_errors`; repeat it when it lost a race for rows.

    Within a transaction of the caller it joins that one, and raises `Conflict` at once.
    """

    @wraps(function)
    def inside(*args: P.args, **kwargs: P.kwargs) -> T:
        tries = 1 if connection.in_atomic_block else CONFLICT_TRIES
        while True:
            tries -= 1
            try:
                with store_errors(), transaction.atomic():
                    return function(*args, **kwargs)
            except Conflict:
                if not tries:
                    raise

    return inside


class BatchRunner:
    """Gives every record of a batch a result of its own: the result of the work, or one of our errors.

    The work must be one transaction and harmless to repeat. While the store is away every record is refused and none
    is tried alone; the log says so once, and once when the store is back.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._is_away = False

    def run(
        self, work: Callable[[Sequence[R]], Sequence[T]], records: Sequence[R]
    ) -> list[T | GatewayError]:
        """Return one result per record, in their order. Never raises."""
        tries = 0
        while True:
            tries += 1
            try:
                with store_errors():
                    results = work(records)
            except StoreAway as error:
                if not self._is_away:
                    reason = describe(error.__cause__ or error)
                    log.error("%s: the store is away: %s", self._name, reason)
                self._is_away = True
                return [StoreAway() for _ in records]
            except Exception as error:
                if isinstance(error, Conflict) and tries < CONFLICT_TRIES:
                    log.info("%s: lost a race for the same rows, trying again", self._name)
                    continue
                if len(records) == 1:
                    return [self._log_failure(error, records[0])]
                return self._run_one_by_one(work, records)
            if self._is_away:
                self._is_away = False
                log.warning("%s: the store is back", self._name)
            return list(results)

    def run_one(self, work: Callable[[], T]) -> T | GatewayError:
        """Run work that has no records; return its result, or our error."""
        return self.run(lambda _: [work()], [None])[0]

    def _run_one_by_one(
        self, work: Callable[[Sequence[R]], Sequence[T]], records: Sequence[R]
    ) -> list[T | GatewayError]:
        results: list[T | GatewayError] = []
        for record in records:
            if results and isinstance(results[-1], StoreAway):
                results.append(StoreAway())
            else:
                results.extend(self.run(work, [record]))
        return results

    def _log_failure(self, error: Exception, record: object) -> GatewayError:
        cause = error.__cause__ or error
        # Only the place, never the message: the text of a foreign exception may quote a body.
        frames = traceback.extract_tb(cause.__traceback__)[-3:]
        log.error(
            "%s: one record failed with %s at %s",
            self._name,
            type(cause).__name__,
            " < ".join(f"{frame.name}:{frame.lineno}" for frame in reversed(frames)),
            extra={"message_id": getattr(record, "id", getattr(record, "message_id", ""))},
        )
        return translate(error)


@guard
def migrate_store() -> None:
    """Bring an empty or older database up to date. One process at a time migrates, others wait.

    Raises Unavailable when the store is away.
    """
    one_at_a_time = _postgresql_lock if connection.vendor == "postgresql" else _sqlite_lock
    with one_at_a_time():
        if connection.vendor == "sqlite" and not connection.introspection.table_names():
            # Lets free pages be given back. Takes no time in an empty file: an older one needs `satbridge compact`.
            with connection.cursor() as cursor:
                cursor.execute("PRAGMA auto_vacuum = INCREMENTAL")
                cursor.execute("VACUUM")
        call_command("migrate", interactive=False, verbosity=0)


@contextmanager
def _postgresql_lock() -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0; SET lock_timeout = 0")
        cursor.execute("SELECT pg_advisory_lock(%s)", [MIGRATION_LOCK])
    try:
        yield
    finally:
        # Ends the lock and the changed limits together.
        close_connection()


@contextmanager
def _sqlite_lock() -> Iterator[None]:
    # A lock on the database file would block the migrations too. This lock ends with the process at the latest.
    beside = f"{connection.settings_dict['NAME']}.migrating"
    try:
        with closing(sqlite3.connect(beside, timeout=MIGRATION_SECONDS)) as lock:
            lock.execute("BEGIN EXCLUSIVE")
            yield
    except sqlite3.Error as error:
        raise StoreAway() from error
