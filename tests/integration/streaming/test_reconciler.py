"""Jobs that outlive whoever started them: found again, made whole, and what hangs is started again."""

import os
import signal
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
import ray

from messaging.streaming import DeclarationError, JobName, StreamingContext, WorkerLost
from messaging.streaming.api.graph import Graph
from messaging.streaming.ops.detached_actor import (
    DetachedActor,
    find_detached_actor,
    start_detached_actor,
)
from messaging.streaming.ops.reconciler import JobReconciler, nodes_with
from messaging.streaming.ray.hosts import HostOptions
from tests.support.eventually import wait_until
from tests.support.streaming.operators_for_ray import Diary, Recorder, Ticker, lines, nothing

pytestmark = [pytest.mark.ray, pytest.mark.usefixtures("ray_cluster")]

LIFE = HostOptions(patience_seconds=120)


def ticking(folder: Path) -> Graph:
    context = StreamingContext()
    ticks = context.source("tick", partial(Ticker, str(folder)))
    ticks.operate("record", partial(Recorder, str(folder)), durable=True)
    return context.graph()


@pytest.fixture
def standing(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[JobReconciler]:
    job = JobReconciler(JobName(request.node.name[:20]), ticking(tmp_path), LIFE, silent_seconds=6)
    yield job
    job.job.stop()


def whole(standing: JobReconciler, seconds: float = 60) -> dict[str, int]:
    """Go round until everybody answers; return the processes by name."""
    deadline = time.monotonic() + seconds
    while True:
        rows = standing.look()
        if rows and not any(row.get("lost") for row in rows):
            return {row["name"]: row["pid"] for row in rows}
        assert time.monotonic() < deadline, rows
        time.sleep(0.2)


def test_another_one_finds_what_is_there_and_starts_nothing(
    standing: JobReconciler, tmp_path: Path
) -> None:
    before = whole(standing)
    assert set(before) == {"tick/0", "record/0"}
    other = JobReconciler(standing.job.name, ticking(tmp_path), LIFE)
    assert whole(other) == before
    assert lines(tmp_path)


def test_workers_are_not_put_behind_everything_else_on_the_machine(standing: JobReconciler) -> None:
    own = os.getpriority(os.PRIO_PROCESS, 0)
    assert {os.getpriority(os.PRIO_PROCESS, pid) for pid in whole(standing).values()} == {own}


def test_what_was_ended_for_good_is_started_anew(standing: JobReconciler) -> None:
    before = whole(standing)
    ray.kill(ray.get_actor(standing.job.name.of("tick", 0), namespace="satbridge"))
    wait_until(lambda: "tick/0" not in running(standing), 60)
    after = whole(standing)
    assert after["tick/0"] != before["tick/0"]
    assert after["record/0"] == before["record/0"]


def test_another_one_can_end_what_it_has_not_looked_at_yet(
    standing: JobReconciler, tmp_path: Path
) -> None:
    whole(standing)
    other = JobReconciler(standing.job.name, ticking(tmp_path), LIFE)
    other.adopt()
    other.job.stop()
    wait_until(lambda: len(lost(standing)) == 2, 60)


def lost(standing: JobReconciler) -> list[str]:
    return [row["name"] for row in standing.job.status() if row.get("lost")]


def running(standing: JobReconciler) -> list[str]:
    return [row["name"] for row in standing.look() if not row.get("lost")]


def test_what_hangs_is_started_again_and_the_others_are_left_alone(standing: JobReconciler) -> None:
    before = whole(standing)
    os.kill(before["record/0"], signal.SIGSTOP)
    after = whole(standing, 90)
    assert after["record/0"] != before["record/0"]
    assert after["tick/0"] == before["tick/0"]


def test_what_is_too_large_to_carry_is_refused_at_once(tmp_path: Path) -> None:
    context = StreamingContext()
    context.source("tick", partial(Ticker, "x" * 100_000))
    with pytest.raises(DeclarationError, match="'tick'"):
        JobReconciler(JobName("large"), context.graph(), LIFE).look()


def test_no_node_has_a_resource_that_nobody_has() -> None:
    assert nodes_with("unheard-of") == frozenset()
    assert len(nodes_with("CPU")) == 1


def asked(resident: DetachedActor, method: str, seconds: float = 40) -> int:
    """The answer, once there is one."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            return int(resident.ask(method))
        except WorkerLost:
            assert time.monotonic() < deadline
            time.sleep(0.2)


def test_a_resident_looks_around_by_itself_and_is_found_again_also_after_it_was_killed(
    tmp_path: Path,
) -> None:
    name = JobName("resident")
    assert find_detached_actor(name) is None
    resident = start_detached_actor(name, partial(Diary, str(tmp_path)), nothing, 0)
    try:
        first = asked(resident, "pid")
        os.kill(first, signal.SIGKILL)
        found = find_detached_actor(name)
        assert found is not None
        wait_until(lambda: asked(found, "pid") != first, 60)
        second = asked(found, "pid")
        lines(tmp_path, at_least=len(lines(tmp_path)) + 2)
        assert {int(line) for line in lines(tmp_path)} == {first, second}
        with pytest.raises(WorkerLost, match="ZeroDivisionError"):
            found.ask("fail")
    finally:
        resident.end()
    wait_until(lambda: find_detached_actor(name) is None, 60)
