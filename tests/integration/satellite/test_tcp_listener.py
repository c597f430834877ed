"""A network that connects to us is told yes only when all is on disk, and drains."""

import asyncio
import json
import pickle
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from messaging.errors import ConfigurationError, Unavailable
from messaging.model.message import DeadLetter, DeviceReport, Inbound, Message, Receipt
from messaging.satellite.tcp_listener import SatelliteListener
from tests.support.eventually import eventually
from tests.support.satellite.wire import WireAccount

pytestmark = pytest.mark.anyio


class Router:
    def __init__(self) -> None:
        self.taken: list[Inbound] = []
        self.error: Exception | None = None

    async def emit(self, record: Inbound) -> None:
        if self.error is not None:
            raise self.error
        self.taken.append(record)


@asynccontextmanager
async def listening(router: Router) -> AsyncIterator[SatelliteListener]:
    made = SatelliteListener(WireAccount(listen="127.0.0.1:0"), "wire")
    listener = pickle.loads(pickle.dumps(made))
    task = asyncio.create_task(listener.run(router.emit))
    try:
        await eventually(lambda: listener.listening)
        yield listener
    finally:
        async with asyncio.timeout(30):
            await listener.drain()
            await task


async def say(listener: SatelliteListener, *items: dict[str, Any]) -> list[bytes]:
    host, _, port = listener.listening[0].rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    async with asyncio.timeout(30):
        answers = []
        for item in items:
            writer.write(json.dumps(item).encode() + b"\n")
            answers.append(await reader.readline())
        writer.close()
        await writer.wait_closed()
    return answers


async def test_what_comes_is_taken_and_answered() -> None:
    router = Router()
    item = {"id": 1, "serial": "7", "texts": ["hello", "again"]}
    broken = {"id": 2, "serial": "7", "broken": True}
    place = {"id": 3, "serial": "7", "battery": 80, "position": {"latitude": 1, "longitude": 2}}
    news = {"receipt": "n1", "state": "delivered"}
    async with listening(router) as listener:
        assert await say(listener, item, broken, place, news) == [b"yes\n"] * 4
        assert listener.status()["packets_taken"] == 4
        assert listener.status()["undeliverable"] == 1
    kinds = [type(record) for record in router.taken]
    assert kinds == [Message, Message, DeadLetter, DeviceReport, Receipt]


async def test_while_the_router_is_away_no_client_is_told_yes() -> None:
    router = Router()
    router.error = Unavailable("the store is away")
    item = {"id": 1, "serial": "7", "texts": ["hello"]}
    async with listening(router) as listener:
        assert await say(listener, item) == [b"later\n"]
        router.error = None
        assert await say(listener, item) == [b"yes\n"]
        assert listener.status()["put_off"] == 1
    assert len(router.taken) == 1


async def test_a_port_that_is_taken_is_named_with_its_variable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        listen = f"127.0.0.1:{taken.getsockname()[1]}"
        listener = SatelliteListener(WireAccount(listen=listen), "wire")
        with pytest.raises(ConfigurationError, match="SATBRIDGE_WIRE_LISTEN: cannot listen"):
            await listener.run(Router().emit)
