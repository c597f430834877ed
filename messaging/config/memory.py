"""Measures the memory that this process may use."""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

CGROUPS = Path("/sys/fs/cgroup")
OWN_CGROUP = Path("/proc/self/cgroup")
SMALL_BYTES = 2 * 1024**3
"""Below it, Ray and its processes leave little for the rest of the machine."""


def small_machine_hint(
    own_cgroup: Path = OWN_CGROUP, cgroups: Path = CGROUPS, machine_bytes: int | None = None
) -> str:
    """Return the advice for a machine, or a cgroup, with little memory; empty where there is enough."""
    total = machine_bytes or os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    available = min([total, *_cgroup_limits(own_cgroup, cgroups)])
    if available >= SMALL_BYTES:
        return ""
    return (
        f"{available / 1024**2:,.0f} MB of memory are little for Ray: satbridge up --runtime inline"
        " (SATBRIDGE_RUNTIME=inline) runs the gateway in one process, in about 100 MB"
    )


def _cgroup_limits(own_cgroup: Path, cgroups: Path) -> Iterator[int]:
    """Yield the limits of the cgroup of this process, and of those around it, in bytes."""
    folders = [cgroups, cgroups / "memory"]
    with suppress(OSError):
        for line in own_cgroup.read_text().splitlines():
            _, controllers, path = line.split(":", 2)
            root = cgroups / "memory" if "memory" in controllers.split(",") else cgroups
            own = root / path.lstrip("/")
            folders += [own, *(one for one in own.parents if one.is_relative_to(root))]
    for folder in folders:
        for name in ("memory.max", "memory.limit_in_bytes"):
            with suppress(OSError, ValueError):  # "max" stands for no limit
                yield int((folder / name).read_text())
