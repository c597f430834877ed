"""Jobs that outlive their starter: found again, made whole, and silent instances are started again."""

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
def reconciler(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[JobReconciler]:
    job = JobReconciler(JobName(request.node.name[:20]), ticking(tmp_path), LIFE, silent_seconds=6)
    yield job
    job.job.stop()


def whole(reconciler: JobReconciler, seconds: float = 60) -> dict[str, int]:
    """Go round until every process answers; return the processes by name."""
    deadline = time.monotonic() + seconds
    while True:
        rows = reconciler.look()
        if rows and not any(row.get("lost") for row in rows):
            return {row["name"]: row["pid"] for row in rows}
        assert time.monotonic() < deadline, rows
        time.sleep(0.2)


def test_another_one_finds_what_is_there_and_starts_nothing(
    reconciler: JobReconciler, tmp_path: Path
) -> None:
    before = whole(reconciler)
    assert set(before) == {"tick/0", "record/0"}
    other = JobReconciler(reconciler.job.name, ticking(tmp_path), LIFE)
    assert whole(other) == before
    assert lines(tmp_path)


def test_workers_are_not_put_behind_everything_else_on_the_machine(
    reconciler: JobReconciler,
) -> None:
    own = os.getpriority(os.PRIO_PROCESS, 0)
    assert {os.getpriority(os.PRIO_PROCESS, pid) for pid in whole(reconciler).values()} == {own}


def test_what_was_ended_for_good_is_started_anew(reconciler: JobReconciler) -> None:
    before = whole(reconciler)
    ray.kill(ray.get_actor(reconciler.job.name.of("tick", 0), namespace="satbridge"))
    wait_until(lambda: "tick/0" not in running(reconciler), 60)
    after = whole(reconciler)
    assert after["tick/0"] != before["tick/0"]
    assert after["record/0"] == before["record/0"]


def test_another_one_can_end_what_it_has_not_looked_at_yet(
    reconciler: JobReconciler, tmp_path: Path
) -> None:
    whole(reconciler)
    other = JobReconciler(reconciler.job.name, ticking(tmp_path), LIFE)
    other.adopt()
    other.job.stop()
    wait_until(lambda: len(lost(reconciler)) == 2, 60)


def lost(reconciler: JobReconciler) -> list[str]:
    return [row["name"] for row in reconciler.job.status() if row.get("lost")]


def running(reconciler: JobReconciler) -> list[str]:
    return [row["name"] for row in reconciler.look() if not row.get("lost")]


def test_what_hangs_is_started_again_and_the_others_are_left_alone(
    reconciler: JobReconciler,
) -> None:
    before = whole(reconciler)
    os.kill(before["record/0"], signal.SIGSTOP)
    after = whole(reconciler, 90)
    assert after["record/0"] != before["record/0"]
    assert after["tick/0"] == before["tick/0"]


def test_what_is_too_large_to_carry_is_refused_at_once(tmp_path: Path) -> None:
    context = StreamingContext()
    context.source("tick", partial(Ticker, "x" * 100_000))
    with pytest.raises(DeclarationError, match="'tick'"):
        JobReconciler(JobName("large"), context.graph(), LIFE).look()


def test_no_node_has_an_unknown_resource() -> None:
    assert nodes_with("unheard-of") == frozenset()
    assert len(nodes_with("CPU")) == 1


def asked(actor: DetachedActor, method: str, seconds: float = 40) -> int:
    """The answer, once there is one."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            return int(actor.ask(method))
        except WorkerLost:
            assert time.monotonic() < deadline
            time.sleep(0.2)


def test_a_detached_actor_does_its_rounds_and_is_found_again_also_after_it_was_killed(
    tmp_path: Path,
) -> None:
    name = JobName("rounds")
    assert find_detached_actor(name) is None
    actor = start_detached_actor(name, partial(Diary, str(tmp_path)), nothing, 0)
    try:
        first = asked(actor, "pid")
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
        actor.end()
    wait_until(lambda: find_detached_actor(name) is None, 60)
