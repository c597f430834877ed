"""A page of packets goes to the router at once and in its order; acknowledgements go side by side."""

import asyncio

import pytest

from messaging.model.message import Inbound, Message
from messaging.satellite.poller import ACKNOWLEDGEMENTS_AT_ONCE
from messaging.simulator.shared.serving import Serving
from tests.support.concurrent_requests import Crowd
from tests.support.eventually import eventually
from tests.support.satellite.hive_server import HiveServer, account_at, polling
from tests.support.satellite.uplinks import Router, acknowledged_count, put

pytestmark = pytest.mark.anyio


async def test_a_page_is_offered_in_its_order_without_waiting_for_answers(hive: HiveServer) -> None:
    texts = [f"{packet}.{part}" for packet in range(12) for part in range(3)]
    for start in range(0, len(texts), 3):
        put(hive, *texts[start : start + 3])
    offered: list[str] = []
    answered = asyncio.Event()

    async def emit(inbound: Inbound) -> None:
        assert isinstance(inbound, Message)
        offered.append(inbound.text)
        await answered.wait()

    async with polling(hive.account(), emit):
        await eventually(lambda: len(offered) == len(texts))
        assert acknowledged_count(hive) == 0
        answered.set()
        await eventually(lambda: acknowledged_count(hive) == 12)
    assert offered == texts


async def test_acknowledgements_go_side_by_side_up_to_a_limit(hive: HiveServer) -> None:
    count = ACKNOWLEDGEMENTS_AT_ONCE + 10
    for number in range(count):
        put(hive, f"text {number}")
    crowd, router = Crowd(hive.simulator.app), Router()

    async def emit(inbound: Inbound) -> None:
        crowd.hold()  # the page has come, so from now on only acknowledgements do
        await router.emit(inbound)

    with Serving(crowd) as server:
        async with polling(account_at(f"{server.url}/hive", page_size=count), emit):
            await eventually(lambda: crowd.inside == ACKNOWLEDGEMENTS_AT_ONCE)
            crowd.let_go()
            await eventually(lambda: acknowledged_count(hive) == count)
    assert crowd.most == ACKNOWLEDGEMENTS_AT_ONCE
