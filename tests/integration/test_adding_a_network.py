"""The examples of `docs/adding-a-network.md` work as they stand there, and its table is true."""

import asyncio
import base64
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from fastapi import FastAPI, Header, Response
from pydantic import SecretStr

from messaging.config.env import read
from messaging.config.settings import Settings
from messaging.errors import Rejected
from messaging.gateway import Gateway
from messaging.mail.smtp.settings import SmtpSettings
from messaging.model.message import (
    Address,
    DeadLetter,
    Delivery,
    Inbound,
    Message,
    Network,
    Result,
)
from messaging.pipeline import declare
from messaging.satellite.codecs.protobuf import Text, encode
from messaging.satellite.poller import SatellitePoller
from messaging.satellite.sender import SatelliteSender
from messaging.sending.sender import SenderOperator
from messaging.simulator.shared.serving import Serving
from tests.support.begins import MemoryBegins
from tests.support.documents.adding_example import example
from tests.support.eventually import eventually
from tests.support.send_deliveries import outcomes_of


@pytest.fixture
def pigeon(tmp_path: Path) -> Iterator[ModuleType]:
    with example("pigeon", tmp_path) as module:
        yield module


class Loft:
    """The Pigeon network: a real server with a token."""

    def __init__(self) -> None:
        self.inbox: dict[str, dict[str, str]] = {}
        self.sent: list[tuple[str, bytes]] = []
        self.app = FastAPI()
        self.app.get("/inbox")(self.list)
        self.app.delete("/inbox/{packet}")(self.forget)
        self.app.post("/messages")(self.take)

    async def list(self, response: Response, x_token: str = Header("")) -> Any:
        if x_token != "coo":
            response.status_code = 401
            return {}
        return list(self.inbox.values())

    async def forget(self, packet: str) -> dict[str, str]:
        del self.inbox[packet]
        return {}

    async def take(self, body: dict[str, str], response: Response) -> dict[str, str]:
        if body["device"] != "42":
            response.status_code = 404
            return {}
        self.sent.append((body["device"], base64.b64decode(body["data"])))
        return {"id": str(len(self.sent))}

    def put(self, packet: str, data: bytes) -> None:
        encoded = base64.b64encode(data).decode() if data else "%%%"
        self.inbox[packet] = {"id": packet, "device": "42", "data": encoded}


@pytest.fixture
def loft() -> Iterator[tuple[Loft, str]]:
    loft = Loft()
    with Serving(loft.app) as serving:
        yield loft, serving.url


def account_of(pigeon: ModuleType, url: str) -> Any:
    return read(pigeon.PigeonAccount, url=url, token=SecretStr("coo"), poll_seconds=0.05)


@pytest.mark.anyio
async def test_the_example_network_receives_and_acknowledges(
    pigeon: ModuleType, loft: tuple[Loft, str]
) -> None:
    network, url = loft
    text = Text("We are fine", Address(Network.EMAIL, "alice@example.net"))
    network.put("p1", encode([text], from_device=True))
    network.put("p2", b"")
    taken: list[Inbound] = []

    async def emit(record: Inbound) -> None:
        taken.append(record)

    poller = SatellitePoller(account_of(pigeon, url), "pigeon")
    task = asyncio.create_task(poller.run(emit))
    await eventually(lambda: not network.inbox)
    await poller.drain()
    await task
    (message,) = [record for record in taken if isinstance(record, Message)]
    assert (message.sender.value, message.text, message.via) == ("42", "We are fine", "pigeon")
    assert [record.raw for record in taken if isinstance(record, DeadLetter)] == [b"%%%"]


@pytest.mark.anyio
async def test_the_example_network_sends_and_refuses(
    pigeon: ModuleType, loft: tuple[Loft, str]
) -> None:
    network, url = loft
    sender = SenderOperator(partial(SatelliteSender, account_of(pigeon, url), 4), MemoryBegins)
    message = Message(
        id="0" * 32,
        sender=Address(Network.EMAIL, "alice@example.net"),
        recipient=Address(Network.SATELLITE, "42"),
        text="word " * 60,
        via="pigeon",
    )
    lease = datetime.now(UTC) + timedelta(seconds=60)
    known = Delivery(id=1, message=message, attempt=1, lease_until=lease)
    elsewhere = replace(message, recipient=Address(Network.SATELLITE, "43"))
    unknown = Delivery(id=2, message=elsewhere, attempt=1, lease_until=lease)
    outcomes = await outcomes_of(sender, known, unknown)
    await sender.close()
    assert [outcome.result for outcome in outcomes] == [Result.SENT, Result.REJECTED]
    assert len(network.sent) == outcomes[0].parts_sent > 1
    assert all(len(packet) <= 120 for _, packet in network.sent)
    assert outcomes[1].reason == "the Pigeon network does not know this device"


@pytest.mark.anyio
async def test_the_example_network_is_probed_and_declared(
    pigeon: ModuleType, loft: tuple[Loft, str], tmp_path: Path
) -> None:
    account = account_of(pigeon, loft[1])
    network = account.connect()
    await network.check()
    await network.aclose()
    with pytest.raises(Rejected):
        account.packets(
            Message(
                id="0" * 32,
                sender=Address(Network.EMAIL, "a" * 200 + "@example.net"),
                recipient=Address(Network.SATELLITE, "42"),
                text="hello",
                via="pigeon",
            ),
            "",
            4,
        )
    gateway = Gateway(
        settings=read(Settings, state_dir=tmp_path),
        smtp=read(SmtpSettings),
        satellites={"pigeon": account},
    )
    assert "pigeon-in  (source, x1)" in str(declare(gateway))
