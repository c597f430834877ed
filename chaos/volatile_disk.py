"""A file system that forgets what was not synchronised: it stands for a machine that loses its power.

`python -m chaos.volatile_disk FOLDER MOUNT` keeps in FOLDER what a real disk would have, and shows everything at MOUNT.
A write stays in memory until `fsync` of its file. Names (creation, rename, removal) reach the folder at once, before
the contents: a program that renames a file without `fsync` loses its content, as on many file systems.

Making the folder `.power-loss-SEED` cuts the power: of what was not synchronised a random half reaches the folder, in
pieces of a sector, and from then on every operation fails with EIO.

Making the folder `.slow-MILLISECONDS` delays every `fsync` by that time, and every write by a hundredth of it. The disk
does one thing after another, so what comes behind waits too.
"""

import errno
import os
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from functools import wraps
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any, NoReturn

import mfusepy

SECTOR_BYTES = 4096
CUT = ".power-loss-"
SLOW = ".slow-"
WRITE_SHARE = 0.01
MOUNT_SECONDS = 20.0
_STAT = (
    "st_mode",
    "st_size",
    "st_nlink",
    "st_uid",
    "st_gid",
    "st_atime_ns",
    "st_mtime_ns",
    "st_ctime_ns",
)


class VolatileDisk:
    """A context manager that mounts the file system at `mount`, in a process of its own.

    Raises OSError where the machine allows no such mount: it takes root, /dev/fuse and the package fuse3.
    """

    def __init__(self, folder: Path, mount: Path) -> None:
        self._folder, self._mount = folder, mount
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "VolatileDisk":
        if os.geteuid() or not Path("/dev/fuse").exists():
            raise PermissionError("a disk that loses its power needs root and /dev/fuse")
        self._start()
        return self

    def __exit__(self, *error: object) -> None:
        self._stop()

    def cut_power(self, seed: int) -> None:
        """Lose what was not synchronised; every operation fails until `restore_power`."""
        with suppress(OSError):  # even this operation fails then
            (self._mount / f"{CUT}{seed}").mkdir()

    def set_delay(self, seconds: float) -> None:
        """Delay every `fsync` by this time, and every write by a hundredth of it, until the next call."""
        with suppress(FileExistsError):  # the answer of the disk
            (self._mount / f"{SLOW}{round(seconds * 1000)}").mkdir()

    def restore_power(self) -> None:
        """Mount the disk again as the loss left it. No process may use it any more."""
        self._stop()
        self._start()

    def _start(self) -> None:
        command = [sys.executable, "-m", "chaos.volatile_disk", str(self._folder), str(self._mount)]
        self._process = subprocess.Popen(command)
        deadline = time.monotonic() + MOUNT_SECONDS
        while not os.path.ismount(self._mount):
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise OSError(f"FUSE could not mount {self._mount}")
            time.sleep(0.05)

    def _stop(self) -> None:
        if self._process is not None:
            subprocess.run(["umount", "-l", str(self._mount)], check=False)
            self._process.kill()
            self._process.wait()
            self._process = None


class _File:
    """A file with the writes that are not on the disk yet: at an offset, or None with a new length."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self.content = bytearray()
        self.unsynced: list[tuple[int | None, bytes | int]] = []
        self.opened = 0
        self.content += os.pread(descriptor, os.fstat(descriptor).st_size, 0)

    def write(self, data: bytes, offset: int) -> None:
        self.content.extend(bytes(max(0, offset - len(self.content))))
        self.content[offset : offset + len(data)] = data
        self.unsynced.append((offset, data))

    def truncate(self, length: int) -> None:
        del self.content[length:]
        self.content.extend(bytes(length - len(self.content)))
        self.unsynced.append((None, length))

    def sync(self) -> None:
        for offset, data in self.unsynced:
            self._store(offset, data)
        self.unsynced.clear()

    def lose(self, chance: Random) -> None:
        for offset, data in self.unsynced:
            if isinstance(data, int):
                if chance.random() < 0.5:
                    self._store(offset, data)
                continue
            start = offset or 0
            first = SECTOR_BYTES - start % SECTOR_BYTES
            cuts = [0, *range(first, len(data), SECTOR_BYTES), len(data)]
            for begin, end in pairwise(cuts):
                if chance.random() < 0.5:
                    self._store(start + begin, data[begin:end])
        self.unsynced.clear()

    def _store(self, offset: int | None, data: bytes | int) -> None:
        if isinstance(data, int):
            os.ftruncate(self.descriptor, data)
        else:
            os.pwrite(self.descriptor, data, offset or 0)


def _powered(operation: Callable[..., Any]) -> Callable[..., Any]:
    """Make an operation fail once the power is cut."""

    @wraps(operation)
    def run(self: "_FileSystem", *arguments: Any) -> Any:
        if self.is_cut:
            raise OSError(errno.EIO, "the power is cut")
        return operation(self, *arguments)

    return run


class _FileSystem(mfusepy.Operations):  # type: ignore[misc]
    """The operations of the file system. Used by one thread."""

    use_ns = True

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._files: dict[str, _File] = {}
        self._handles: dict[int, _File] = {}
        self._last_handle = 0
        self._delay_seconds = 0.0
        self.is_cut = False

    def _real(self, path: str) -> str:
        return self._folder + path

    def _file(self, path: str) -> _File:
        """Return the file, with its content in memory. Raises OSError when there is none."""
        if path not in self._files:
            self._files[path] = _File(os.open(self._real(path), os.O_RDWR))
        return self._files[path]

    # -- contents

    @_powered
    def create(self, path: str, mode: int, fi: Any = None) -> int:
        os.close(os.open(self._real(path), os.O_RDWR | os.O_CREAT | os.O_EXCL, mode))
        self._own(path)
        return self._open(path)

    @_powered
    def open(self, path: str, flags: int) -> int:
        return self._open(path)

    def _open(self, path: str) -> int:
        file = self._file(path)
        file.opened += 1
        self._last_handle += 1
        self._handles[self._last_handle] = file
        return self._last_handle

    @_powered
    def release(self, path: str, fh: int) -> int:
        file = self._handles.pop(fh)
        file.opened -= 1
        if not file.opened and not file.unsynced:
            for name in [name for name, one in self._files.items() if one is file]:
                del self._files[name]
            os.close(file.descriptor)
        return 0

    @_powered
    def read(self, path: str, size: int, offset: int, fh: int) -> bytes:
        return bytes(self._handles[fh].content[offset : offset + size])

    @_powered
    def write(self, path: str, data: bytes, offset: int, fh: int) -> int:
        time.sleep(self._delay_seconds * WRITE_SHARE)
        self._handles[fh].write(bytes(data), offset)
        return len(data)

    @_powered
    def truncate(self, path: str, length: int, fh: int | None = None) -> int:
        (self._handles[fh] if fh else self._file(path)).truncate(length)
        return 0

    @_powered
    def flush(self, path: str, fh: int) -> int:
        return 0

    @_powered
    def fsync(self, path: str, datasync: int, fh: int) -> int:
        time.sleep(self._delay_seconds)
        self._handles[fh].sync()
        return 0

    @_powered
    def fsyncdir(self, path: str, datasync: int, fh: int) -> int:
        return 0

    # -- names

    @_powered
    def getattr(self, path: str, fh: int | None = None) -> dict[str, Any]:
        file = self._handles.get(fh or 0) or self._files.get(path)
        found = os.fstat(file.descriptor) if file else os.lstat(self._real(path))
        attributes = {name.removesuffix("_ns"): getattr(found, name) for name in _STAT}
        if file:
            attributes["st_size"] = len(file.content)
        return attributes

    @_powered
    def readdir(self, path: str, fh: int) -> list[str]:
        return [".", "..", *os.listdir(self._real(path))]

    @_powered
    def mkdir(self, path: str, mode: int) -> int:
        if path.startswith(f"/{CUT}"):
            self._cut(Random(path))
        if path.startswith(f"/{SLOW}"):
            self._delay_seconds = int(path.removeprefix(f"/{SLOW}")) / 1000
            raise mfusepy.FuseOSError(errno.EEXIST)
        os.mkdir(self._real(path), mode)
        self._own(path)
        return 0

    @_powered
    def mknod(self, path: str, mode: int, dev: int) -> int:
        # The socket of a server; its content is the kernel's.
        os.mknod(self._real(path), mode, dev)
        self._own(path)
        return 0

    @_powered
    def rmdir(self, path: str) -> int:
        os.rmdir(self._real(path))
        return 0

    @_powered
    def unlink(self, path: str) -> int:
        os.unlink(self._real(path))
        self._forget(path)
        return 0

    @_powered
    def rename(self, old: str, new: str) -> int:
        os.rename(self._real(old), self._real(new))
        self._forget(new)
        moved = [name for name in self._files if name == old or name.startswith(f"{old}/")]
        for name in moved:
            self._files[new + name.removeprefix(old)] = self._files.pop(name)
        return 0

    @_powered
    def symlink(self, target: str, source: str) -> int:
        os.symlink(source, self._real(target))
        return 0

    @_powered
    def readlink(self, path: str) -> str:
        return os.readlink(self._real(path))

    @_powered
    def link(self, target: str, source: str) -> int:
        # Two names of one file would need one `_File`; programs then copy or rename instead.
        raise mfusepy.FuseOSError(errno.EPERM)

    @_powered
    def chmod(self, path: str, mode: int) -> int:
        os.chmod(self._real(path), mode)
        return 0

    @_powered
    def chown(self, path: str, uid: int, gid: int) -> int:
        os.chown(self._real(path), uid, gid)
        return 0

    @_powered
    def utimens(self, path: str, times: tuple[int, int] | None = None) -> int:
        if times is None:
            os.utime(self._real(path))
        else:
            os.utime(self._real(path), ns=times)
        return 0

    @_powered
    def statfs(self, path: str) -> dict[str, Any]:
        found = os.statvfs(self._real(path))
        names = ("f_bavail", "f_bfree", "f_blocks", "f_bsize", "f_favail", "f_ffree", "f_files")
        return {name: getattr(found, name) for name in (*names, "f_flag", "f_frsize", "f_namemax")}

    def _own(self, path: str) -> None:
        # This process is root's; the file belongs to whom it was made for.
        uid, gid, _ = mfusepy.fuse_get_context()
        os.chown(self._real(path), uid, gid)

    def _forget(self, path: str) -> None:
        file = self._files.pop(path, None)
        if file is not None and not file.opened:
            os.close(file.descriptor)

    def _cut(self, chance: Random) -> NoReturn:
        for file in self._files.values():
            file.lose(chance)
        self.is_cut = True
        raise OSError(errno.EIO, "the power is cut")


def main() -> None:
    """Serve the file system until it is unmounted."""
    folder, mount = sys.argv[1:]
    options = {
        "foreground": True,
        "nothreads": True,
        "allow_other": True,
        "default_permissions": True,
    }
    mfusepy.FUSE(_FileSystem(folder), mount, **options)


if __name__ == "__main__":
    main()
