"""The descendants, memory and processor time of processes, from /proc."""

import os
from collections.abc import Iterable
from pathlib import Path


def tree(root: int) -> list[int]:
    """Return the process and all its descendants."""
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(stat.parent.name)] = int(stat.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
    found, front = [root], {root}
    while front := {child for child, parent in parents.items() if parent in front}:
        found += front
    return found


def pss_mb(pids: Iterable[int]) -> float:
    """Return their memory in MB; what several share is divided among them."""
    total = 0
    for pid in pids:
        try:
            rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
        except OSError:
            continue
        total += sum(int(x.split()[1]) for x in rollup.splitlines() if x.startswith("Pss:"))
    return total / 1024


def cpu_seconds(pids: Iterable[int]) -> float:
    """Return the processor time that they have used so far."""
    ticks = 0
    for pid in pids:
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")
