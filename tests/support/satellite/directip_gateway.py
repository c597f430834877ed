"""The DirectIP simulator on free ports, and a running listener for it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from typing import Any

from messaging.config.env import read
from messaging.model.message import DeadLetter, Inbound, Message
from messaging.satellite.providers.directip.account import DirectIpAccount
from messaging.satellite.tcp_listener import SatelliteListener
from messaging.simulator.directip.server import DirectIpSimulator
from messaging.simulator.shared.modems import Modem
from messaging.simulator.shared.serving import Serving
from tests.support.eventually import eventually
from tests.support.satellite.ground_control import post

IMEI = "300434060000000"
MAIL = [{"to": "bob@example.net", "text": "Anchored at noon", "protocol": "email"}]


@dataclass(frozen=True)
class DirectIpGateway:
    simulator: DirectIpSimulator
    url: str

    def account(self, **settings: Any) -> DirectIpAccount:
        return directip_account(**{"gateway": self.simulator.address, **settings})

    def uplink(self, **uplink: Any) -> dict[str, Any]:
        """Simulate a session; return the result of the first try."""
        return post(f"{self.url}/sim/uplinks", {"imei": IMEI, **uplink})

    async def deliver(self, **uplink: Any) -> dict[str, Any]:
        return await asyncio.to_thread(lambda: self.uplink(**uplink))


def directip_account(**settings: Any) -> DirectIpAccount:
    fields = {
        "listen": "127.0.0.1:0",
        "gateway": "127.0.0.1:1",
        "peers": "127.0.0.1",
        "timeout_seconds": 20,
    }
    return read(DirectIpAccount, **{**fields, **settings})


@contextlib.contextmanager
def directip(*modems: Modem, **options: Any) -> Iterator[DirectIpGateway]:
    simulator = DirectIpSimulator(modems or [Modem(IMEI)], **{"speed": 20, **options})
    with simulator, Serving(simulator.app) as server:
        yield DirectIpGateway(simulator, server.url)


@dataclass
class RecordingRouter:
    """Records emitted by a listener; raises `error` while it is set."""

    records: list[Inbound] = field(default_factory=list)
    error: Exception | None = None
    offered: int = 0

    async def emit(self, record: Inbound) -> None:
        self.offered += 1
        if self.error is not None:
            raise self.error
        self.records.append(record)

    @property
    def texts(self) -> list[str]:
        return [one.text for one in self.records if isinstance(one, Message)]

    @property
    def dead_letters(self) -> list[DeadLetter]:
        return [one for one in self.records if isinstance(one, DeadLetter)]


@contextlib.asynccontextmanager
async def listening(
    gateway: DirectIpGateway, taken: RecordingRouter, **settings: Any
) -> AsyncIterator[str]:
    """Run the listener of an account, and set its address in the simulator."""
    listener = SatelliteListener(gateway.account(**settings), "directip")
    task = asyncio.create_task(listener.run(taken.emit))
    try:
        (address, *_) = await eventually(lambda: listener.listening)
        gateway.simulator.listener = address
        yield address
    finally:
        async with asyncio.timeout(20):
            await listener.drain()
            await task
