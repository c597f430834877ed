"""A running job can be asked what it has committed, by key: in one process, through crashes, and on Ray."""

import asyncio
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import ray
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from messaging.streaming import InlineJob, JobName, StreamingContext, StreamingError
from messaging.streaming.api.partition import token_of
from messaging.streaming.ray.ray_runtime import open_inlet
from messaging.streaming.stateful.job import Job
from messaging.streaming.stateful.launch import submit
from messaging.streaming.stateful.queryable_state import find_state
from messaging.streaming.stateful.state.pickling import loads
from tests.support.eventually import wait_until
from tests.support.streaming.simulated import Simulation
from tests.unit.streaming.test_crashes import WORDS, Moves, Seen, declared, play

ASKED = ("count", "total", "once")


@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.sampled_from(WORDS), min_size=1, max_size=12), Moves)
def test_whatever_crashes_an_answer_is_what_the_store_has(
    texts: list[str], moves: list[tuple[str, int]]
) -> None:
    simulation = Simulation(declared(texts, Seen()).graph())
    # A round of everything before and after what was drawn, so that there is something to ask for.
    everything = [("read", n) for n in range(3)] * 2
    everything += [("deliver", n) for n in range(len(simulation.channels()))] * 2
    for move, number in everything + moves + everything:
        play(simulation, move, number)
        for name, task in simulation.tasks.items():
            if name.split("/")[0] in ASKED:
                stored = dict(loads(value) for _, value in task.state_entries())
                assert dict(task.entries(None)) == stored
                assert [task.entry(token_of(key)) for key in stored] == list(stored.items())


@pytest.mark.anyio
async def test_every_verb_with_state_can_be_asked() -> None:
    context = StreamingContext()
    pairs = context.inlet("in").key_by(0)
    pairs.reduce(max, name="highest").set_parallelism(2)
    pairs.sum(1, name="sum")
    pairs.stateful(lambda state, pair: ((state or 0) + 1, []), name="count")
    pairs.window(10, time=lambda pair: pair[1]).collect(name="windows")
    async with InlineJob(context.graph()) as job:
        for pair in (("a", 1), ("b", 5), ("a", 3), ("c", 2)):
            await job.inlet("in").emit(pair)
        assert await job.state("highest") == {"a": ("a", 3), "b": ("b", 5), "c": ("c", 2)}
        assert await job.state("sum") == {"a": 4, "b": 5, "c": 2}
        assert await job.state("count") == {"a": 2, "b": 1, "c": 1}
        assert (await job.state("windows"))["a"] == {0.0: (("a", 1), ("a", 3))}


@pytest.fixture
def summing(ray_cluster: None, tmp_path: Path) -> Iterator[Job]:
    """A job of two instances that has added up 0 to 9 for ten keys, and runs on."""
    context = StreamingContext({"state": f"sqlite:///{tmp_path}"})
    numbers = context.inlet("in").key_by(lambda n: f"key {n % 10}")
    numbers.sum(lambda n: n, name="sum").set_parallelism(2).operate("after", Nothing)
    job = submit(JobName("asked"), context.graph())
    try:
        asyncio.run(fed(context, range(20)))
        yield job
    finally:
        job.stop()


SUMS = {f"key {n}": n + n + 10 for n in range(10)}


class Nothing:
    """Keeps no state by key."""

    async def process(self, records: list[Any]) -> list[list[Any]]:
        return [[] for _ in records]


async def fed(context: StreamingContext, numbers: Any) -> None:
    inlet = open_inlet(JobName("asked"), context.graph(), "in", 0, patience_seconds=20)
    await asyncio.gather(*map(inlet.emit, numbers))


@pytest.mark.ray
def test_a_job_on_ray_answers_over_a_death_and_in_another_process(summing: Job) -> None:
    state = summing.state("sum")
    assert {key: state.get(key) for key in SUMS} == SUMS
    assert state.entries() == SUMS
    assert len(state.entries(limit=3)) == 3
    assert state.get("nobody", default=0) == 0

    for row in summing.status():
        if row["stage"] == "sum":
            os.kill(row["pid"], signal.SIGKILL)
    time.sleep(0.1)
    assert state.entries() == SUMS, "both came back from their stores, and were waited for"

    def elsewhere() -> tuple[int, Any]:
        return os.getpid(), find_state(JobName("asked"), "sum").get("key 7")

    asked: Any = ray.remote(elsewhere)
    pid, answer = ray.get(asked.remote())
    assert (pid != os.getpid(), answer) == (True, 24)


@pytest.mark.ray
def test_what_cannot_be_asked_is_said(summing: Job) -> None:
    with pytest.raises(StreamingError, match="no stage 'summ' of a job 'asked' runs"):
        summing.state("summ")
    with pytest.raises(StreamingError, match="'after' of job 'asked' keeps no state"):
        summing.state("after")
    with pytest.raises(TypeError, match="cannot be a key"):
        summing.state("sum").get(object())
    state = summing.state("sum")
    summing.stop()

    def error() -> str:
        try:
            state.get("key 1")
        except StreamingError as found:
            return str(found)
        return ""  # Ray may end the process of a stopped instance a moment later

    assert "sum: ActorDiedError" in wait_until(error, 60)
    with pytest.raises(StreamingError, match="no stage 'sum'"):
        summing.state("sum")
