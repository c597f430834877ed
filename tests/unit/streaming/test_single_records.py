"""Operators that take records singly, side by side."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from messaging.streaming import (
    DeclarationError,
    Handover,
    InlineJob,
    StageFailed,
    StreamingContext,
)
from tests.support.eventually import eventually

pytestmark = pytest.mark.anyio


class Waiter:
    """Gives each number back once it is let go; 13 is a bug."""

    def __init__(self) -> None:
        self.gates = {n: asyncio.Event() for n in range(4)}
        self.begun: list[int] = []

    async def process_single(self, number: int, emit: Callable[[int], Awaitable[None]]) -> None:
        self.begun.append(number)
        if number == 13:
            raise ValueError("secret")
        await self.gates[number].wait()
        await emit(number)


async def test_what_comes_of_a_single_record_goes_on_before_the_others_of_its_batch_are_done() -> (
    None
):
    seen: list[int] = []
    context = StreamingContext()
    context.inlet("in").operate("wait", Waiter, handover=Handover.AT_MOST_ONCE).sink(seen.append)
    async with InlineJob(context.graph()) as job:
        inlet, gates = job.inlet("in"), job.operator("wait").gates
        emits = asyncio.gather(*(inlet.emit(n) for n in range(4)))
        await eventually(lambda: job.operator("wait").begun == [0, 1, 2, 3])
        gates[2].set()
        await eventually(lambda: seen == [2])
        for gate in gates.values():
            gate.set()
        await emits
    assert sorted(seen) == [0, 1, 2, 3]


class EarlyWaiter(Waiter):
    """Is answered when it has begun, and has two numbers in work at most, those above 9 not counted."""

    max_in_work = 2

    def __init__(self) -> None:
        super().__init__()
        self.gates[10] = asyncio.Event()


async def test_an_operator_that_answers_early_keeps_no_batch_for_its_slowest_record() -> None:
    seen: list[int] = []
    context = StreamingContext()
    waited = context.inlet("in").operate("wait", EarlyWaiter, first=lambda number: number > 9)
    waited.sink(seen.append)
    async with InlineJob(context.graph()) as job:
        inlet, operator = job.inlet("in"), job.operator("wait")
        await inlet.emit(0)
        await inlet.emit(1)
        third = asyncio.create_task(inlet.emit(2))
        await inlet.emit(10)
        assert operator.begun == [0, 1, 10]
        assert not third.done()
        operator.gates[1].set()
        await third
        assert operator.begun == [0, 1, 10, 2]
        for gate in operator.gates.values():
            gate.set()
        await job.drain()
    assert sorted(seen) == [0, 1, 2, 10]


async def test_a_bug_with_a_single_record_refuses_that_one_without_its_text() -> None:
    context = StreamingContext()
    context.inlet("in").operate("wait", Waiter)
    async with InlineJob(context.graph()) as job:
        job.operator("wait").gates[1].set()
        inlet = job.inlet("in")
        answers = await asyncio.gather(inlet.emit(13), inlet.emit(1), return_exceptions=True)
    assert isinstance(answers[0], StageFailed)
    assert "secret" not in str(answers[0])
    assert answers[1] is None


async def test_a_durable_stage_cannot_take_records_singly() -> None:
    context = StreamingContext()
    context.inlet("in").operate("wait", Waiter, durable=True)
    with pytest.raises(DeclarationError, match="process"):
        async with InlineJob(context.graph()):
            pass
