"""Stage groups without Ray: which stages share a process, and what their instances do there."""

import asyncio
import pickle
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest

from messaging.streaming.api import Dataflow, Graph, Handover, StageFailed, WorkerLost
from messaging.streaming.api.placement import SEPARATE, Placement
from messaging.streaming.api.stage import Stage
from messaging.streaming.runtime.batch_redelivery import Call
from messaging.streaming.runtime.group import WorkerGroup
from messaging.streaming.runtime.output import Runtime, output_of
from messaging.streaming.runtime.worker import make_worker
from tests.support.eventually import eventually

pytestmark = pytest.mark.anyio

TOGETHER = Placement({"keep": "front", "change": "front"})


@dataclass(frozen=True, slots=True)
class Parcel:
    number: int


class Keeper:
    """A durable operator that notes the records and the threads that it sees."""

    def __init__(self) -> None:
        self.records: list[Parcel] = []
        self.threads: set[threading.Thread] = set()
        self.taken_back: list[Parcel] = []

    def process(self, records: list[Parcel]) -> list[list[Parcel]]:
        with pytest.raises(RuntimeError):
            asyncio.get_running_loop()
        self.threads.add(threading.current_thread())
        self.records += records
        return [[record] for record in records]

    def take_back(self, outputs: list[Parcel]) -> None:
        self.taken_back += outputs


class Changer:
    """Changes a record that others hold too."""

    def process(self, records: list[Parcel]) -> list[list[Parcel]]:
        for record in records:
            record.number += 1  # type: ignore[misc]
        return [[] for _ in records]


class Processes:
    """The processes of a placement, all in this one: calls between two of them copy their arguments, as on Ray."""

    def __init__(self, graph: Graph, placement: Placement) -> None:
        self.graph = graph
        self.placement = placement
        self.calls: list[tuple[str, str]] = []
        self.groups: dict[tuple[str, int], WorkerGroup] = {}

    def start(self, group: str, index: int = 0) -> None:
        stages = [
            stage
            for stage in self.placement.groups_of(self.graph)[group]
            if index < stage.parallelism
        ]
        self.groups[group, index] = WorkerGroup(stages, index, self, self.make_worker)

    def make_worker(self, stage: Stage, index: int, runtime: Runtime) -> Any:
        return make_worker(self.graph, stage, index, runtime, 5)

    def method(self, stage: Stage, index: int, name: str) -> Callable[..., Awaitable[Any]]:
        async def call(*arguments: Any) -> Any:
            self.calls.append((f"{stage.name}/{index}", name))
            group = self.groups.get((self.placement.group_of(stage.name), index))
            if group is None:
                raise WorkerLost(stage.name)
            return await group.call(stage.name, name, *pickle.loads(pickle.dumps(arguments)))

        return call

    def function(self, stage: Stage, graph: Graph) -> Call:
        raise NotImplementedError

    def operator(self, stage: str, index: int = 0) -> Any:
        worker: Any = self.groups[self.placement.group_of(stage), index].workers[stage]
        return worker.operator

    async def emit(self, inlet: str, record: Any) -> None:
        await output_of(self.graph, inlet, 0, self, 5).emit(record)

    async def drain(self) -> None:
        for stage in self.graph.upstream_first():
            for group in self.groups.values():
                await group.drain(stage.name)


@asynccontextmanager
async def running(graph: Graph, placement: Placement) -> AsyncIterator[Processes]:
    processes = Processes(graph, placement)
    for name in placement.instances(graph):
        group, _, index = name.rpartition("/")
        processes.start(group, int(index))
    try:
        yield processes
    finally:
        for hosted in processes.groups.values():
            await hosted.close()


def chain(last: Callable[[], object] = Keeper, parallelism: int = 1) -> Graph:
    flow = Dataflow()
    kept = (
        flow.inlet("in")
        .key_by("number")
        .operate("keep", Keeper, durable=True, parallelism=parallelism)
    )
    kept.operate("change", last, handover=Handover.AT_MOST_ONCE)
    return flow.graph()


def test_a_stage_without_a_group_is_one_by_itself() -> None:
    assert SEPARATE.instances(chain(parallelism=2)) == {
        "keep/0": ["keep/0"],
        "keep/1": ["keep/1"],
        "change/0": ["change/0"],
    }


def test_a_group_has_as_many_processes_as_its_widest_stage() -> None:
    assert TOGETHER.instances(chain(parallelism=2)) == {
        "front/0": ["keep/0", "change/0"],
        "front/1": ["keep/1"],
    }


def test_a_process_knows_the_operators_of_its_own_stages_only() -> None:
    view = chain().view_for("keep")
    assert [stage.make is None for stage in view.stages] == [False, True]
    view = chain().view_for("keep", "change")
    assert [stage.make is None for stage in view.stages] == [False, False]


async def test_instances_of_one_process_share_records_and_those_of_two_get_copies() -> None:
    for placement, shares in ((TOGETHER, True), (SEPARATE, False)):
        async with running(chain(), placement) as processes:
            await processes.emit("in", Parcel(1))
            await processes.drain()
            kept, changed = (processes.operator(name).records for name in ("keep", "change"))
            assert kept == changed == [Parcel(1)]
            assert (kept[0] is changed[0]) == shares
            assert (("change/0", "process") in processes.calls) != shares


async def test_each_synchronous_operator_of_a_process_has_a_thread_of_its_own() -> None:
    async with running(chain(), TOGETHER) as processes:
        for number in range(3):
            await processes.emit("in", Parcel(number))
        await processes.drain()
        threads = [processes.operator(name).threads for name in ("keep", "change")]
        assert [len(own) for own in threads] == [1, 1]
        assert len({threading.current_thread()}.union(*threads)) == 3


async def test_a_stage_that_changes_a_shared_record_fails_and_the_record_stays() -> None:
    async with running(chain(Changer), TOGETHER) as processes:
        await processes.emit("in", Parcel(1))
        await processes.drain()
        assert processes.operator("keep").records == [Parcel(1)]
        worker = processes.groups["front", 0].workers["change"]
        with pytest.raises(StageFailed, match="FrozenInstanceError"):
            await worker.process([Parcel(1)])


async def test_a_record_for_another_number_of_the_same_group_goes_to_its_process() -> None:
    async with running(chain(parallelism=2), TOGETHER) as processes:
        for number in range(20):
            await processes.emit("in", Parcel(number))
        await processes.drain()
        assert len(processes.operator("change").records) == 20
        # From process 1 of the group to its process 0.
        assert 0 < processes.calls.count(("change/0", "process")) < 20


async def test_a_process_that_died_is_waited_for_while_the_others_go_on() -> None:
    async with running(chain(), SEPARATE) as processes:
        lost = processes.groups.pop(("keep", 0))
        emitted = asyncio.create_task(processes.emit("in", Parcel(1)))
        await eventually(lambda: processes.calls.count(("keep/0", "process")) >= 2)
        assert not emitted.done()
        processes.start("keep")
        await emitted
        await lost.close()
        assert processes.operator("keep").records == [Parcel(1)]


class Failing:
    """A source that fails the first time, and then runs until it is drained."""

    def __init__(self, made: list["Failing"]) -> None:
        self.closed = False
        self.stopped = asyncio.Event()
        self._is_first = not made
        made.append(self)

    async def run(self, emit: Callable[[Parcel], Awaitable[None]]) -> None:
        if self._is_first:
            raise OSError("a secret")
        await emit(Parcel(7))
        await self.stopped.wait()

    async def drain(self) -> None:
        self.stopped.set()

    async def close(self) -> None:
        self.closed = True


async def test_a_source_that_fails_is_closed_and_built_anew_and_the_others_stay(
    caplog: pytest.LogCaptureFixture,
) -> None:
    made: list[Failing] = []
    flow = Dataflow()
    flow.source("fail", partial(Failing, made)).operate("keep", Keeper, durable=True)
    placement = Placement({"fail": "front", "keep": "front"})
    async with running(flow.graph(), placement) as processes:
        group, keeper = processes.groups["front", 0], processes.operator("keep")
        run = asyncio.create_task(group.run("fail"))
        await eventually(lambda: made[0].closed)
        source, kept = group.status()
        assert (source["lost"], source["last_error"]) == (True, "OSError")
        assert "lost" not in kept
        await eventually(lambda: keeper.records == [Parcel(7)])
        assert processes.operator("keep") is keeper
        assert [row["restarts"] for row in group.status()] == [1, 0]
        await processes.drain()
        await run
    assert len(made) == 2
    assert "OSError" in caplog.text
    assert "secret" not in caplog.text


async def test_a_source_that_fails_while_it_is_drained_is_not_built_anew() -> None:
    made: list[Failing] = []
    flow = Dataflow()
    flow.source("fail", partial(Failing, made)).operate("keep", Keeper, durable=True)
    placement = Placement({"fail": "front", "keep": "front"})
    async with running(flow.graph(), placement) as processes:
        group = processes.groups["front", 0]
        await group.drain("fail")
        await group.run("fail")
        assert len(made) == 1
