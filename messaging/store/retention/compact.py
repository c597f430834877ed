"""Compacts the file of a SQLite store, and makes it give free pages back from then on."""

import shutil
import time
from dataclasses import dataclass

from django.db import connection

from messaging.config.settings import Settings
from messaging.errors import ConfigurationError, Unavailable
from messaging.store.audit.record import Action, record
from messaging.store.db.connection import guard
from messaging.store.db.room import store_folder

BYTES_PER_SECOND = 20_000_000
"""A careful estimate: a disk of today writes ten times as much."""


@dataclass(frozen=True, slots=True)
class CompactionPlan:
    """The size of the file, the part of it that is free, and the room and time that a compaction needs at most."""

    bytes: int
    free_bytes: int
    gives_back: bool
    needed_bytes: int
    room_bytes: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Compaction:
    """The size of the file before and after, and how long it took."""

    before_bytes: int
    after_bytes: int
    seconds: float


@guard
def plan(settings: Settings) -> CompactionPlan:
    """Return what a compaction needs. Raises ConfigurationError for PostgreSQL, which does it by itself."""
    folder = store_folder(settings)
    if folder is None:
        raise ConfigurationError(
            "only a SQLite store is compacted: PostgreSQL reuses its room by itself (autovacuum)"
        )
    with connection.cursor() as cursor:
        [[pages]] = cursor.execute("PRAGMA page_count").fetchall()
        [[page_bytes]] = cursor.execute("PRAGMA page_size").fetchall()
        [[free]] = cursor.execute("PRAGMA freelist_count").fetchall()
        [[mode]] = cursor.execute("PRAGMA auto_vacuum").fetchall()
    used = (pages - free) * page_bytes
    return CompactionPlan(
        bytes=pages * page_bytes,
        free_bytes=free * page_bytes,
        gives_back=bool(mode),
        # A whole copy in a temporary file, and all its pages in the log, before the old ones are given up.
        needed_bytes=2 * used,
        room_bytes=shutil.disk_usage(folder).free,
        seconds=max(3 * used / BYTES_PER_SECOND, 1.0),
    )


@guard
def compact(settings: Settings) -> Compaction:
    """Rewrite the file. Nothing else is written meanwhile. Raises Unavailable when there is no room for it."""
    before = plan(settings)
    if before.room_bytes < before.needed_bytes:
        raise Unavailable(
            f"there is no room: {before.needed_bytes / 1e6:.0f} MB are needed,"
            f" {before.room_bytes / 1e6:.0f} MB are free"
        )
    started = time.monotonic()
    folder = str(store_folder(settings)).replace("'", "''")
    with connection.cursor() as cursor:
        # The temporary file would be in /tmp, which may be in memory.
        cursor.execute(f"PRAGMA temp_store_directory = '{folder}'")
        cursor.execute("PRAGMA auto_vacuum = INCREMENTAL")
        cursor.execute("VACUUM")
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    record(Action.COMPACT, "store")
    return Compaction(before.bytes, plan(settings).bytes, time.monotonic() - started)
