"""What Cloudloop's answers mean, and what its probe says."""

import pickle
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from messaging.config.env import read
from messaging.errors import ConfigurationError, GatewayError, Rejected, Unavailable, Uncertain
from messaging.satellite.providers.cloudloop.account import CloudloopAccount
from messaging.satellite.providers.cloudloop.client import Cloudloop
from messaging.simulator.cloudloop.server import CloudloopHabits
from messaging.simulator.shared.serving import Serving
from tests.support.satellite.ground_control import SECRET, THING, TOKEN, cloudloop
from tests.support.satellite.providers.cloudloop_connected import connection

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def answering(answer: Response) -> AsyncIterator[Cloudloop]:
    async def say(request: Request) -> Response:
        return PlainTextResponse("") if request.url.path == "/Platform/Ping" else answer

    with Serving(Starlette(routes=[Route("/{rest:path}", say, methods=["POST"])])) as server:
        account = read(CloudloopAccount, token=TOKEN, webhook_secret=SECRET, url=server.url)
        async with connection(account) as network:
            yield network


@pytest.mark.parametrize(
    ("answer", "expected", "words"),
    [
        ({"id": 7}, "7", ""),
        ({"id": "x", "error": ""}, "x", ""),
        ({"id": None, "error": "No credit"}, Rejected, "No credit"),
        ({"id": ""}, Rejected, "does not say why"),
        ({}, Rejected, "does not say why"),
        ({"error": {"code": 1}}, Rejected, "code"),
        ({"error": f"bad token {TOKEN}"}, Rejected, "does not say why"),
        ({"error": f"bad message {b'hello'.hex()}"}, Rejected, "does not say why"),
        ({"error": "two\nlines"}, Rejected, "does not say why"),
        ({"error": "x" * 1000}, Rejected, "x" * 120),
        ([], Uncertain, ""),
        ("OK", Uncertain, ""),
        (None, Uncertain, ""),
    ],
)
async def test_the_answer_to_a_send_is_judged(answer: Any, expected: Any, words: str) -> None:
    async with answering(JSONResponse(answer)) as network:
        if isinstance(expected, str):
            assert (await network.send(THING, b"hello")).network_id == expected
            return
        with pytest.raises(GatewayError, match=words or None) as caught:
            await network.send(THING, b"hello")
    assert type(caught.value) is expected
    assert TOKEN not in caught.value.reason
    assert len(caught.value.reason) < 200


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (400, "refuses it"),
        (403, "no access"),
        (404, "does not know this device"),
        (413, "too long"),
    ],
)
async def test_a_refusal_of_the_message_alone_is_final(status: int, words: str) -> None:
    async with answering(JSONResponse({"error": "no"}, status)) as network:
        with pytest.raises(Rejected, match=words):
            await network.send(THING, b"hello")


async def test_the_probe_tells_a_token_that_is_taken() -> None:
    with cloudloop() as server:
        async with connection(server.account()) as network:
            await network.check()
        assert server.simulator.modems.downlinks() == []


@pytest.mark.parametrize("status", [200, 400, 401, 403, 500])
async def test_the_probe_names_the_setting_of_a_token_that_is_refused(status: int) -> None:
    said = (Unavailable, "cannot answer") if status == 500 else (ConfigurationError, "_TOKEN: ")
    with cloudloop(habits=CloudloopHabits(refused_status=status)) as server:
        async with connection(server.account(token="wrong")) as network:
            with pytest.raises(said[0], match=said[1]):
                await network.check()


async def test_a_probe_with_an_empty_answer_is_well() -> None:
    async with answering(PlainTextResponse("")) as network:
        await network.check()


async def test_the_token_is_in_no_url_and_no_repr() -> None:
    urls: list[str] = []

    async def keep(request: Request) -> Response:
        urls.append(str(request.url))
        return JSONResponse({"id": "1"})

    with Serving(Starlette(routes=[Route("/{rest:path}", keep, methods=["POST"])])) as server:
        account = read(CloudloopAccount, token=TOKEN, webhook_secret=SECRET, url=server.url)
        async with connection(account) as network:
            await network.send(THING, b"hello")
            await network.check()
    assert len(urls) == 2
    for hidden in (TOKEN, SECRET):
        assert hidden not in repr(account) + str(urls)


async def test_it_travels_between_processes() -> None:
    with cloudloop() as server:
        async with connection(server.account()) as network:
            await network.send(THING, b"one")
            copy = pickle.loads(pickle.dumps(network))
            await copy.send(THING, b"two")
            await copy.aclose()
        assert [data for data, _ in server.downlinks()] == [b"one", b"two"]


def test_the_simulator_takes_parameters_in_every_documented_way() -> None:
    call = {"token": TOKEN, "thing": THING, "message": "48656c6c6f"}
    with cloudloop() as server, httpx.Client(base_url=server.url) as client:
        path = "/Data/DoSendSbdMessage"
        for answer in (
            client.get(path, params=call),
            client.post(path, data=call),
            client.post(path, json=call),
        ):
            found = {"token": TOKEN, "message": answer.json()["id"]}
            status = client.post("/Data/GetMtDeliveryStatus", data=found)
            assert status.json()["mtMessageStatus"] == "DELIVERED"
        things = client.post("/Data/GetThings", data={"token": TOKEN}).json()["things"]
        assert [thing["id"] for thing in things] == [THING]
