"""Copies a SQLite store while it is in use, and checks the copy."""

import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from messaging.errors import ConfigurationError, Unavailable
from messaging.store.db.errors import describe

BUSY_SECONDS = 5.0
SUFFIX = ".sqlite3"


def copy(source: Path, draft: Path) -> None:
    """Copy a database into an existing empty file; writers go on meanwhile. Raises Unavailable."""
    try:
        with (
            closing(_connect(source, "rw")) as original,
            closing(sqlite3.connect(draft)) as duplicate,
        ):
            original.backup(duplicate)
            # One file: without a log beside it.
            duplicate.execute("PRAGMA journal_mode=DELETE")
    except sqlite3.Error as error:
        raise Unavailable(f"the store cannot be copied: {describe(error)}") from None


def verify(file: Path) -> None:
    """Raise ConfigurationError unless the file is a whole database of this gateway."""
    try:
        with closing(_connect(file, "ro")) as database:
            [found] = database.execute("PRAGMA quick_check(1)").fetchone()
            database.execute("SELECT COUNT(*) FROM users_message").fetchone()
    except sqlite3.Error as error:
        raise ConfigurationError(f"{file}: is no backup of a store: {describe(error)}") from None
    if found != "ok":
        raise ConfigurationError(f"{file}: is damaged")


def claim(file: Path) -> None:
    """Raise ConfigurationError while another program has the database open. Empties the log beside it."""
    try:
        with closing(_connect(file, "rw")) as database:
            database.execute("PRAGMA journal_mode=DELETE")
    except sqlite3.OperationalError as error:
        if "locked" in str(error):
            raise ConfigurationError(
                f"{file}: another program uses the store; stop the gateway first (satbridge down)"
            ) from None
    except sqlite3.DatabaseError:
        return  # damaged: to be replaced


def _connect(file: Path, mode: str) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{quote(str(file))}?mode={mode}", uri=True, timeout=BUSY_SECONDS)
