"""What a stream asks of the nodes of the cluster: what it means for chains, what Ray is told, and what is refused."""

import time
from collections.abc import Mapping
from typing import Any

import pytest
import ray

from messaging.streaming import DeclarationError, JobName, StreamingContext
from messaging.streaming.ops.reconciler import JobReconciler
from messaging.streaming.ray.hosts import HostOptions
from messaging.streaming.stateful.host import StatefulHost
from messaging.streaming.stateful.launch import submit

# Every cluster has this one, once, on its head.
HEAD = "node:__internal_head__"


def demands(context: StreamingContext) -> dict[str, Mapping[str, float]]:
    return {stage.name: stage.demand for stage in context.graph().stages}


def test_who_asks_has_actors_of_its_own_and_who_asks_for_nothing_runs_with_what_feeds_it() -> None:
    context = StreamingContext()
    source = context.from_values(1).map(str)
    source.map(str).with_resource("GPU", 1).filter(bool).sink(print)
    assert demands(context) == {"values-0": {}, "map-2": {"GPU": 1}}
    assert "map-2  (stateful, x1, asks for 1 GPU)" in str(context.graph())


def test_streams_that_ask_for_the_same_are_chained_and_others_are_not() -> None:
    context = StreamingContext()
    source = context.from_values(1).with_resource("CPU", 0.5).with_resource("disk", 1)
    same = source.map(str).with_resource("disk", 1).with_resource("CPU", 0.5)
    same.map(str).with_resource("disk", 2)
    assert demands(context) == {"values-0": {"CPU": 0.5, "disk": 1}, "map-2": {"disk": 2}}


def test_every_stream_of_a_union_asks() -> None:
    context = StreamingContext()
    both = context.from_values(1).union(context.from_values(2)).with_resource("disk", 1)
    both.key_by(str).reduce(max)
    assert demands(context) == {"values-0": {"disk": 1}, "values-1": {"disk": 1}, "reduce-2": {}}


@pytest.mark.parametrize("amount", [0, -1, 1.5, float("nan"), float("inf")])
def test_amounts_that_no_node_has_are_told_with_the_stream_and_its_line(amount: float) -> None:
    stream = StreamingContext().from_values(1)
    with pytest.raises(
        DeclarationError, match=r"stream 'values-0' .*test_resources.py:\d+.*'disk'"
    ):
        stream.with_resource("disk", amount)


def test_an_inlet_asks_for_nothing() -> None:
    with pytest.raises(DeclarationError, match=r"'in' .*test_resources.py:\d+.* has no actor"):
        StreamingContext().inlet("in").with_resource("CPU", 1)


def taken(wanted: Mapping[str, float], before: Mapping[str, float]) -> bool:
    """Whether so much of the cluster is taken within some seconds; Ray tells a little later."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        now = available()
        if all(before[name] - now.get(name, 0) == pytest.approx(n) for name, n in wanted.items()):
            return True
        time.sleep(0.2)
    return False


def available() -> dict[str, float]:
    ask: Any = ray.available_resources  # which Ray has not typed
    return dict(ask())


@pytest.mark.ray
@pytest.mark.usefixtures("ray_cluster")
def test_ray_reserves_what_each_instance_asks_for() -> None:
    context = StreamingContext()
    sums = context.inlet("in").key_by(str).reduce(max, name="highest").set_parallelism(2)
    sums.with_resource("CPU", 0.5).with_resource("memory", 2**20).with_resource(HEAD, 0.001)
    wanted = {"CPU": 1.0, "memory": 2.0 * 2**20, HEAD: 0.002}
    before = available()
    job = submit(JobName("asking"), context.graph())
    try:
        assert taken(wanted, before)
    finally:
        job.stop()
    assert taken(dict.fromkeys(wanted, 0.0), before)


@pytest.mark.ray
@pytest.mark.usefixtures("ray_cluster")
def test_a_reconciled_job_asks_for_the_same() -> None:
    context = StreamingContext()
    context.inlet("in").key_by(str).reduce(max).with_resource(HEAD, 0.001)
    before = available()
    reconciler = JobReconciler(
        JobName("reconciler-asking"), context.graph(), HostOptions(10, host=StatefulHost)
    )
    try:
        reconciler.look()
        assert taken({HEAD: 0.001}, before)
    finally:
        reconciler.job.stop()
