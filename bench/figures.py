"""Runs a measurement several times, the peers in turn, and takes medians, since the speed of a machine drifts."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import median

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the table. `reach` is the wanted ratio; None where the line is only reported."""

    measure: str
    ours: float
    unit: str
    peer: str = ""
    peers: float | None = None
    reach: float | None = None
    note: str = ""

    @property
    def ratio(self) -> float | None:
        """The ratio of our figure to that of the peer."""
        return self.ours / self.peers if self.peers else None


def part_of(size: int) -> int:
    """Return the number of records to measure: all, or the part given by BENCH_PART (such as 0.1)."""
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
