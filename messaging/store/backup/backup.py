"""Writes backups of the store: whole or not at all, readable by the owner only, checked by opening them."""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from messaging.config.settings import Settings
from messaging.errors import ConfigurationError
from messaging.store.backup import postgresql, sqlite_file
from messaging.store.db.connection import close_connection, open_store
from messaging.store.db.django_settings import database

NAME = "satbridge-"
OWNER_ONLY = stat.S_IRUSR | stat.S_IWUSR


@dataclass(frozen=True, slots=True)
class BackupReport:
    """A backup that was written; `removed` are the older ones that it replaced in its folder."""

    path: str
    bytes: int
    removed: tuple[str, ...] = ()


def back_up(
    settings: Settings, target: Path, now: datetime, keep: int | None = None
) -> BackupReport:
    """Write a backup, while the gateway runs or not. An existing target is replaced once the new one was checked.

    For a folder the name has the date of `now`, and with `keep` only so many of its newest backups are kept. Raises
    ConfigurationError, and Unavailable when the store cannot be read.
    """
    suffix = sqlite_file.SUFFIX if settings.uses_sqlite else postgresql.SUFFIX
    folder = target if target.is_dir() else None
    if keep is not None and folder is None:
        raise ConfigurationError("--keep: needs a folder that exists as the target")
    path = folder / f"{NAME}{now:%Y-%m-%d}{suffix}" if folder else target
    with replaced_whole(path) as draft:
        if settings.uses_sqlite:
            sqlite_file.copy(existing_file(settings), draft)
            sqlite_file.verify(draft)
        else:
            open_store(settings)
            postgresql.dump(settings.database_url.get_secret_value(), draft)
            postgresql.verify(draft)
    removed = _remove_oldest(folder, suffix, keep) if folder and keep else ()
    return BackupReport(str(path), path.stat().st_size, removed)


def existing_file(settings: Settings) -> Path:
    """Return the file of a SQLite store. Raises ConfigurationError when there is none."""
    file = Path(database(settings)["NAME"])
    if not file.is_file():
        raise ConfigurationError(f"SATBRIDGE_DATABASE_URL: there is no store at {file}")
    return file


@contextmanager
def replaced_whole(path: Path) -> Iterator[Path]:
    """Yield an empty file beside `path` that only its owner can read; it replaces `path` when the context ends well.

    Raises ConfigurationError when it cannot be written.
    """
    draft = path.with_name(f".{path.name}.new")
    try:
        draft.unlink(missing_ok=True)
        os.close(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY))
        try:
            yield draft
            _sync(draft)
            draft.replace(path)
            _sync(path.parent)
        finally:
            draft.unlink(missing_ok=True)
            close_connection()
    except OSError as error:
        raise ConfigurationError(f"{path}: {error.strerror}") from None


def _sync(path: Path) -> None:
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def _remove_oldest(folder: Path, suffix: str, keep: int) -> tuple[str, ...]:
    dated = f"{NAME}[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]{suffix}"
    old = sorted(folder.glob(dated))[:-keep]
    for file in old:
        file.unlink(missing_ok=True)
    return tuple(map(str, old))
