"""Memory of the dataflow layer: an idle chained job, and a million records before a slow sink."""

import time
from collections.abc import Sequence
from typing import Any

from bench.dataflow_jobs import context_with, drop
from bench.figures import Line, part_of
from bench.processes import pss_mb
from messaging.streaming.ray.local import local_cluster
from messaging.streaming.stateful.job import Job

RECORDS = 1_000_000
RECORD_BYTES = 200
SLOW_SECONDS_PER_THOUSAND = 0.02
SETTLE_SECONDS = 3.0
SAMPLE_SECONDS = 0.25
# Of a job's throughput, so that buffers and allocators have reached their size before the first sample.
WARM_UP_SHARE = 0.05


class Silent:
    """A source without records."""

    idle_seconds = 1.0

    def read(self, position: None, count: int) -> tuple[Sequence[Any], None]:
        return (), None


class Texts:
    """A source of texts that are made as they are read."""

    def __init__(self, records: int) -> None:
        self._records = records

    def read(self, position: int | None, count: int) -> tuple[Sequence[str], int] | None:
        start = position or 0
        numbers = range(start, min(start + count, self._records))
        return ([f"{n:0{RECORD_BYTES}}" for n in numbers], numbers.stop) if numbers else None


class Slow:
    """A sink that is slower than everything before it."""

    def __init__(self) -> None:
        self._count = 0

    def __call__(self, record: Any) -> None:
        self._count += 1
        if self._count % 1000 == 0:
            time.sleep(SLOW_SECONDS_PER_THOUSAND)


def measure() -> list[Line]:
    """Measure both, each on its own."""
    with local_cluster():
        return [_idle(), *_slow()]


def _idle() -> Line:
    context = context_with("memory:")
    context.read_from(Silent).map(str).filter(bool).sink(drop)
    job = context.submit("idle")
    try:
        time.sleep(SETTLE_SECONDS)
        pids = _pids(job)
        return Line(
            "idle job of 4 stages", pss_mb(pids), "MB PSS", note=f"{len(pids)} actor, chained"
        )
    finally:
        job.stop()


def _slow() -> list[Line]:
    records = part_of(RECORDS)
    context = context_with("memory:")
    texts = context.read_from(lambda: Texts(records)).map(lambda text: text).disable_chain()
    counted = texts.key_by(lambda text: text[-3:]).reduce(lambda old, new: new)
    counted.round_robin().sink(Slow())
    job = context.submit("slow")
    try:
        samples = _samples(job, records)
    finally:
        job.stop()
    whole = records * RECORD_BYTES / 1024**2
    note = f"{records:,} records of {RECORD_BYTES} bytes ({whole:.0f} MB) through 4 actors"
    growth = max(samples) - samples[0]
    return [
        Line("before a slow sink, at first", samples[0], "MB PSS", note=note),
        Line("before a slow sink, growth to the peak", growth, "MB PSS", note=note),
    ]


def _samples(job: Job, records: int) -> list[float]:
    while _count_taken(job) < records * WARM_UP_SHARE:
        time.sleep(SAMPLE_SECONDS)
    pids, samples = _pids(job), []
    while not job.wait(SAMPLE_SECONDS):
        samples.append(pss_mb(pids))
    return samples


def _count_taken(job: Job) -> int:
    return int(job.status()[-1].get("in", 0))


def _pids(job: Job) -> list[int]:
    return [row["pid"] for row in job.status()]
