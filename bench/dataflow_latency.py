"""The age of a record at the sink, three hops from its source, at a steady 1,000 records a second."""

import tempfile
import time
from pathlib import Path
from statistics import quantiles
from typing import Any

from bench.dataflow_jobs import context_with, seconds
from bench.figures import Line
from messaging.streaming.ray.local import local_cluster

RATE = 1000
SECONDS = 10
WARM_UP_SECONDS = 2
WANTED_MS = 10.0


class Paced:
    """A source at a steady rate, whose records are their due times."""

    def read(
        self, position: tuple[int, float] | None, count: int
    ) -> tuple[list[float], tuple[int, float]] | None:
        sent, began = position or (0, time.time())
        due = min(int((time.time() - began) * RATE), RATE * (WARM_UP_SECONDS + SECONDS))
        if sent == RATE * (WARM_UP_SECONDS + SECONDS):
            return None
        return [began + (number + 1) / RATE for number in range(sent, due)], (due, began)


class Ages:
    """A sink that collects ages, and writes them to a file at the end."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._ages: list[float] = []

    def __call__(self, due: float) -> None:
        self._ages.append(time.time() - due)

    def close(self) -> None:
        self._path.write_text("\n".join(map(str, self._ages)))


def measure() -> list[Line]:
    """Measure with the state in memory and on disk."""
    with tempfile.TemporaryDirectory(prefix="satbridge-bench-") as name, local_cluster():
        folder = Path(name)
        states = {"SQLite with fsync": f"sqlite:///{folder}/state", "memory": "memory:"}
        return [line for label, state in states.items() for line in _lines(label, state, folder)]


def _lines(label: str, state: str, folder: Path) -> list[Line]:
    ages = folder / label
    context = context_with(state)
    stream: Any = context.read_from(Paced)
    for _ in range(2):
        stream = stream.map(lambda due: due).disable_chain()
    stream.round_robin().sink(Ages(ages))
    seconds(context, label)
    counted = [float(age) * 1000 for age in ages.read_text().split()][RATE * WARM_UP_SECONDS :]
    cuts = quantiles(counted, n=100)
    what = f"three hops at {RATE:,} records/s"
    return [
        Line(f"{what}, p50", cuts[49], "ms", "ms wanted", WANTED_MS, None, f"state: {label}"),
        Line(f"{what}, p99", cuts[98], "ms", note=f"state: {label}"),
    ]
