"""The example of a network that calls us works as it stands in the document."""

import base64
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import pytest
from fastapi import FastAPI, Header, Response
from pydantic import SecretStr

from messaging.config.env import read
from messaging.errors import Rejected
from messaging.model.message import (
    Address,
    DeadLetter,
    DeviceReport,
    Inbound,
    Message,
    Network,
    Receipt,
    ReceiptState,
    Sos,
)
from messaging.satellite.codecs.protobuf import Text, encode
from messaging.simulator.shared.serving import Serving
from messaging.web.webhook_routes import routes
from tests.support.documents.adding_example import example


@pytest.fixture
def heron(tmp_path: Path) -> Iterator[ModuleType]:
    with example("heron", tmp_path) as module:
        yield module


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
    assert isinstance(beacon, DeviceReport)
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
    assert isinstance(offered[0], DeviceReport)
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
    assert isinstance(kept, DeadLetter)
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
        part = await network.send("7", b"hello")
        with pytest.raises(Rejected, match="does not know this device"):
            await network.send("8", b"hello")
        await network.aclose()
    assert (part.network_id, part.billed_units) == ("41", 2)
