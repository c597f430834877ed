"""Messages to RockBLOCKs, over real sockets: every answer of the service, every way to get none."""

import pickle
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from messaging.config.env import read
from messaging.errors import (
    AccountBlocked,
    ConfigurationError,
    GatewayError,
    Rejected,
    Unavailable,
    Uncertain,
)
from messaging.model.message import Address, Message, Network
from messaging.satellite.account import SubmittedPart
from messaging.satellite.providers import ACCOUNTS
from messaging.satellite.providers.rockblock.account import RockblockAccount
from messaging.satellite.providers.rockblock.client import Rockblock
from messaging.simulator.rockblock.server import ERRORS, FIXTURE_PREFIX
from messaging.simulator.shared.faults import Faults
from messaging.simulator.shared.modems import Modem
from messaging.simulator.shared.serving import Serving
from tests.support.closed_port import closed_port
from tests.support.satellite.ground_control import IMEI, PASSWORD, rockblock

pytestmark = pytest.mark.anyio


EXPECTED: dict[int, type[GatewayError]] = {
    10: Unavailable,
    11: Rejected,
    12: Rejected,
    13: Unavailable,
    14: Rejected,
    15: Rejected,
    16: Rejected,
    99: Unavailable,
}


@asynccontextmanager
async def connected(account: RockblockAccount) -> AsyncIterator[Rockblock]:
    network = account.connect()
    try:
        yield network
    finally:
        await network.aclose()


def test_it_is_registered_under_its_name() -> None:
    assert ACCOUNTS["rockblock"] is RockblockAccount


def test_an_account_that_lacks_something_says_which_variable() -> None:
    with pytest.raises(ConfigurationError) as caught:
        read(RockblockAccount)
    assert "SATBRIDGE_ROCKBLOCK_USERNAME is not set" in str(caught.value)
    assert "SATBRIDGE_ROCKBLOCK_PASSWORD is not set" in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value"), [("public_key", "AAAA"), ("public_key", "%"), ("webhook_secret", "short/")]
)
def test_a_setting_that_cannot_work_is_named_and_not_shown(name: str, value: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        read(RockblockAccount, username="a", password="b", **{name: value})
    assert f"SATBRIDGE_ROCKBLOCK_{name.upper()}" in str(caught.value)
    assert value not in str(caught.value)


@pytest.mark.parametrize(("size", "units"), [(1, 1), (50, 1), (51, 2), (270, 6)])
async def test_a_packet_is_queued_and_its_credits_are_counted(size: int, units: int) -> None:
    with rockblock(credits_left=10) as server:
        async with connected(server.account()) as network:
            handed = await network.send(IMEI, b"x" * size)
        assert handed == SubmittedPart("1", units)
        assert server.downlinks() == [b"x" * size]
        assert server.simulator.credits_left == 10 - units


async def test_a_packet_that_is_too_long_never_leaves() -> None:
    with rockblock() as server:
        async with connected(server.account()) as network:
            with pytest.raises(Rejected, match="271 bytes"):
                await network.send(IMEI, b"x" * 271)
        assert server.simulator.app.requests == 0


@pytest.mark.parametrize("serial", ["", "RB0012345", "-1", "\u0663"])
async def test_a_serial_that_is_no_imei_is_rejected(serial: str) -> None:
    with rockblock() as server, pytest.raises(Rejected):
        await server.account().connect().send(serial, b"hello")


def test_the_simulator_knows_every_code_that_is_expected_here() -> None:
    assert EXPECTED.keys() == ERRORS.keys()


@pytest.mark.parametrize("code", ERRORS)
async def test_every_code_means_what_its_table_says(
    code: int, caplog: pytest.LogCaptureFixture
) -> None:
    with rockblock() as server:
        async with connected(server.account(hold_seconds=99)) as network:
            with pytest.raises(GatewayError) as caught:
                await network.send(f"{FIXTURE_PREFIX}{code}", b"hello")
    assert type(caught.value) is (AccountBlocked if code in (10, 13) else EXPECTED[code])
    asked = getattr(caught.value, "retry_after_seconds", None)
    assert asked == (99 if code in (10, 13) else None)
    assert caplog.records == []
    assert ERRORS[code] not in caught.value.reason


@pytest.mark.parametrize(
    ("settings", "modem", "credits_left", "expected", "words"),
    [
        ({"password": "wrong"}, Modem(IMEI), None, Unavailable, "user name or password"),
        ({}, Modem("300234010753371"), None, Rejected, "does not know this device"),
        ({}, Modem(IMEI, line_rental=False), None, Rejected, "no line rental"),
        ({}, Modem(IMEI), 0, Unavailable, "out of credit"),
        ({"max_packet_bytes": 400}, Modem(IMEI), None, Rejected, "too long"),
    ],
)
async def test_what_is_wrong_is_said_in_plain_words(
    settings: dict[str, Any],
    modem: Modem,
    credits_left: int | None,
    expected: type[Exception],
    words: str,
) -> None:
    with rockblock(modem, credits_left=credits_left) as server:
        async with connected(server.account(**settings)) as network:
            with pytest.raises(expected, match=words):
                await network.send(IMEI, b"x" * (271 if "max_packet_bytes" in settings else 5))


@pytest.mark.parametrize(
    ("faults", "expected", "sends"),
    [
        (Faults(error_rate=1, error_status=500), Uncertain, 0),
        (Faults(error_rate=1, error_status=503), Uncertain, 0),
        (Faults(error_rate=1, error_status=404), Unavailable, 0),
        (Faults(error_rate=1, error_status=401), Unavailable, 0),
        (Faults(requests_per_second=0.001, retry_after_seconds=7), Unavailable, 0),
        (Faults(refuse_rate=1), Uncertain, 0),
        (Faults(hang_before_rate=1), Uncertain, 0),
        (Faults(hang_after_rate=1), Uncertain, 1),
        (Faults(garbage_rate=1), Uncertain, 1),
    ],
)
async def test_an_answer_that_does_not_come_is_judged(
    faults: Faults, expected: type[Exception], sends: int
) -> None:
    with rockblock(faults=faults) as server:
        async with connected(server.account(timeout_seconds=3)) as network:
            with pytest.raises(expected) as caught:
                await network.send(IMEI, b"hello")
        assert type(caught.value) is expected
        assert len(server.downlinks()) == sends


async def test_a_host_that_is_not_there_is_unavailable() -> None:
    with closed_port() as url, rockblock() as server:
        async with connected(server.account(url=url)) as network:
            with pytest.raises(Unavailable, match="cannot be reached"):
                await network.send(IMEI, b"hello")


async def test_the_probe_costs_nothing_and_tells_a_wrong_password() -> None:
    with rockblock(credits_left=0) as server:
        async with connected(server.account()) as network:
            await network.check()
        async with connected(server.account(password="wrong")) as network:
            with pytest.raises(ConfigurationError, match=r"_PASSWORD: .* user name or password"):
                await network.check()
        assert server.simulator.modems.downlinks() == []


@pytest.mark.parametrize("answer", ["", "<html>", "OK,5", "FAILED,99,System Error"])
async def test_a_probe_that_makes_no_sense_is_unavailable(answer: str) -> None:
    async def say(request: Request) -> Response:
        return PlainTextResponse(answer)

    app = Starlette(routes=[Route("/MT", say, methods=["POST"])])
    with Serving(app) as server:
        account = read(RockblockAccount, username="a", password="b", url=server.url)
        async with connected(account) as network:
            with pytest.raises(Unavailable):
                await network.check()


async def test_the_login_is_in_no_url_and_no_repr() -> None:
    urls: list[str] = []

    async def keep(request: Request) -> Response:
        urls.append(str(request.url))
        return PlainTextResponse("OK,5")

    with Serving(Starlette(routes=[Route("/MT", keep, methods=["POST"])])) as server:
        account = read(RockblockAccount, username="a", password=PASSWORD, url=server.url)
        async with connected(account) as network:
            await network.send(IMEI, b"hello")
    assert PASSWORD not in repr(account) + str(urls)


async def test_it_travels_between_processes() -> None:
    with rockblock() as server:
        async with connected(server.account()) as network:
            await network.send(IMEI, b"one")
            copy = pickle.loads(pickle.dumps(network))
            await copy.send(IMEI, b"two")
            await copy.aclose()
        assert server.downlinks() == [b"one", b"two"]


async def test_flush_leaves_only_the_newest_packet_in_the_queue() -> None:
    with rockblock(Modem(IMEI, reachable=False)) as server:
        async with connected(server.account()) as network:
            await network.send(IMEI, b"one")
            await network.send(IMEI, b"two")
        async with connected(server.account(flush=True)) as network:
            await network.send(IMEI, b"three")
        states = [(d.data, d.state) for d in server.simulator.modems.downlinks()]
    assert states == [(b"one", "flushed"), (b"two", "flushed"), (b"three", "queued")]


def test_with_flush_a_long_text_has_one_part() -> None:
    message = Message(
        id="0" * 32,
        sender=Address(Network.EMAIL, "alice@example.net"),
        recipient=Address(Network.SATELLITE, IMEI),
        text="word " * 200,
        via="rockblock",
    )
    login = {"username": "a", "password": "b"}
    assert len(read(RockblockAccount, **login).packets(message, "", 4)) == 4
    (only,) = read(RockblockAccount, **login, flush=True).packets(message, "", 4)
    assert len(only) <= 270
