"""Watches the free space of the disks that the gateway writes to."""

import logging
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote, urlsplit

from messaging.config.settings import Settings
from messaging.config.temporary import temporary_folders, temporary_problem

log = logging.getLogger(__name__)

MEGABYTE = 1_000_000
# The report of the service, locks, Ray's logs, bodies of requests that are spooled: small, but many at once.
FOLDER_MEGABYTES = 20
LOOK_SECONDS = 1.0


def store_file(settings: Settings) -> Path | None:
    """Return the file of the store; None where the store is a server."""
    _, _, path = settings.database_url.get_secret_value().partition(":///")
    is_file = settings.uses_sqlite and path and not path.startswith(":")
    return Path(unquote(path.partition("?")[0])) if is_file else None


def store_folder(settings: Settings) -> Path | None:
    """Return the folder of the store; None where the store is a server with a disk of its own."""
    file = store_file(settings)
    return file.parent if file else None


def has_no_store(settings: Settings) -> bool:
    """Return whether the file of the store is still to be made."""
    file = store_file(settings)
    return file is not None and not (file.exists() and file.stat().st_size)


def store_place(settings: Settings) -> str:
    """Return the place of the store for people, without credentials: a file, or the host and the name of a database."""
    file = store_file(settings)
    if file is not None:
        return str(file)
    url = urlsplit(settings.database_url.get_secret_value())
    return f"{url.hostname or 'this machine'}{url.path}"


def free_megabytes(folder: Path) -> float | None:
    """Return the free space of the disk of `folder`; None where it cannot be measured."""
    try:
        return shutil.disk_usage(folder).free / MEGABYTE
    except OSError:
        return None


def store_room_problem(settings: Settings) -> str | None:
    """Return why new messages are deferred; None while the disk of the store has more free space than the mark."""
    folder = store_folder(settings)
    free = free_megabytes(folder) if folder else None
    if free is None or free >= settings.min_free_mb:
        return None
    return (
        f"no room: the disk of the store has {free:.0f} MB left, less than SATBRIDGE_MIN_FREE_MB"
        f" ({settings.min_free_mb:g}); only emergencies and reports are accepted"
    )


def folder_room_problem(settings: Settings) -> str | None:
    """Return which folder is missing or nearly full: the state folder or one of temporary files; None if there is none.

    The gateway goes on without that room; a process that ended may not start again.
    """
    if problem := temporary_problem():
        return problem
    temporary = [("the folder of temporary files", one) for one in temporary_folders().values()]
    for name, folder in [("the state folder", settings.state_dir), *temporary]:
        free = free_megabytes(folder)
        if free is not None and free < FOLDER_MEGABYTES:
            return (
                f"no room: the disk of {name} ({folder}) has {free:.0f} MB left,"
                f" less than {FOLDER_MEGABYTES}"
            )
    return None


class StoreRoom:
    """The free space of the store as the router sees it. Measures at most once a second, and logs each change."""

    def __init__(self, settings: Settings, clock: Callable[[], float] = time.monotonic) -> None:
        self._settings = settings
        self._clock = clock
        self._look_at = 0.0
        self._problem: str | None = None

    def is_enough(self) -> bool:
        """Return whether new messages have room. Emergencies have it as long as the store can be written."""
        now = self._clock()
        if now >= self._look_at:
            self._look_at = now + LOOK_SECONDS
            before, self._problem = self._problem, store_room_problem(self._settings)
            if self._problem and not before:
                log.error("the store has %s", self._problem)
            elif before and not self._problem:
                log.warning("the store has room again")
        return self._problem is None
