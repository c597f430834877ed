"""A connection of a Cloudloop account to the simulator."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from messaging.satellite.providers.cloudloop.account import CloudloopAccount
from messaging.satellite.providers.cloudloop.client import Cloudloop


@asynccontextmanager
async def connection(account: CloudloopAccount) -> AsyncIterator[Cloudloop]:
    network = account.connect()
    try:
        yield network
    finally:
        await network.aclose()
