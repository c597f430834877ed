"""Recovery of a job after the kill of a worker: time to its next result, and the rate of the other workers."""

import os
import signal
import tempfile
import time
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

from bench.dataflow_jobs import context_with, sums
from bench.figures import Line
from messaging.streaming.ray.local import local_cluster
from messaging.streaming.stateful.job import Job

KILLS = 3
BEFORE_SECONDS = 5.0
AFTER_SECONDS = 8.0
WANTED_SECONDS = 3.0
ENDLESS = 10**9
COUNTED = 1000


class Progress:
    """A sink that notes the time of every thousandth record, in a file for each instance."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._count = 0

    def open(self, context: Any) -> None:
        self._file = (self._folder / str(context.index)).open("a", buffering=1)

    def close(self) -> None:
        self._file.close()

    def __call__(self, record: Any) -> None:
        self._count += 1
        if self._count % COUNTED == 0:
            self._file.write(f"{time.time()}\n")


def measure() -> list[Line]:
    """Kill one of the two workers that keep the sums, several times, while all work as fast as they can."""
    with tempfile.TemporaryDirectory(prefix="satbridge-bench-") as name, local_cluster():
        folder = Path(name)
        context = context_with(f"sqlite:///{folder}/state")
        sums(context, ENDLESS).sink(Progress(folder))
        job = context.submit("killed")
        try:
            times, stayed = _kills(job)
        finally:
            job.stop()
        noted = [_read_progress(folder / str(index)) for index in (0, 1)]
    note = f"one of two summing workers by SIGKILL, SQLite with fsync; median of {KILLS}"
    back = median(_first_after(noted[0], killed) - killed for killed in times)
    meanwhile = median(_rest(noted[1], killed, _first_after(noted[0], killed)) for killed in times)
    pause = max(_longest_pause(noted[1], killed) for killed in times)
    return [
        Line("killed worker to its next result", back, "s", "s wanted", WANTED_SECONDS, None, note),
        Line("the other one's rate meanwhile", meanwhile, "x of its rate before", note=note),
        Line("the other one's longest pause", pause, "s", note=f"worst of {KILLS}"),
        Line(
            "workers that keep their process", stayed, "of 3 that were not killed", note="each time"
        ),
    ]


def _kills(job: Job) -> tuple[list[float], int]:
    """Return the times of the kills, and the number of other workers that kept their process."""
    times: list[float] = []
    stayed = 3
    time.sleep(BEFORE_SECONDS)
    for _ in range(KILLS):
        time.sleep(BEFORE_SECONDS)
        before = _pids(job)
        os.kill(before["sum/0"], signal.SIGKILL)
        times.append(time.time())
        time.sleep(AFTER_SECONDS)
        after = _pids(job)
        stayed = min(stayed, sum(after[name] == pid for name, pid in before.items()))
    return times, stayed


def _pids(job: Job) -> dict[str, int]:
    return {row["name"]: row.get("pid", 0) for row in job.status()}


def _read_progress(path: Path) -> list[float]:
    return [float(line) for line in path.read_text().split()]


def _first_after(noted: Sequence[float], moment: float) -> float:
    return next(time for time in noted if time > moment)


def _rest(noted: Sequence[float], killed: float, back: float) -> float:
    """The rate between two moments, as a part of the rate before the first."""
    before = sum(killed - BEFORE_SECONDS < time <= killed for time in noted) / BEFORE_SECONDS
    return sum(killed < time <= back for time in noted) / (back - killed) / before


def _longest_pause(noted: Sequence[float], killed: float) -> float:
    near = [time for time in noted if killed - 1 < time < killed + AFTER_SECONDS]
    return max(b - a for a, b in pairwise(near))
