"""Slots are shared: urgent work first, then the lanes in turn."""

import asyncio
from contextlib import suppress
from functools import partial

import pytest

from messaging.sending.fair_slots import FairSlots
from tests.support.eventually import eventually

pytestmark = pytest.mark.anyio


class Work:
    """Tasks that hold a slot until they are let go."""

    def __init__(self, slots: int) -> None:
        self.slots = FairSlots(slots)
        self.begun: list[str] = []
        self.gates: dict[str, asyncio.Event] = {}
        self.tasks: dict[str, asyncio.Task[None]] = {}

    async def start(self, name: str, *, is_urgent: bool = False) -> None:
        """Start a task of the lane that is the first letter of its name."""
        self.gates[name] = asyncio.Event()
        self.tasks[name] = asyncio.create_task(self._hold(name, is_urgent))
        await asyncio.sleep(0)

    async def end(self, name: str) -> None:
        self.gates[name].set()
        await self.tasks[name]
        await asyncio.sleep(0)

    async def end_all(self) -> list[str]:
        """Let the tasks go, each when it holds a slot; return the order in which they held one."""
        for place in range(len(self.tasks)):
            await eventually(partial(self._has_begun, place))
            await self.end(self.begun[place])
        return self.begun

    def _has_begun(self, place: int) -> bool:
        return len(self.begun) > place

    async def _hold(self, name: str, is_urgent: bool) -> None:
        async with self.slots.slot(name[0], is_urgent=is_urgent):
            self.begun.append(name)
            await self.gates[name].wait()


async def test_a_lane_that_waits_alone_keeps_its_order() -> None:
    work = Work(1)
    for name in ("a1", "a2", "a3"):
        await work.start(name)
    assert await work.end_all() == ["a1", "a2", "a3"]


async def test_a_lane_waits_for_one_of_each_other_lane_only() -> None:
    work = Work(1)
    for name in ("a1", "a2", "a3", "b1", "b2", "c1"):
        await work.start(name)
    assert await work.end_all() == ["a1", "a2", "b1", "c1", "a3", "b2"]


async def test_a_lane_that_comes_late_is_next_to_the_flood() -> None:
    work = Work(2)
    for number in range(6):
        await work.start(f"a{number}")
    await work.start("b")
    await work.end("a0")
    await work.end("a1")
    assert work.begun == ["a0", "a1", "a2", "b"]
    assert await work.end_all()


async def test_urgent_work_is_next() -> None:
    work = Work(1)
    for name in ("a1", "b1", "a2"):
        await work.start(name)
    await work.start("a9", is_urgent=True)
    assert await work.end_all() == ["a1", "a9", "b1", "a2"]


async def test_a_task_that_stops_waiting_leaves_its_slot_to_the_next() -> None:
    work = Work(1)
    for name in ("a1", "a2", "b1"):
        await work.start(name)
    work.tasks["a2"].cancel()
    with suppress(asyncio.CancelledError):
        await work.tasks["a2"]
    await work.end("a1")
    await work.end("b1")
    assert work.begun == ["a1", "b1"]
    # The slot is free again.
    await work.start("c1")
    assert work.begun[-1] == "c1"
    await work.end("c1")


async def test_a_slot_that_was_given_to_a_task_that_is_cancelled_goes_to_the_next() -> None:
    work = Work(1)

    async def give_and_cancel() -> None:
        async with work.slots.slot("a"):
            await work.start("b1")
            await work.start("c1")
        # The slot belongs to b1, which has not run since.
        work.tasks["b1"].cancel()

    await give_and_cancel()
    await eventually(lambda: work.begun == ["c1"])
    await work.end("c1")
    assert work.tasks["b1"].cancelled()
