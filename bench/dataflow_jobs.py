"""The measured dataflow jobs: a keyed running sum of small records, and the word count of a text."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from messaging.streaming import DataStream, StreamingContext

LINE = "ray of light and hope over the sea where a small boat waits for the wind to turn"
WORDS_IN_LINE = len(LINE.split())
KEYS = 1000
PARALLELISM = 2


class Numbers:
    """A source of small records that are made as they are read."""

    def __init__(self, records: int) -> None:
        self._records = records
        self._share = records

    def open(self, context: Any) -> None:
        self._share = len(range(context.index, self._records, context.parallelism))

    def read(
        self, position: int | None, count: int
    ) -> tuple[Sequence[tuple[int, int]], int] | None:
        start = position or 0
        numbers = range(start, min(start + count, self._share))
        return ([(n % KEYS, 1) for n in numbers], numbers.stop) if numbers else None


def drop(record: Any) -> None:
    """A sink that drops every record."""


def context_with(state: str) -> StreamingContext:
    """Return a context whose jobs keep their state there."""
    return StreamingContext.Builder().option("state", state).build()


def sums(context: StreamingContext, records: int) -> DataStream[Any]:
    """Declare the running sums."""
    source = context.read_from(lambda: Numbers(records), name="numbers", parallelism=PARALLELISM)
    return source.key_by(0).sum(1, name="sum").set_parallelism(PARALLELISM)


def words(context: StreamingContext, path: Path) -> DataStream[Any]:
    """Declare the word count."""
    lines = context.read_text_file(path).set_parallelism(PARALLELISM)
    pairs: DataStream[Any] = lines.flat_map(str.split).map(lambda word: (word, 1))
    counts = pairs.key_by(0).reduce(lambda old, new: (old[0], old[1] + new[1]))
    return counts.set_parallelism(PARALLELISM)


def write_text(path: Path, megabytes: float) -> int:
    """Write the text, and return how many words it has."""
    lines = int(megabytes * 1024 * 1024) // (len(LINE) + 1)
    path.write_text((LINE + "\n") * lines)
    return lines * WORDS_IN_LINE


def seconds(context: StreamingContext, name: str) -> float:
    """Return the seconds from the start of the last actor to the end of the job."""
    job = context.submit(name)
    began = time.monotonic()
    job.wait()
    return time.monotonic() - began
