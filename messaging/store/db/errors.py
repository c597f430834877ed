"""Translates the errors of Django and its drivers into our errors and into plain words."""

from typing import Final

from django.db.utils import (
    DataError,
    Error,
    IntegrityError,
    OperationalError,
    ProgrammingError,
)

from messaging.errors import INTERNAL_ERROR, GatewayError, Rejected, Unavailable

NOT_STORABLE = "the message holds characters that cannot be stored"

# Codes of PostgreSQL: `deadlock_detected` and `serialization_failure`. The server has rolled the transaction back, and
# asks for its repetition.
_LOST_RACES: Final = ("40P01", "40001")


class StoreAway(Unavailable):
    """The store cannot be used now, for no record: the next record is not tried."""

    def __init__(
        self, reason: str = "the store is away", retry_after_seconds: float | None = None
    ) -> None:
        super().__init__(reason, retry_after_seconds)


class Conflict(Unavailable):
    """Another transaction changed the same rows at the same moment; a repetition may succeed at once."""

    def __init__(
        self,
        reason: str = "another transaction changed the same record; try again",
        retry_after_seconds: float | None = None,
    ) -> None:
        super().__init__(reason, retry_after_seconds)


def translate(error: Exception) -> GatewayError:
    """Return our error for any exception of work on the store. An unknown exception is temporary."""
    match error:
        case GatewayError():
            return error
        case DataError() | UnicodeError():
            return Rejected(NOT_STORABLE)
        case IntegrityError():
            return Conflict()
        case OperationalError() if getattr(error.__cause__, "sqlstate", None) in _LOST_RACES:
            return Conflict()
        case Error():
            return StoreAway()
    return Unavailable(INTERNAL_ERROR)


# Phrases of SQLite and PostgreSQL, with their meaning. The drivers give no codes for most of these, and their own text
# may quote rows or connection strings: it is matched and never passed on. The first match wins.
_PHRASES = (
    ("password authentication failed", "the database refuses the user name or the password"),
    ("no password supplied", "the database asks for a password"),
    ("database is locked", "the database file is locked by another process"),
    ("readonly database", "the database file cannot be written"),
    ("read-only transaction", "the database takes no writes now (it is read-only)"),
    ("database or disk is full", "the disk is full"),
    ("no space left on device", "the disk of the database is full"),
    ("unable to open database file", "the database file cannot be opened"),
    ("file is not a database", "the database file is not a SQLite database"),
    ("disk image is malformed", "the database file is damaged"),
    ("disk i/o error", "the disk of the database reports errors"),
    ("no such table", "the database is not up to date (satbridge manage migrate)"),
    ("no such column", "the database is not up to date (satbridge manage migrate)"),
    ("undefined", "the database is not up to date (satbridge manage migrate)"),
    ("starting up", "the database is starting up"),
    ("shutting down", "the database is shutting down"),
    ("terminating connection", "the database closed the connection"),
    ("too many clients", "the database has no free connection"),
    ("too many connections", "the database has no free connection"),
    ("could not translate host name", "the host name of the database is unknown"),
    ("failed to resolve host", "the host name of the database is unknown"),
    ("connection refused", "nothing listens at the address of the database"),
    ("no such file or directory", "nothing listens at the address of the database"),
    ("timeout expired", "the database does not answer"),
    ("statement timeout", "the database is too slow"),
    ("lock timeout", "the database is too busy"),
)


def describe(error: BaseException) -> str:
    """Return the problem of the store as a clause without addresses, names or secrets."""
    text = f"{type(error.__cause__).__name__} {error}".lower()
    for phrase, meaning in _PHRASES:
        if phrase in text:
            return meaning
    if 'database "' in text and "does not exist" in text:
        return "the server has no database of that name"
    if isinstance(error, ProgrammingError):
        return "the database is not up to date (satbridge manage migrate)"
    if isinstance(error, OperationalError):
        return "the database cannot be reached"
    return f"the database reports {type(error).__name__}"
