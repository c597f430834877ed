"""Runs a measurement several times, the peers in turn, and keeps medians: machines drift, ratios hold."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import median

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the table. `reach` is the ratio that the line is meant to reach; None where it is only reported."""

    measure: str
    ours: float
    unit: str
    peer: str = ""
    peers: float | None = None
    reach: float | None = None
    note: str = ""

    @property
    def ratio(self) -> float | None:
        """Ours to the peer's."""
        return self.ours / self.peers if self.peers else None


def part_of(size: int) -> int:
    """Return how much of it is measured: all, or the part that BENCH_PART says (0.1, say), for a short run."""
    return int(size * float(os.environ.get("BENCH_PART", "1")))


def in_turn(rounds: int, contestants: Mapping[str, Callable[[], float]]) -> dict[str, float]:
    """Run every contestant once a round, in turn, and return the median of each."""
    found: dict[str, list[float]] = {name: [] for name in contestants}
    for _ in range(rounds):
        for name, run in contestants.items():
            found[name].append(run())
    return {name: median(values) for name, values in found.items()}


def show(lines: list[Line], machine: str) -> None:
    """Print the table."""
    table = Table(title=machine, title_justify="left")
    for column in ("measure", "ours", "peer", "ratio", "to reach", "note"):
        table.add_column(column, overflow="fold")
    for line in lines:
        peer = f"{line.peers:,.4g} {line.peer}" if line.peers is not None else line.peer
        ratio = f"{line.ratio:.2f} x" if line.ratio is not None else ""
        reach = f"{line.reach:g} x" if line.reach is not None else ""
        table.add_row(line.measure, f"{line.ours:,.4g} {line.unit}", peer, ratio, reach, line.note)
    Console(width=160).print(table)
