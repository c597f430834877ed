"""The same jobs on bytewax, with its recovery store on. Runs in the peer's own environment; prints the seconds."""

import json
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import bytewax.operators as op
from bytewax.dataflow import Dataflow
from bytewax.inputs import FixedPartitionedSource, StatefulSourcePartition
from bytewax.outputs import DynamicSink, StatelessSinkPartition
from bytewax.recovery import RecoveryConfig, init_db_dir
from bytewax.testing import cluster_main

BATCH = 1000
# It commits once in an epoch; its default is 10 s.
EPOCH = timedelta(seconds=1)


class NumbersPart(StatefulSourcePartition):  # type: ignore[misc]
    def __init__(self, share: int, keys: int, at: int) -> None:
        self._share, self._keys, self._at = share, keys, at

    def next_batch(self) -> list[tuple[str, int]]:
        if self._at >= self._share:
            raise StopIteration
        numbers = range(self._at, min(self._at + BATCH, self._share))
        self._at = numbers.stop
        return [(str(n % self._keys), 1) for n in numbers]

    def snapshot(self) -> int:
        return self._at


class Numbers(FixedPartitionedSource):  # type: ignore[misc]
    def __init__(self, records: int, keys: int, parallelism: int) -> None:
        self._records, self._keys, self._parallelism = records, keys, parallelism

    def list_parts(self) -> list[str]:
        return [str(part) for part in range(self._parallelism)]

    def build_part(self, step: str, part: str, at: int | None) -> NumbersPart:
        share = len(range(int(part), self._records, self._parallelism))
        return NumbersPart(share, self._keys, at or 0)


class TextPart(StatefulSourcePartition):  # type: ignore[misc]
    def __init__(self, path: str, begin: int, end: int) -> None:
        self._path, self._at, self._end = path, begin, end

    def next_batch(self) -> list[str]:
        lines = list(self._lines())
        if not lines:
            raise StopIteration
        return lines

    def _lines(self) -> Iterator[str]:
        with open(self._path, "rb") as file:
            file.seek(self._at)
            for _ in range(BATCH):
                if self._at >= self._end or not (line := file.readline()):
                    return
                self._at += len(line)
                yield line.decode()

    def snapshot(self) -> int:
        return self._at


class Text(FixedPartitionedSource):  # type: ignore[misc]
    def __init__(self, path: str, parallelism: int) -> None:
        self._path, self._parallelism = path, parallelism

    def list_parts(self) -> list[str]:
        return [str(part) for part in range(self._parallelism)]

    def build_part(self, step: str, part: str, at: int | None) -> TextPart:
        size, number = Path(self._path).stat().st_size, int(part)
        begin, end = (self._line_at(size * n // self._parallelism) for n in (number, number + 1))
        return TextPart(self._path, begin if at is None else at, end)

    def _line_at(self, offset: int) -> int:
        """Return the offset of the first line at or after this offset."""
        with open(self._path, "rb") as file:
            file.seek(max(offset - 1, 0))
            if offset:
                file.readline()
            return file.tell()


class Drop(StatelessSinkPartition):  # type: ignore[misc]
    def write_batch(self, items: Any) -> None:
        """Do nothing."""


class Sink(DynamicSink):  # type: ignore[misc]
    def build(self, step: str, index: int, count: int) -> Drop:
        return Drop()


def add(total: int | None, one: int) -> tuple[int, int]:
    total = (total or 0) + one
    return total, total


def main(what: str, given: list[Any], parallelism: int, folder: str) -> float:
    """Run one job, and return the seconds that it took."""
    flow = Dataflow(what)
    if what == "sum":
        stream = op.input("in", flow, Numbers(given[0], given[1], parallelism))
    else:
        lines = op.input("in", flow, Text(given[0], parallelism))
        stream = op.map("pair", op.flat_map("split", lines, str.split), lambda word: (word, 1))
    op.output("out", op.stateful_map(what, stream, add), Sink())
    Path(folder).mkdir()
    init_db_dir(Path(folder), parallelism)
    recovery = RecoveryConfig(folder)
    began = time.monotonic()
    cluster_main(
        *(flow, [], 0),
        worker_count_per_proc=parallelism,
        epoch_interval=EPOCH,
        recovery_config=recovery,
    )
    return time.monotonic() - began


if __name__ == "__main__":
    print(main(*json.loads(sys.argv[1])))
