"""A receiver that is away for a while: the others go on meanwhile, and a slow one slows its sender all the same."""

import asyncio
import os
import signal
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from messaging.streaming import InlineJob, JobName, StreamingContext
from messaging.streaming.ops.status import job_status
from messaging.streaming.stateful.flow_control import (
    AWAY_BYTES,
    FEWEST_BATCHES,
    MOST_BATCHES,
    FlowControl,
)
from messaging.streaming.stateful.job import Job
from tests.support.eventually import eventually

KEYS = 16


class Numbers:
    """Numbers up to a million, by key."""

    def read(self, position: int | None, count: int) -> tuple[list[tuple[int, int]], int] | None:
        start = position or 0
        numbers = range(start, min(start + count, 1_000_000))
        return ([(n % KEYS, 1) for n in numbers], numbers.stop) if numbers else None


def test_a_slow_receiver_gets_two_batches_and_one_that_is_away_as_much_as_memory_allows() -> None:
    flow = FlowControl()
    assert not flow.is_full(FEWEST_BATCHES - 1, lambda: AWAY_BYTES)
    assert flow.is_full(FEWEST_BATCHES, lambda: 0)
    flow.note_away()
    assert not flow.is_full(5_000, lambda: AWAY_BYTES - 1)
    assert flow.is_full(1, lambda: AWAY_BYTES)


def test_one_that_is_back_catches_up_while_half_as_much_comes() -> None:
    flow = FlowControl()
    flow.note_away()
    waiting, came = 100, 0
    while waiting > 1:
        waiting -= 1
        flow.note_acknowledgement(1, waiting, seconds=0.2)
        while not flow.is_full(waiting, lambda: 0):
            waiting += 1
            came += 1
        assert waiting <= 100
        if waiting <= FEWEST_BATCHES:
            break
    assert 90 < came < 110
    assert flow.is_full(FEWEST_BATCHES, lambda: 0)


def test_for_a_fast_receiver_more_may_wait_and_go_together_than_for_a_slow_one() -> None:
    flow = FlowControl()
    for _ in range(10):
        flow.note_acknowledgement(1, 0, seconds=0.01)
    assert flow.at_once == MOST_BATCHES // 2
    assert not flow.is_full(MOST_BATCHES - 1, lambda: 0)
    assert flow.is_full(MOST_BATCHES, lambda: 0)
    for _ in range(10):
        flow.note_acknowledgement(flow.at_once, 0, seconds=1.0)
    assert flow.at_once == 1
    assert flow.is_full(FEWEST_BATCHES, lambda: 0)


@pytest.mark.anyio
async def test_while_one_instance_is_away_the_others_work_on_and_then_it_catches_up() -> None:
    seen: Counter[int] = Counter()
    context = StreamingContext()
    numbers = context.read_from(Numbers, name="numbers").key_by(0)
    sums = numbers.sum(1, name="sum").set_parallelism(2)
    sums.filter(lambda pair: pair[1] % 100 == 0).sink(lambda pair: seen.update([pair[0]]))
    async with InlineJob(context.graph()) as job:
        await eventually(lambda: taken(job, "sum/0") > 5_000)
        job.lose("sum", 0)
        before = taken(job, "sum/1")
        await eventually(lambda: taken(job, "sum/1") > before + 20_000)
        job.restart("sum", 0)
        after = taken(job, "sum/0")
        await eventually(lambda: taken(job, "sum/0") > after + 30_000)


@pytest.mark.anyio
async def test_a_receiver_that_is_slow_but_answers_is_no_reason_to_collect() -> None:
    def slowly(record: Any) -> Any:
        time.sleep(0.002)
        return record

    context = StreamingContext()
    numbers = context.read_from(Numbers, name="numbers")
    numbers.map(slowly).disable_chain().sink(lambda record: None)
    async with InlineJob(context.graph()) as job:
        for _ in range(10):
            await asyncio.sleep(0.2)
            (row,) = (row for row in job.status() if row["name"] == "numbers/0")
            assert row["lag"] <= FEWEST_BATCHES


def taken(job: InlineJob | Job, name: str) -> int:
    return int(next((row.get("in", 0) for row in job.status() if row["name"] == name), 0))


@pytest.mark.ray
@pytest.mark.usefixtures("ray_cluster")
def test_the_rest_of_a_job_works_on_while_one_worker_is_killed_and_restarted(
    tmp_path: Path,
) -> None:
    state = f"sqlite:///{tmp_path}/state?synchronous=off"
    context = StreamingContext.Builder().option("state", state).build()
    paced = context.read_from(Paced, name="paced", parallelism=2).key_by(0)
    paced.sum(1, name="sum")
    job = context.submit("dips")
    try:
        while min(taken(job, "sum/0"), taken(job, "sum/1")) < 2_000:
            time.sleep(0.1)
        before = {row["name"]: row["pid"] for row in job.status()}
        usual = records_per_second(lambda: time.sleep(2))
        os.kill(before["sum/0"], signal.SIGKILL)
        meanwhile = records_per_second(lambda: wait_for("sum/0", before["sum/0"]))
        assert meanwhile > usual * 0.3
        after = {row["name"]: row["pid"] for row in job.status()}
        assert [name for name in before if before[name] != after[name]] == ["sum/0"]
    finally:
        job.stop()


def records_per_second(wait: Callable[[], object]) -> float:
    """What the other instance takes while we wait."""
    began, before = time.monotonic(), status_of("sum/1")["in"]
    wait()
    return float(status_of("sum/1")["in"] - before) / (time.monotonic() - began)


def wait_for(name: str, old_pid: int) -> None:
    """Return when another process does the work of this one."""
    while True:
        row = status_of(name)
        if row.get("pid", old_pid) != old_pid and row["in"]:
            return
        time.sleep(0.1)


def status_of(name: str) -> dict[str, Any]:
    rows = asyncio.run(job_status(JobName("dips"), seconds=5))
    return next((row for row in rows if row["name"] == name), {})


class Paced(Numbers):
    """A steady stream: so much that two batches would hold it for a quarter of a second only."""

    idle_seconds = 0.05

    def read(self, position: int | None, count: int) -> Any:
        time.sleep(0.1)
        return super().read(position, count)
