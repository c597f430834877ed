"""Polling SPOT over real sockets: every message once, the probe, and no secret in a log."""

import asyncio
import logging
import pickle
from typing import Any

import pytest

from messaging.errors import ConfigurationError, Rejected, Unavailable
from messaging.model.message import Address, Message, Network
from messaging.model.position import Sos
from messaging.satellite.providers import ACCOUNTS
from messaging.satellite.providers.spot.account import SpotAccount
from tests.support.closed_port import closed_port
from tests.support.eventually import eventually
from tests.support.satellite.providers.spot_polled import BOTH, Router, connection, polling
from tests.support.satellite.spot_server import (
    FEED,
    OTHER_FEED,
    PASSWORD,
    SERIAL,
    SpotServer,
    spot_account,
)

pytestmark = pytest.mark.anyio


def test_it_is_registered_under_its_name() -> None:
    assert ACCOUNTS["spot"] is SpotAccount


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"feeds": "a b"}, "SATBRIDGE_SPOT_FEEDS: must look like"),
        ({"feeds": ""}, "SATBRIDGE_SPOT_FEEDS"),
        ({"recipients": "mum"}, "SATBRIDGE_SPOT_RECIPIENTS"),
        ({"recipients": "a@b@c"}, "SATBRIDGE_SPOT_RECIPIENTS"),
        ({"feed_seconds": 0}, "SATBRIDGE_SPOT_FEED_SECONDS"),
    ],
)
def test_wrong_settings_are_named(settings: dict[str, Any], why: str) -> None:
    with pytest.raises(ConfigurationError, match=why):
        spot_account(**settings)


async def test_texts_and_places_of_all_feeds_arrive_once(spot: SpotServer) -> None:
    spot.send("All is well", ago_seconds=3)
    spot.send("Camp", type="CUSTOM", ago_seconds=2)
    spot.send(type="TRACK", feed=OTHER_FEED, messenger="0-1")
    router = Router()
    async with polling(spot.account(feeds=BOTH), router):
        await eventually(lambda: len(router.taken) >= 5)
        await asyncio.sleep(0.3)
    assert router.texts() == ["All is well", "Camp"]
    assert [beacon.sender.value for beacon in router.device_reports()].count("0-1") == 1
    assert len(router.device_reports()) == 3
    message = next(record for record in router.taken if isinstance(record, Message))
    assert message.sender == Address(Network.SATELLITE, SERIAL)
    assert message.recipient == Address(Network.EMAIL, "mum@example.org")


async def test_a_call_for_help_comes_before_what_waits(spot: SpotServer) -> None:
    for number in range(5):
        spot.send(f"text {number}", ago_seconds=100 - number)
    spot.send("Broken leg", type="HELP")
    async with connection(spot.account()) as network:
        first = (await network.inbox(1))[0]
    assert first.sos is Sos.DECLARED


async def test_two_messages_at_once_come_and_more_than_a_page_too(spot: SpotServer) -> None:
    for number in range(120):
        spot.send(f"text {number}", ago_seconds=1000 - number, latitude=-99999)
    router = Router()
    async with polling(spot.account(), router):
        await eventually(lambda: len(router.texts()) == 120)
    assert sorted(router.texts()) == sorted(f"text {number}" for number in range(120))


async def test_after_a_restart_everything_is_offered_again(spot: SpotServer) -> None:
    spot.send("All is well")
    account = spot.account()
    offered = []
    for _ in range(2):
        async with connection(pickle.loads(pickle.dumps(account))) as network:
            (packet,) = await network.inbox(50)
            await network.acknowledge(packet.id)
            assert await network.inbox(50) == []
            with pytest.raises(Rejected):
                await network.acknowledge(packet.id)
            offered.append(packet.id)
    assert offered[0] == offered[1]


async def test_what_was_not_acknowledged_is_returned_again_without_asking(
    spot: SpotServer,
) -> None:
    spot.send("All is well")
    async with connection(spot.account(feed_seconds=60)) as network:
        first = await network.inbox(50)
        assert [await network.inbox(50) for _ in range(5)] == [first] * 5
    assert spot.simulator.calls == {FEED: 1}


async def test_nothing_can_be_sent() -> None:
    account = spot_account()
    with pytest.raises(Rejected, match="cannot receive"):
        await account.connect().send(SERIAL, b"hello")


async def test_the_probe_has_each_feed(spot: SpotServer) -> None:
    async with connection(spot.account(feeds=BOTH)) as network:
        await network.check()
    assert spot.simulator.calls == {FEED: 1, OTHER_FEED: 1}


@pytest.mark.parametrize("feeds", [f"{FEED},wrong-one", f"{FEED},{OTHER_FEED}:wrong-one"])
async def test_the_probe_says_which_feed_cannot_be_had(spot: SpotServer, feeds: str) -> None:
    async with connection(spot.account(feeds=feeds)) as network:
        with pytest.raises(ConfigurationError, match="SATBRIDGE_SPOT_FEEDS: feed 2") as caught:
            await network.check()
    for secret in (FEED, OTHER_FEED, "wrong-one"):
        assert secret not in str(caught.value)


async def test_the_probe_says_when_nobody_is_there() -> None:
    with closed_port() as url:
        async with connection(spot_account(url)) as network:
            with pytest.raises(Unavailable, match="cannot be reached"):
                await network.check()


async def test_feeds_and_passwords_are_not_logged(
    spot: SpotServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    spot.send("meet me at the old pier")
    account = spot.account(feeds=f"{BOTH},unknown-feed-id")
    async with connection(account) as network:
        assert len(await network.inbox(50)) == 1
    said = "".join(r.getMessage() for r in caplog.records if r.name.startswith("messaging"))
    assert said
    for secret in (FEED, OTHER_FEED, PASSWORD, "unknown-feed-id", "old pier"):
        assert secret not in said + repr(account)
