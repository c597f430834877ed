"""The dataflow layer: word count, keyed running sum and latency, by state store; and bytewax where it is installed.

    python -m bench.dataflow words --megabytes 50
    python -m bench.dataflow sum --records 5000000
    python -m bench.dataflow latency

bytewax is no dependency of ours: `pip install bytewax` adds the peer to the run.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from messaging.streaming import DataStream, StreamingContext
from messaging.streaming.local import local_cluster

LINE = "ray of light and hope over the sea where a small boat waits for the wind to turn"
KEYS = 1000
PARALLELISM = 2


class Numbers:
    """A source of small records that are made as they are read."""

    def __init__(self, records: int) -> None:
        self._records = records
        self._share = records

    def open(self, context: Any) -> None:
        self._share = len(range(context.index, self._records, context.parallelism))

    def read(self, position: int | None, count: int) -> tuple[list[tuple[int, int]], int] | None:
        start = position or 0
        numbers = range(start, min(start + count, self._share))
        return ([(n % KEYS, 1) for n in numbers], numbers.stop) if numbers else None


def drop(record: Any) -> None:
    """A sink that costs nothing."""


def declare_sum(records: int, state: str) -> StreamingContext:
    context = StreamingContext.Builder().option("state", state).build()
    source = context.read_from(lambda: Numbers(records), parallelism=PARALLELISM)
    source.key_by(0).sum(1, name="sum").sink(drop)
    return context


def declare_words(path: Path, state: str) -> StreamingContext:
    context = StreamingContext.Builder().option("state", state).build()
    lines = context.read_text_file(path).set_parallelism(PARALLELISM)
    pairs: DataStream[Any] = lines.flat_map(str.split).map(lambda word: (word, 1))
    pairs.key_by(0).reduce(lambda old, new: (old[0], old[1] + new[1])).sink(drop)
    return context


def seconds(context: StreamingContext, name: str) -> float:
    """From the moment that all actors stand to the end."""
    job = context.submit(name)
    began = time.monotonic()
    job.wait()
    return time.monotonic() - began


def stores(folder: str) -> Iterator[tuple[str, str]]:
    yield "memory", "memory:"
    yield "sqlite, safe against the death of processes", f"sqlite:///{folder}/off?synchronous=off"
    yield "sqlite, safe against a power cut", f"sqlite:///{folder}/full"


def sums(records: int) -> Iterator[dict[str, Any]]:
    with tempfile.TemporaryDirectory() as folder:
        for label, state in stores(folder):
            took = seconds(declare_sum(records, state), f"sum {label}")
            yield {
                "bench": "keyed sum",
                "store": label,
                "records_per_second": round(records / took),
            }
        yield from bytewax_sum(records, folder)


def words(megabytes: int) -> Iterator[dict[str, Any]]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "text"
        line = LINE + "\n"
        count = megabytes * 1024 * 1024 // len(line)
        path.write_text(line * count)
        for label, state in stores(folder):
            took = seconds(declare_words(path, state), f"words {label}")
            rate = round(count * len(LINE.split()) / took)
            yield {"bench": "word count", "store": label, "words_per_second": rate}


def bytewax_sum(records: int, folder: str) -> Iterator[dict[str, Any]]:
    try:
        from bench.dataflow_bytewax import keyed_sum
    except ImportError:
        yield {"bench": "keyed sum", "store": "bytewax is not installed"}
        return
    took = keyed_sum(records, KEYS, PARALLELISM, Path(folder) / "bytewax")
    rate = round(records / took)
    yield {"bench": "keyed sum", "store": "bytewax with recovery", "records_per_second": rate}


def latencies(rate: int = 1000, records: int = 5000) -> Iterator[dict[str, Any]]:
    """Three hops, at a steady rate: how old a record is when the sink is called."""
    with tempfile.TemporaryDirectory() as folder:
        log = f"{folder}/ages"

        class Paced:
            def read(self, position: Any, count: int) -> Any:
                sent, began = position or (0, time.time())
                due = min(int((time.time() - began) * rate), records)
                now = time.time()
                return ([now] * (due - sent), (due, began)) if sent < records else None

        def age(sent: float) -> None:
            with open(log, "a") as file:
                file.write(f"{time.time() - sent}\n")

        context = (
            StreamingContext.Builder()
            .option("state", f"sqlite:///{folder}/s?synchronous=off")
            .build()
        )
        stream = context.read_from(Paced)
        for _ in range(2):
            stream = stream.map(lambda sent: sent).disable_chain()
        stream.round_robin().sink(age)
        seconds(context, "latency")
        ages = sorted(float(line) * 1000 for line in Path(log).read_text().split())
        p50, p99 = ages[len(ages) // 2], ages[len(ages) * 99 // 100]
        yield {"bench": "three hops", "p50_ms": round(p50, 1), "p99_ms": round(p99, 1)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["words", "sum", "latency"])
    parser.add_argument("--megabytes", type=int, default=5)
    parser.add_argument("--records", type=int, default=500_000)
    given = parser.parse_args()
    with local_cluster():
        runs: dict[str, Iterator[dict[str, Any]]] = {
            "words": words(given.megabytes),
            "sum": sums(given.records),
            "latency": latencies(),
        }
        for figure in runs[given.what]:
            print(json.dumps(figure), flush=True)


if __name__ == "__main__":
    main()
