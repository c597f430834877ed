"""Finds the processes of a service in /proc, and kills them."""

import os
import signal
import time
from contextlib import suppress
from pathlib import Path

REAPED_SECONDS = 60.0


def tree(root: int) -> list[int]:
    """Return the process and everything that descends from it, parents first."""
    children: dict[int, list[int]] = {}
    for path in Path("/proc").iterdir():
        if path.name.isdecimal() and (parent := _parent(path)) is not None:
            children.setdefault(parent, []).append(int(path.name))
    found = [root]
    for pid in found:
        found += children.get(pid, [])
    return found


def find_by_title(root: int, title: str) -> list[int]:
    """Return the descendants whose title or command line holds `title`."""
    return [pid for pid in tree(root) if title in command_line(pid)]


def command_line(pid: int) -> str:
    """Return the command line; empty for a process that is gone."""
    try:
        raw = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return ""
    return raw.replace(b"\0", b" ").decode("utf-8", "replace")


def kill(pid: int) -> bool:
    """SIGKILL a process; return whether it existed."""
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
        return True
    return False


def kill_tree(root: int) -> int:
    """SIGKILL a process and all its descendants, until none is left; return their number."""
    killed: set[int] = set()
    pids = tree(root)
    while fresh := [pid for pid in pids if pid not in killed]:
        # A parent may have had a child between the look and the kill.
        pids = [pid for parent in fresh for pid in tree(parent)]
        for pid in pids:
            if kill(pid):
                killed.add(pid)
        pids = [pid for pid in pids if pid not in killed and command_line(pid)]
    return len(killed)


def kill_server(root: int) -> int:
    """SIGKILL a server that is no child of this process, with its descendants; return their number once it is reaped.

    Until then its manager takes it for a server that runs. Raises TimeoutError.
    """
    killed = kill_tree(root)
    deadline = time.monotonic() + REAPED_SECONDS
    while Path(f"/proc/{root}").exists():
        if time.monotonic() > deadline:
            raise TimeoutError(f"process {root} does not end")
        time.sleep(0.05)
    return killed


def _parent(path: Path) -> int | None:
    try:
        return int((path / "stat").read_text().rpartition(")")[2].split()[1])
    except (OSError, ValueError, IndexError):
        return None
