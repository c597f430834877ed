"""Stores that can be made to fail under a running gateway: a SQLite file, a PostgreSQL server, a full disk."""

import os
import signal
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from typing import Any, Protocol

from chaos.processes import kill_server
from chaos.volatile_disk import VolatileDisk
from tests.support.postgres_server import postgres_server_in

CHUNK = b"\0" * 65536


class Store(Protocol):
    """A database that can be made unreachable and reachable again. `disk` is its disk, if that can lose its power."""

    name: str
    url: str
    folder: Path
    disk: VolatileDisk | None

    def take_away(self) -> None:
        """Make every write fail."""

    def give_back(self) -> None:
        """Make writes possible again."""

    def crash(self) -> None:
        """End every transaction as a crash would."""

    def kill(self) -> None:
        """SIGKILL the server, if there is one."""


class SqliteStore:
    """A file; made unreachable by a lock, as another process may take it."""

    name = "sqlite"

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.disk: VolatileDisk | None = None
        self.url = f"sqlite:///{folder}/store.sqlite3"
        self._lock: sqlite3.Connection | None = None

    def take_away(self) -> None:
        """Lock the file."""
        self._lock = sqlite3.connect(
            self.folder / "store.sqlite3",
            isolation_level=None,
            timeout=30,
            check_same_thread=False,
        )
        self._lock.execute("BEGIN EXCLUSIVE")

    def give_back(self) -> None:
        """Unlock it."""
        if self._lock is not None:
            with closing(self._lock) as lock:
                lock.execute("ROLLBACK")
            self._lock = None

    def crash(self) -> None:
        """Do nothing: a file has no server that could crash."""

    def kill(self) -> None:
        """Do nothing, likewise."""


class PostgresStore:
    """A server; made unreachable by stopping it."""

    name = "postgres"

    def __init__(self, server: Any, folder: Path) -> None:
        self._server = server
        self.folder = folder
        self.disk: VolatileDisk | None = None
        self.url = str(server.get_uri())

    def take_away(self) -> None:
        """Stop the server."""
        self._server.stop()

    def give_back(self) -> None:
        """Start the server; repeat while it recovers."""
        for _ in range(10):
            with suppress(subprocess.SubprocessError, AssertionError):
                self._server.start()
                return
            time.sleep(1)
        raise TimeoutError("PostgreSQL does not start")

    def crash(self) -> None:
        """Shut down immediately, without letting any transaction end, and start again (SIGQUIT)."""
        process = self._server.get_postmaster_info().process
        os.kill(process.pid, signal.SIGQUIT)
        process.wait(20)
        self.give_back()

    def kill(self) -> None:
        """SIGKILL every process of the server."""
        kill_server(self._server.get_postmaster_info().process.pid)


@contextmanager
def store_in(kind: str, folder: Path) -> Iterator[Store]:
    """Run a store of this kind ("sqlite", "postgres") in this folder."""
    if kind == "sqlite":
        yield SqliteStore(folder)
        return
    with postgres_server_in(folder) as server:
        yield PostgresStore(server, folder)


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[Path]:
    """Mount a file system of this size (tmpfs). Raises OSError without the right to mount."""
    with ExitStack() as exits:
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=0700", "tmpfs", str(folder)],
            capture_output=True,
            text=True,
        )
        if done.returncode:
            raise PermissionError("a file system of its own can be mounted by root only")
        exits.callback(subprocess.run, ["umount", "-l", str(folder)], check=False)
        yield folder


def resize_disk(folder: Path, kilobytes: int) -> None:
    """Change the size of a mounted small disk. Raises OSError when it holds more than that."""
    command = ["mount", "-o", f"remount,size={kilobytes}k", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise OSError(f"the disk cannot have {kilobytes} kB: {done.stderr.strip()}")


def used_kilobytes(folder: Path) -> int:
    """Return the room in use on the disk of `folder`."""
    found = os.statvfs(folder)
    return (found.f_blocks - found.f_bfree) * found.f_frsize // 1024


def fill(folder: Path) -> Path:
    """Fill the disk of `folder`; return the file that fills it."""
    filler = folder / "filler"
    with filler.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(CHUNK)
    with filler.open("ab", buffering=0) as file, suppress(OSError):
        while True:
            file.write(b"\0")
    return filler
