"""Records per second of the dataflow layer, parallelism 2: against bytewax, and the cost of durable state."""

import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from bench.bytewax_peer import VERSION, bytewax
from bench.dataflow_jobs import (
    KEYS,
    PARALLELISM,
    context_with,
    drop,
    seconds,
    sums,
    words,
    write_text,
)
from bench.figures import Line, in_turn, part_of
from messaging.streaming import DataStream, StreamingContext
from messaging.streaming.ray.local import local_cluster

ROUNDS = 3
RECORDS = 5_000_000
MEGABYTES = 50

Declare = Callable[[StreamingContext], DataStream[Any]]


def measure() -> list[Line]:
    """Measure each job with the durable store, the memory store and the peer, in turn."""
    with (
        tempfile.TemporaryDirectory(prefix="satbridge-bench-") as folder,
        bytewax(PARALLELISM) as peer,
        local_cluster(),
    ):
        text = Path(folder) / "text"
        records, count = part_of(RECORDS), write_text(text, part_of(MEGABYTES))
        jobs: list[tuple[str, int, Declare, tuple[Any, ...]]] = [
            ("sum", records, lambda context: sums(context, records), (records, KEYS)),
            ("words", count, lambda context: words(context, text), (str(text),)),
        ]
        lines = []
        for name, size, declare, given in jobs:
            runs = _ours(name, declare, folder)
            if peer:
                runs["bytewax"] = partial(peer, name, *given)
            took = in_turn(ROUNDS, runs)
            lines += _lines(name, size, {run: size / spent for run, spent in took.items()})
        return lines


def _ours(name: str, declare: Declare, folder: str) -> dict[str, Callable[[], float]]:
    lives = iter(range(10**6))

    def run(label: str, state: str) -> float:
        # A name of its own for each run: a durable job of the same name would go on where it ended.
        context = context_with(state)
        declare(context).sink(drop)
        return seconds(context, f"{name}-{label}-{next(lives)}")

    return {
        "durable": lambda: run("durable", f"sqlite:///{folder}/durable"),
        "memory": lambda: run("memory", "memory:"),
    }


def _lines(name: str, size: int, rates: dict[str, float]) -> list[Line]:
    what = {"sum": f"keyed running sum, {KEYS} keys", "words": "word count"}[name]
    unit = {"sum": "records/s", "words": "words/s"}[name]
    note = f"{size:,} {unit.split('/')[0]}, parallelism {PARALLELISM}, SQLite with fsync; median of {ROUNDS}"
    peer = f"bytewax {VERSION}, recovery store, 1 s"
    missing = "" if "bytewax" in rates else "bytewax could not be installed"
    ours = rates["durable"]
    return [
        Line(what, ours, unit, missing or peer, rates.get("bytewax"), 0.5, note),
        Line(f"{what}: durable", ours, unit, "memory store", rates["memory"], 0.7, note),
    ]
