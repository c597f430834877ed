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
