"""SPOT is never asked sooner than it allows, whatever fails."""

import asyncio
import time

import pytest

from messaging.errors import Unavailable
from messaging.simulator.shared.faults import Faults
from messaging.simulator.spot.server import SpotFeed, SpotSimulator
from tests.support.eventually import eventually
from tests.support.satellite.providers.spot_polled import BOTH, Router, connection, polling
from tests.support.satellite.spot_server import FEED, OTHER_FEED, PASSWORD, SpotServer, spot_at

pytestmark = pytest.mark.anyio


async def test_no_feed_is_asked_again_too_soon_and_no_two_at_once() -> None:
    feeds = [SpotFeed(FEED), SpotFeed(OTHER_FEED, PASSWORD)]
    # The limits of the simulator are a little below ours: both measure on their own.
    simulator = SpotSimulator(feeds, least_seconds=0.28, between_seconds=0.08)
    with spot_at(simulator) as spot:
        spot.send("All is well")
        account = spot.account(
            feeds=BOTH, feed_seconds=0.3, between_feeds_seconds=0.1, poll_seconds=0.01
        )
        router = Router()
        start = time.monotonic()
        async with polling(account, router):
            await eventually(lambda: spot.simulator.calls[FEED] >= 4)
        took = time.monotonic() - start
        calls = dict(spot.simulator.calls)
    assert calls.get("too soon", 0) == 0
    assert calls[FEED] <= took / 0.3 + 1
    assert router.texts() == ["All is well"]


@pytest.mark.parametrize(
    "faults", [Faults(error_rate=1), Faults(refuse_rate=1), Faults(garbage_rate=1)]
)
async def test_a_feed_that_fails_is_not_asked_sooner_for_that(
    spot: SpotServer, faults: Faults
) -> None:
    spot.simulator.dice.faults = faults
    router, start = Router(), time.monotonic()
    async with polling(spot.account(feed_seconds=0.5), router) as poller:
        await eventually(lambda: bool(poller.status()["failing_since"]))
        await asyncio.sleep(0.3)
        assert spot.simulator.app.requests <= 1 + (time.monotonic() - start) / 0.5
        spot.simulator.dice.faults = Faults()
        spot.send("All is well")
        await eventually(lambda: router.texts() == ["All is well"])


async def test_a_feed_that_blocks_us_is_left_alone(spot: SpotServer) -> None:
    spot.simulator.dice.faults = Faults(error_rate=1, error_status=403)
    async with connection(spot.account(blocked_seconds=60)) as network:
        with pytest.raises(Unavailable, match="too often") as caught:
            await network.inbox(50)
        spot.simulator.dice.faults = Faults()
        await asyncio.sleep(0.1)
        with pytest.raises(Unavailable):
            await network.inbox(50)
    assert caught.value.retry_after_seconds is not None
    assert 50 < caught.value.retry_after_seconds <= 60
    assert spot.simulator.app.requests == 1


async def test_a_feed_that_fails_does_not_keep_back_another(spot: SpotServer) -> None:
    router = Router()
    account = spot.account(feeds=f"unknown,{OTHER_FEED}:{PASSWORD}")
    async with polling(account, router) as poller:
        spot.send("All is well", feed=OTHER_FEED)
        await eventually(lambda: router.texts() == ["All is well"])
        await eventually(lambda: "E-0160" in str(poller.status()["failure"]))
        spot.send("Again", feed=OTHER_FEED)
        await eventually(lambda: len(router.texts()) == 2)
