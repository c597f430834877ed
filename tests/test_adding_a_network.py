"""The examples of `docs/adding-a-network.md` work as they stand there, and its table is true."""

import asyncio
import base64
import importlib.util
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import pytest
from fastapi import FastAPI, Header, Response
from pydantic import SecretStr

from messaging.configuration import read
from messaging.errors import Rejected
from messaging.gateway import Gateway
from messaging.mail.server import SmtpServer
from messaging.message import (
    Address,
    Beacon,
    Delivery,
    Inbound,
    Message,
    Network,
    Receipt,
    ReceiptState,
    Result,
    Sos,
    Undeliverable,
)
from messaging.pipeline import declare
from messaging.satellite.networks import ACCOUNTS as SATELLITES
from messaging.satellite.payload import Text, encode
from messaging.satellite.receive import SatellitePoller
from messaging.satellite.send import SatelliteSender
from messaging.settings import Settings
from messaging.simulator.serving import Serving
from messaging.sms.providers import ACCOUNTS as TEXTS
from messaging.web.webhooks import routes

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "docs/adding-a-network.md").read_text()
EXAMPLE = re.compile(r"`messaging/satellite/networks/(\w+)\.py`:\n\n```python\n(.*?)```", re.DOTALL)


@contextmanager
def example(name: str, folder: Path) -> Iterator[ModuleType]:
    """An example of the document, as a module."""
    path = folder / f"{name}.py"
    path.write_text(dict(EXAMPLE.findall(TEXT))[name])
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules[name]


@pytest.fixture
def pigeon(tmp_path: Path) -> Iterator[ModuleType]:
    with example("pigeon", tmp_path) as module:
        yield module


@pytest.fixture
def heron(tmp_path: Path) -> Iterator[ModuleType]:
    with example("heron", tmp_path) as module:
        yield module


# -- the Pigeon network


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
    async with asyncio.timeout(10):
        while network.inbox:  # noqa: ASYNC110 - the server empties it
            await asyncio.sleep(0.01)
    await poller.drain()
    await task
    (message,) = [record for record in taken if isinstance(record, Message)]
    assert (message.sender.value, message.text, message.via) == ("42", "We are fine", "pigeon")
    assert [record.raw for record in taken if isinstance(record, Undeliverable)] == [b"%%%"]


@pytest.mark.anyio
async def test_the_example_network_sends_and_refuses(
    pigeon: ModuleType, loft: tuple[Loft, str]
) -> None:
    network, url = loft
    sender = SatelliteSender(account_of(pigeon, url), 4)
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
    results = await sender.process([known, unknown])
    await sender.close()
    outcomes = [result[0] for result in results if isinstance(result, list)]
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
        smtp=read(SmtpServer),
        satellites={"pigeon": account},
    )
    assert "pigeon-in  (source, x1)" in str(declare(gateway))


# -- the Heron network

KEY = "croak"
ALICE = Address(Network.EMAIL, "alice@example.net")
HELLO = base64.b64encode(encode([Text("We are fine", ALICE)], from_device=True)).decode()


@pytest.fixture
def post(heron: ModuleType) -> Iterator[Callable[..., tuple[int, list[Inbound]]]]:
    """Posts an event to the webhook; returns the status and what the router was offered."""
    account = read(heron.HeronAccount, url="http://127.0.0.1:9", key=SecretStr(KEY))
    offered: list[Inbound] = []

    async def emit(record: Inbound) -> None:
        offered.append(record)

    app = FastAPI()
    app.include_router(routes({}, {"heron": account}, emit, "https://gateway.example.org"))
    with Serving(app) as server, httpx.Client(trust_env=False) as client:

        def call(key: str = KEY, **event: Any) -> tuple[int, list[Inbound]]:
            offered.clear()
            url = f"{server.url}/satellite/heron/heron"
            status = client.post(url, json=event, headers={"X-Heron-Key": key}).status_code
            return status, list(offered)

        yield call


def test_the_example_webhook_brings_a_message_with_its_place(post: Any) -> None:
    place = {"north": 47.5, "east": -3.25}
    status, (beacon, message) = post(id="h1", device="7", state="message", data=HELLO, place=place)
    assert status == 200
    assert isinstance(beacon, Beacon)
    assert isinstance(message, Message)
    assert (message.text, message.recipient, message.via) == ("We are fine", ALICE, "heron")
    assert beacon.position == message.position
    assert beacon.position is not None
    assert beacon.position.latitude == 47.5


@pytest.mark.parametrize("place", [None, 7, {}, {"north": 91, "east": 0}])
@pytest.mark.parametrize("data", ["", "%%%", HELLO])
def test_no_nonsense_hides_an_emergency_of_the_example(post: Any, place: Any, data: str) -> None:
    status, offered = post(id="h2", device="7", state="sos", data=data, place=place)
    assert status == 200
    assert isinstance(offered[0], Beacon)
    assert offered[0].sos is Sos.DECLARED


@pytest.mark.parametrize(
    ("state", "end"), [("arrived", ReceiptState.DELIVERED), ("lost", ReceiptState.FAILED)]
)
def test_the_example_webhook_brings_receipts(post: Any, state: str, end: ReceiptState) -> None:
    status, (receipt,) = post(id="41", device="7", state=state)
    assert status == 200
    assert isinstance(receipt, Receipt)
    assert (receipt.via, receipt.network_id, receipt.state) == ("heron", "41", end)


def test_the_example_webhook_keeps_what_makes_no_sense_and_refuses_strangers(post: Any) -> None:
    status, (kept,) = post(nonsense=True)
    assert status == 200
    assert isinstance(kept, Undeliverable)
    assert b"nonsense" in kept.raw
    assert post("quack", id="h1", device="7", state="message", data=HELLO) == (403, [])


@pytest.mark.anyio
async def test_the_example_webhook_network_sends(heron: ModuleType) -> None:
    app = FastAPI()

    @app.post("/messages")
    async def take(body: dict[str, str], response: Response) -> dict[str, Any]:
        response.status_code = 200 if body["device"] == "7" else 404
        return {"id": 41, "credits": 2}

    @app.get("/account")
    async def show(response: Response, x_heron_key: str = Header("")) -> None:
        response.status_code = 200 if x_heron_key == KEY else 401

    with Serving(app) as server:
        network = read(heron.HeronAccount, url=server.url, key=SecretStr(KEY)).connect()
        await network.check()
        handed = await network.send("7", b"hello")
        with pytest.raises(Rejected, match="does not know this device"):
            await network.send("8", b"hello")
        await network.aclose()
    assert (handed.network_id, handed.units) == ("41", 2)


# -- what the networks took

COUNTED = re.compile(r"^\| `(\w+)` \| (\d+) \| (\d+) \| (\d+) \|", re.MULTILINE)
TOLERANCE = 0.2


def lines(*patterns: str) -> int:
    files = {file for pattern in patterns for file in ROOT.glob(pattern)}
    return sum(len(file.read_text().splitlines()) for file in files)


def test_every_network_is_counted() -> None:
    assert {row[0] for row in COUNTED.findall(TEXT)} == {*SATELLITES, *TEXTS}


@pytest.mark.parametrize("row", COUNTED.findall(TEXT), ids=lambda row: row[0])
def test_the_counts_are_about_right(row: tuple[str, str, str, str]) -> None:
    name, *told = row
    counted = (
        lines(f"messaging/*/networks/{name}*.py", f"messaging/*/providers/{name}*.py"),
        lines(f"messaging/simulator/{name}*.py"),
        lines(f"tests/**/*{name}*.py"),
    )
    for said, found in zip(map(int, told), counted, strict=True):
        assert abs(said - found) <= TOLERANCE * found, f"{name}: {said}, but {found}"
