"""The disk of the fault harness that loses its power keeps what was synchronised, and no more."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

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
