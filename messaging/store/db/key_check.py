"""Compares the keys of the settings with those that have encrypted values of the store."""

from collections.abc import Sequence

from django.db import connection, transaction
from django.utils import timezone

from messaging.errors import Unavailable
from messaging.store.db.connection import store_errors
from messaging.store.db.encryption import MARK, NAME_CHARACTERS, SEARCHED_START, current_cipher
from messaging.store.db.sql import storable_time

_NAMES = "SELECT name FROM users_storekey ORDER BY since"
_ADD = "INSERT INTO users_storekey (name, since) VALUES (%s, %s) ON CONFLICT (name) DO NOTHING"
_FORGET = "DELETE FROM users_storekey WHERE name = %s"
# A notice, which has a failure, has a text too.
_IS_USED = (
    "SELECT 1 WHERE EXISTS (SELECT 1 FROM users_message WHERE text LIKE %s OR subject LIKE %s"
    " OR subject LIKE %s OR substr(raw, 1, %s) = %s)"
    " OR EXISTS (SELECT 1 FROM users_sighting WHERE encrypted LIKE %s)"
)


def key_problem(*, only_reads: bool = False) -> str | None:
    """Return which key the settings lack for the values of the store; None when they can be read.

    Notes the key that encrypts from now on, unless it `only_reads`. Looks through the store only for a key that is not
    in the settings.
    """
    cipher = current_cipher()
    names = cipher.names if cipher else ()
    with store_errors():
        with connection.cursor() as cursor:
            cursor.execute(_NAMES)
            stored = [row[0] for row in cursor.fetchall()]
        for name in stored:
            if name not in names and _is_used(name):
                lack = f"lacks the key {name}" if cipher else f"is not set; it needs the key {name}"
                return f"SATBRIDGE_STORE_KEY: {lack}, with which texts of the store are encrypted"
        if not only_reads:
            _note_names(names, stored)
    return None


def _note_names(names: Sequence[str], stored: Sequence[str]) -> None:
    """Add the name of the key that encrypts, and forget those that are not in the settings."""
    gone = [name for name in stored if name not in names]
    new = [name for name in names[:1] if name not in stored]
    if not (gone or new):
        return
    with transaction.atomic(), connection.cursor() as cursor:
        for name in gone:
            cursor.execute(_FORGET, [name])
        for name in new:
            cursor.execute(_ADD, [name, storable_time(timezone.now())])


def _is_used(name: str) -> bool:
    start = f"{MARK}{name}:"
    texts = [f"{start}%", f"{start}%", f"{SEARCHED_START}{start}%"]
    head = start.encode()
    try:
        with store_errors(), connection.cursor() as cursor:
            cursor.execute(
                _IS_USED, [*texts, len(MARK.encode()) + NAME_CHARACTERS + 1, head, texts[0]]
            )
            return cursor.fetchone() is not None
    except Unavailable:
        return True  # a large store takes longer to look through than a statement may
