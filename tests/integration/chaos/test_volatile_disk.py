"""The disk of the fault harness keeps what was synchronised when it loses its power, and can be slow."""

import os
import socket
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg
import pytest

from chaos.stores import store_in
from chaos.volatile_disk import VolatileDisk

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0 or not Path("/dev/fuse").exists(), reason="needs root and /dev/fuse"
)
ROWS = 200


@pytest.fixture
def mounted(tmp_path: Path) -> Iterator[tuple[VolatileDisk, Path]]:
    folder, mount = tmp_path / "folder", tmp_path / "mount"
    folder.mkdir()
    mount.mkdir()
    with VolatileDisk(folder, mount) as disk:
        yield disk, mount


def insert(path: Path, synchronous: str) -> sqlite3.Connection:
    """Commit a row at a time; the open connection leaves them in the write-ahead log."""
    store = sqlite3.connect(path, isolation_level=None)
    store.execute("PRAGMA journal_mode=wal")
    store.execute("CREATE TABLE row (number INTEGER)")
    store.execute("PRAGMA wal_checkpoint(truncate)")
    store.execute(f"PRAGMA synchronous={synchronous}")
    for number in range(ROWS):
        store.execute("INSERT INTO row VALUES (?)", (number,))
    return store


def count(path: Path) -> int:
    with closing(sqlite3.connect(path)) as store:
        assert store.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        return int(store.execute("SELECT count(*) FROM row").fetchone()[0])


def test_a_file_without_fsync_loses_its_content_and_one_with_it_keeps_it(
    mounted: tuple[VolatileDisk, Path],
) -> None:
    disk, mount = mounted
    for name in ("synced", "unsynced"):
        with (mount / name).open("wb") as file:
            file.write(b"x" * 500_000)
            file.flush()
            if name == "synced":
                os.fsync(file.fileno())
    disk.cut_power(7)
    with pytest.raises(OSError, match="Input/output error"):
        (mount / "synced").read_bytes()
    disk.restore_power()
    assert (mount / "synced").read_bytes() == b"x" * 500_000
    left = (mount / "unsynced").read_bytes()
    assert left.count(b"x") < 400_000  # about half of its sectors
    assert left != b""


@pytest.mark.parametrize("synchronous", ["full", "off"])
def test_a_store_keeps_its_commits_only_when_it_synchronises_them(
    mounted: tuple[VolatileDisk, Path], synchronous: str
) -> None:
    disk, mount = mounted
    with closing(insert(mount / "store", synchronous)):
        disk.cut_power(7)
    disk.restore_power()
    assert (count(mount / "store") == ROWS) == (synchronous == "full")


def test_a_transaction_after_the_cut_is_not_committed(mounted: tuple[VolatileDisk, Path]) -> None:
    disk, mount = mounted
    with closing(insert(mount / "store", "full")) as store:
        disk.cut_power(7)
        with pytest.raises(sqlite3.OperationalError):
            store.execute("INSERT INTO row VALUES (1)")
    disk.restore_power()
    assert count(mount / "store") == ROWS


def test_a_slow_disk_delays_what_is_synchronised_until_it_is_fast_again(
    mounted: tuple[VolatileDisk, Path],
) -> None:
    disk, mount = mounted
    disk.set_delay(0.3)
    assert fsync_seconds(mount / "file") >= 0.3
    assert list(mount.iterdir()) == [mount / "file"]
    disk.set_delay(0)
    assert fsync_seconds(mount / "file") < 0.3


def fsync_seconds(path: Path) -> float:
    with path.open("wb", buffering=0) as file:
        file.write(b"x")
        began = time.monotonic()
        os.fsync(file.fileno())
        return time.monotonic() - began


def test_a_server_may_have_its_socket_on_the_disk(mounted: tuple[VolatileDisk, Path]) -> None:
    _, mount = mounted
    with socket.socket(socket.AF_UNIX) as server, socket.socket(socket.AF_UNIX) as client:
        server.bind(str(mount / "socket"))
        server.listen()
        client.connect(str(mount / "socket"))
        accepted, _ = server.accept()
        with accepted:
            client.sendall(b"hello")
            assert accepted.recv(5) == b"hello"


@pytest.mark.postgres
def test_postgresql_keeps_its_commits_when_the_power_is_cut() -> None:
    # Not pytest's folder: the user of the server must come by, and the paths of sockets are short.
    with TemporaryDirectory(prefix="sbp-") as name:
        folder, mount = Path(name) / "folder", Path(name) / "mount"
        for path in (Path(name), folder, mount):
            path.mkdir(exist_ok=True)
            path.chmod(0o755)
        with VolatileDisk(folder, mount) as disk, store_in("postgres", mount) as store:
            with psycopg.connect(store.url, autocommit=True) as connection:
                connection.execute("CREATE TABLE line (number INTEGER)")
                for number in range(ROWS):
                    connection.execute("INSERT INTO line VALUES (%s)", (number,))
                disk.cut_power(7)
            store.kill()
            disk.restore_power()
            store.give_back()
            with psycopg.connect(store.url) as connection:
                assert connection.execute("SELECT count(*) FROM line").fetchone() == (ROWS,)
