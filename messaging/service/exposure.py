"""Finds what others on this machine, or beyond it, can reach: files that they can read, ports that listen."""

import stat
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

from messaging.config.settings import Settings

PROC = Path("/proc")
LISTENING = "0A"


@dataclass(frozen=True, slots=True)
class Listener:
    """A TCP port on which a process accepts connections that do not come from this machine alone."""

    process: str
    address: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.address}]" if ":" in self.address else self.address
        return f"{host}:{self.port} ({self.process})"


def private_files(settings: Settings) -> list[Path]:
    """Return the folders and files of these settings that hold messages or secrets, where they exist."""
    folders = [settings.state_dir]
    files = [settings.state_dir / "secret-key", Path.home() / ".ray" / "auth_token"]
    if settings.uses_sqlite:
        path = settings.database_url.get_secret_value().partition(":///")[2].partition("?")[0]
        files += [Path(path + end) for end in ("", "-wal", "-shm")] if path else []
    return [path for path in (*folders, *files) if path.exists()]


def readable_files(settings: Settings, bits: int = stat.S_IRWXO) -> list[Path]:
    """Return the private files that users with these permissions can read; a folder that they cannot enter hides its
    files.
    """
    found = []
    for path in private_files(settings):
        is_hidden = path.is_file() and not path.parent.stat().st_mode & bits
        if path.stat().st_mode & bits and not is_hidden:
            found.append(path)
    return found


def listeners(pid: int) -> list[Listener]:
    """Return what this process and those that came from it listen on beyond loopback (Linux), sorted by port."""
    sockets = dict(_listening_sockets())
    found = set()
    for process in _family(pid):
        with suppress(OSError):
            name = (PROC / str(process) / "comm").read_text().strip()
            for descriptor in (PROC / str(process) / "fd").iterdir():
                with suppress(OSError):
                    link = str(descriptor.readlink())
                    if place := sockets.get(link.removeprefix("socket:[").removesuffix("]")):
                        found.add(Listener(name, *place))
    return sorted(found, key=lambda one: (one.port, one.process, one.address))


def _family(pid: int) -> set[int]:
    parents = {}
    for stat_file in PROC.glob("[0-9]*/stat"):
        with suppress(OSError):
            child = int(stat_file.parent.name)
            parents[child] = int(stat_file.read_text().rpartition(")")[2].split()[1])
    family, size = {pid}, 0
    while len(family) > size:
        size = len(family)
        family |= {child for child, parent in parents.items() if parent in family}
    return family


def _listening_sockets() -> Iterator[tuple[str, tuple[str, int]]]:
    """Yield the inode, and the address and port, of each socket that listens beyond loopback."""
    for table in ("tcp", "tcp6"):
        with suppress(OSError):
            for line in (PROC / "net" / table).read_text().splitlines()[1:]:
                fields = line.split()
                digits, port = fields[1].split(":")
                # The kernel writes words of four bytes in the order of the machine.
                data = bytes.fromhex(digits)
                words = (data[i : i + 4][::-1] for i in range(0, len(data), 4))
                address = ip_address(b"".join(words))
                place = getattr(address, "ipv4_mapped", None) or address
                if fields[3] == LISTENING and not place.is_loopback:
                    yield fields[9], (str(place), int(port, 16))
