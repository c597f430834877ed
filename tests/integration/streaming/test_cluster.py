"""The same declarations on Ray: separate processes, deaths, restarts, drain."""

import asyncio
import os
import signal
import time
from functools import partial
from pathlib import Path

import pytest

from messaging.streaming import Handover, JobName, StageFailed, StreamingContext, StreamingError
from messaging.streaming.ray.ray_runtime import open_inlet
from messaging.streaming.stateful.job import Job
from messaging.streaming.stateful.launch import submit
from tests.support.eventually import wait_until
from tests.support.streaming.operators_for_ray import Recorder, Ticker, Unmakeable, lines, shout

pytestmark = [pytest.mark.ray, pytest.mark.usefixtures("ray_cluster")]


def pid_of(job: Job, stage: str) -> int:
    return int(next(row["pid"] for row in job.status() if row["stage"] == stage))


def emit(name: JobName, context: StreamingContext, *records: str) -> list[object]:
    async def all_of_them() -> list[object]:
        inlet = open_inlet(name, context.graph(), "in", 0, patience_seconds=20)
        return await asyncio.gather(*map(inlet.emit, records), return_exceptions=True)

    return asyncio.run(all_of_them())


def test_an_answer_comes_after_the_durable_stage_and_refusals_come_back(tmp_path: Path) -> None:
    context = StreamingContext()
    recorded = context.inlet("in").operate("record", partial(Recorder, str(tmp_path)), durable=True)
    recorded.call("shout", shout).operate(
        "again", partial(Recorder, str(tmp_path)), durable=True, handover=Handover.AT_LEAST_ONCE
    )
    name = JobName("answers")
    job = submit(name, context.graph())
    try:
        answers = emit(name, context, "a", "no", "b")
        assert answers[0] is answers[2] is None
        assert isinstance(answers[1], ValueError)
        assert job.drain(20)
        assert {line.split()[0] for line in lines(tmp_path)} == {"a", "b", "A", "B"}
    finally:
        job.stop()


def test_a_killed_operator_costs_time_but_no_record(tmp_path: Path) -> None:
    context = StreamingContext()
    context.inlet("in").operate("record", partial(Recorder, str(tmp_path)), durable=True)
    name = JobName("killed")
    job = submit(name, context.graph())
    try:
        first = pid_of(job, "record")

        async def emit_over_a_death() -> list[object]:
            inlet = open_inlet(name, context.graph(), "in", 0, patience_seconds=30)
            await inlet.emit("before")
            os.kill(first, signal.SIGKILL)
            after = (inlet.emit(f"after-{n}") for n in range(50))
            return await asyncio.gather(*after, return_exceptions=True)

        began = time.monotonic()
        assert asyncio.run(emit_over_a_death()) == [None] * 50
        assert time.monotonic() - began < 30
        recorded = lines(tmp_path)
        assert {line.split()[0] for line in recorded} == {
            "before",
            *(f"after-{n}" for n in range(50)),
        }
        assert pid_of(job, "record") != first
    finally:
        job.stop()


def test_a_killed_source_begins_again_by_itself(tmp_path: Path) -> None:
    context = StreamingContext()
    ticks = context.source("tick", partial(Ticker, str(tmp_path)))
    ticks.operate("record", partial(Recorder, str(tmp_path)), durable=True)
    job = submit(JobName("ticking"), context.graph())
    try:
        lines(tmp_path, at_least=5)
        first = pid_of(job, "tick")
        os.kill(first, signal.SIGKILL)
        wait_until(lambda: {x for x in lines(tmp_path) if f"tick-{first}-" not in x}, 60)
        assert job.drain(10)
        quiet = len(lines(tmp_path))
        time.sleep(0.3)
        assert len(lines(tmp_path)) == quiet
    finally:
        job.stop()


def test_a_function_that_dies_in_mid_batch_is_not_called_again_and_others_go_on(
    tmp_path: Path,
) -> None:
    context = StreamingContext()
    context.inlet("in").call("shout", shout).operate(
        "record", partial(Recorder, str(tmp_path)), durable=True, handover=Handover.AT_LEAST_ONCE
    )
    name = JobName("dying")
    job = submit(name, context.graph())
    try:
        crashed = emit(name, context, "crash")
        assert isinstance(crashed[0], StreamingError)
        assert emit(name, context, "fine") == [None]
        assert [line.split()[0] for line in lines(tmp_path)] == ["FINE"]
    finally:
        job.stop()


def test_an_operator_that_cannot_be_made_says_why() -> None:
    context = StreamingContext()
    context.inlet("in").operate("broken", Unmakeable)
    with pytest.raises(StreamingError, match="the port is taken"):
        submit(JobName("broken"), context.graph())


def test_a_bug_in_an_operator_reaches_the_emitter_as_its_type_only() -> None:
    context = StreamingContext()
    context.inlet("in").call("bug", lambda records: [int("a secret")])
    name = JobName("bug")
    job = submit(name, context.graph())
    try:
        (answer,) = emit(name, context, "a")
        assert isinstance(answer, StageFailed)
        assert "secret" not in str(answer)
    finally:
        job.stop()
