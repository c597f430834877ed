"""A channel answers for every record, whatever the call behind it does."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from messaging.streaming.api.errors import StageFailed
from messaging.streaming.api.stage import Handover
from messaging.streaming.runtime.batch_redelivery import Answer, Channel
from tests.support.eventually import eventually

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("handover", list(Handover))
async def test_a_call_that_raises_an_unforeseen_error_keeps_no_caller_waiting(
    handover: Handover, caplog: pytest.LogCaptureFixture
) -> None:
    taken: list[int] = []

    async def call(records: list[Any]) -> Sequence[Answer]:
        if 1 in records:
            raise TypeError("cannot pickle a secret")
        taken.extend(records)
        return [None for _ in records]

    channel = Channel("numbers", call, handover, max_batch=10, capacity=10)
    async with asyncio.timeout(5):
        with pytest.raises(StageFailed) as caught:
            await channel.put(1)
        await channel.put(2)
    assert taken == [2]
    assert "TypeError" in caplog.text
    assert "secret" not in str(caught.value) + caplog.text


async def test_what_is_first_does_not_wait_for_the_others_and_keeps_its_order() -> None:
    taken: list[list[int]] = []
    gate = asyncio.Event()

    async def call(records: list[Any]) -> Sequence[Answer]:
        taken.append(records)
        if records[0] < 100:
            await gate.wait()
        return [None for _ in records]

    channel = Channel("numbers", call, Handover.AT_MOST_ONCE, 3, 100, first=lambda n: n >= 100)
    async with asyncio.timeout(5), asyncio.TaskGroup() as putting:
        for number in (1, 2, 3, 4):
            putting.create_task(channel.put(number))
        await eventually(lambda: taken == [[1, 2, 3]])
        await asyncio.gather(*(channel.put(number) for number in (101, 100)))
        assert taken == [[1, 2, 3], [101, 100]]
        assert not channel.idle
        gate.set()
    assert taken == [[1, 2, 3], [101, 100], [4]]
    assert channel.idle


async def test_however_much_is_first_the_others_go_on() -> None:
    taken: list[int] = []

    async def call(records: list[Any]) -> Sequence[Answer]:
        taken.extend(records)
        await asyncio.sleep(0)
        return [None for _ in records]

    channel = Channel("numbers", call, Handover.AT_MOST_ONCE, 3, 100, first=lambda n: n >= 100)

    async def always_something() -> None:
        while True:
            await channel.put(100)

    async with asyncio.timeout(5):
        flood = asyncio.gather(*(always_something() for _ in range(9)))
        await eventually(lambda: len(taken) > 50)
        await channel.put(1)
        flood.cancel()
    assert 1 in taken
