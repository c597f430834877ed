"""The poller at a network that fails in every way the simulator knows."""

import asyncio

import pytest

from messaging.model.message import Inbound
from messaging.simulator.shared.faults import Faults
from messaging.streaming import InlineJob, StreamingContext
from tests.support.eventually import eventually
from tests.support.satellite.hive_server import HiveServer, polling
from tests.support.satellite.uplinks import Router, acknowledged_count, put, waiting_count

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("status", [429, 500, 503, 403])
async def test_a_network_that_fails_is_waited_for(hive: HiveServer, status: int) -> None:
    hive.simulator.dice.faults = Faults(error_rate=1, error_status=status)
    put(hive, "hello")
    router = Router()
    async with polling(hive.account(), router.emit) as poller:
        await eventually(lambda: poller.status()["failing_since"] is not None)
        await asyncio.sleep(0.3)
        assert hive.simulator.counts()["requests"] < 40
        assert poller.status()["failure"]
        hive.simulator.dice.faults = Faults()
        await eventually(lambda: acknowledged_count(hive) == 1)
        assert poller.status()["failing_since"] is None


@pytest.mark.parametrize(
    "faults",
    [
        Faults(garbage_rate=1),
        Faults(refuse_rate=1),
        Faults(hang_before_rate=1),
        Faults(hang_after_rate=1),
        Faults(error_rate=0.5),
    ],
)
async def test_no_fault_of_the_network_loses_or_repeats_a_message(
    hive: HiveServer, faults: Faults
) -> None:
    for number in range(5):
        put(hive, f"text {number}")
    router = Router()
    async with polling(hive.account(timeout_seconds=1.5), router.emit) as poller:
        await eventually(lambda: poller.status()["last_poll"] is not None)
        hive.simulator.dice.faults = faults
        for number in range(5, 10):
            put(hive, f"text {number}")
        await asyncio.sleep(0.3)
        hive.simulator.dice.faults = Faults()
        await eventually(lambda: waiting_count(hive) == 0)
    assert sorted(router.texts()) == sorted(f"text {number}" for number in range(10))


class Committing:
    """A router's place in the dataflow."""

    def process(self, batch: list[Inbound]) -> list[list[Inbound]]:
        return [[] for _ in batch]


async def test_a_router_that_takes_too_long_is_said_in_plain_words(
    hive: HiveServer, caplog: pytest.LogCaptureFixture
) -> None:
    context = StreamingContext()
    context.inlet("satellite-in").operate("router", Committing, durable=True)
    async with InlineJob(context.graph(), patience_seconds=0.05) as job:
        job.lose("router")
        put(hive, "hello")
        async with polling(hive.account(), job.inlet("satellite-in").emit):
            await eventually(lambda: "stays" in caplog.text)
    assert "stays: the router did not take it in time" in caplog.text
    assert "internal error" not in caplog.text
