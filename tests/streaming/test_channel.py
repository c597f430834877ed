"""A channel answers for every record, whatever the call behind it does."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from messaging.streaming.channel import Answer, Channel
from messaging.streaming.errors import StageFailed
from messaging.streaming.graph import Handover

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("handover", list(Handover))
async def test_a_call_that_raises_what_nobody_foresaw_keeps_nobody_waiting(
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


async def test_what_is_first_goes_before_what_waits_and_keeps_its_order() -> None:
    taken: list[list[int]] = []
    gate = asyncio.Event()

    async def call(records: list[Any]) -> Sequence[Answer]:
        taken.append(records)
        await gate.wait()
        return [None for _ in records]

    channel = Channel("numbers", call, Handover.ONCE, 3, 100, first=lambda n: n >= 100)
    async with asyncio.timeout(5), asyncio.TaskGroup() as putting:
        for number in (1, 2, 3, 4, 5, 6, 101, 7, 100):
            putting.create_task(channel.put(number))
        gate.set()
    assert taken == [[101, 100, 1], [2, 3, 4], [5, 6, 7]]
