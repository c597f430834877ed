"""Restores a backup into the store of a gateway that does not run."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from django.db.models import Count, Max

from messaging.config.settings import Settings
from messaging.errors import ConfigurationError, Unavailable
from messaging.store.audit.record import Action, record
from messaging.store.backup import postgresql, sqlite_file
from messaging.store.backup.backup import replaced_whole
from messaging.store.db.connection import close_connection, guard, open_store, store_errors
from messaging.store.db.django_settings import database
from messaging.store.db.health import open_ready_store
from messaging.store.models import WAITING, Delivery, Message, Subscriber


@dataclass(frozen=True, slots=True)
class RestoreReport:
    """The content of a restored store: `waiting` counts the deliveries that will be sent again, by account."""

    messages: int
    subscribers: int
    newest: datetime | None
    waiting: Mapping[str, int]


def restore(settings: Settings, source: Path, *, force: bool = False) -> RestoreReport:
    """Replace the store by a backup of the same kind; a store that has content only with `force`.

    Raises ConfigurationError when the source is no whole backup, when the store is in use or has content, and
    Unavailable when the store cannot be written. The store then is as it was.
    """
    if not source.is_file():
        raise ConfigurationError(f"{source}: there is no such file")
    if settings.uses_sqlite:
        _restore_file(settings, source, force)
    else:
        open_store(settings)
        postgresql.verify(source)
        with store_errors():
            postgresql.claim()
        _refuse_content(settings, force)
        postgresql.load(settings.database_url.get_secret_value(), source)
    open_ready_store(settings)
    with store_errors():
        record(Action.RESTORE, "store")
    return _report()


def _restore_file(settings: Settings, source: Path, force: bool) -> None:
    sqlite_file.verify(source)
    file = Path(database(settings)["NAME"])
    open_store(settings)  # makes the folder
    if file.exists():
        sqlite_file.claim(file)
        _refuse_content(settings, force)
    with replaced_whole(file) as draft:
        sqlite_file.copy(source, draft)
        sqlite_file.verify(draft)
        for beside in ("-wal", "-shm"):  # of a store that was damaged
            file.with_name(file.name + beside).unlink(missing_ok=True)


def _refuse_content(settings: Settings, force: bool) -> None:
    if force:
        return
    try:
        messages, subscribers = _contents()
    except Unavailable:
        return  # empty, or too damaged to be read
    finally:
        close_connection()
    if messages or subscribers:
        raise ConfigurationError(
            f"the store has {messages} messages and {subscribers} subscribers, which would be lost;"
            " --force replaces them"
        )


@guard
def _contents() -> tuple[int, int]:
    return Message.objects.count(), Subscriber.objects.count()


@guard
def _report() -> RestoreReport:
    messages, subscribers = _contents()
    waiting = Delivery.objects.filter(WAITING).order_by("via").values_list("via")
    return RestoreReport(
        messages=messages,
        subscribers=subscribers,
        newest=Message.objects.aggregate(newest=Max("created_at"))["newest"],
        waiting=dict(waiting.annotate(number=Count("id"))),
    )
