"""Uplinks at the simulated Hive, and a router for them."""

import asyncio

from messaging.model.message import DeadLetter, Inbound, Message
from messaging.simulator.shared.device_payload import device_payload
from tests.support.satellite.hive_server import HiveServer


def put(hive: HiveServer, *texts: str, device: int = 9) -> int:
    to = {"to": "alice@example.com", "protocol": "email"}
    payload = device_payload([{"text": text, **to} for text in texts])
    return hive.simulator.state.put_uplink(device, payload)


class Router:
    """Commits each id once; raises the error that `errors` has for a text."""

    def __init__(self) -> None:
        self.committed: dict[str, Message | DeadLetter] = {}
        self.offered: list[str] = []
        self.errors: dict[str, Exception] = {}

    async def emit(self, inbound: Inbound) -> None:
        text = inbound.text if isinstance(inbound, Message) else ""
        self.offered.append(text)
        await asyncio.sleep(0)
        if text in self.errors:
            raise self.errors[text]
        assert isinstance(inbound, Message | DeadLetter)
        self.committed.setdefault(inbound.id, inbound)

    def texts(self) -> list[str]:
        return [m.text for m in self.committed.values() if isinstance(m, Message)]

    def dead_letters(self) -> list[DeadLetter]:
        return [m for m in self.committed.values() if isinstance(m, DeadLetter)]


def acknowledged_count(hive: HiveServer) -> int:
    return len(hive.simulator.state.uplinks(acknowledged=True))


def waiting_count(hive: HiveServer) -> int:
    return len(hive.simulator.state.uplinks())
