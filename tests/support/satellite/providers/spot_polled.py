"""A connection to SPOT, a poller, and a router that records its input."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from messaging.model.message import DeviceReport, Inbound, Message
from messaging.satellite.poller import SatellitePoller
from messaging.satellite.providers.spot.account import SpotAccount
from messaging.satellite.providers.spot.client import Spot
from tests.support.satellite.spot_server import FEED, OTHER_FEED, PASSWORD

BOTH = f"{FEED},{OTHER_FEED}:{PASSWORD}"


@asynccontextmanager
async def connection(account: SpotAccount) -> AsyncIterator[Spot]:
    network = account.connect()
    try:
        yield network
    finally:
        await network.aclose()


class Router:
    def __init__(self) -> None:
        self.taken: list[Inbound] = []

    async def emit(self, record: Inbound) -> None:
        self.taken.append(record)

    def texts(self) -> list[str]:
        return [record.text for record in self.taken if isinstance(record, Message)]

    def device_reports(self) -> list[DeviceReport]:
        return [record for record in self.taken if isinstance(record, DeviceReport)]


@asynccontextmanager
async def polling(account: SpotAccount, router: Router) -> AsyncIterator[SatellitePoller]:
    poller = SatellitePoller(account, "spot")
    running = asyncio.create_task(poller.run(router.emit))
    try:
        yield poller
    finally:
        await poller.drain()
        await running
