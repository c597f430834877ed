import asyncio
import pickle
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from messaging.config.env import read
from messaging.errors import ConfigurationError, Rejected, Unavailable, Uncertain
from messaging.satellite.providers import ACCOUNTS
from messaging.satellite.providers.hive.account import HiveAccount
from messaging.satellite.providers.hive.client import WHO_AM_I
from messaging.simulator.hive.api import HiveHabits
from messaging.simulator.hive.server import HiveSimulator
from messaging.simulator.hive.state import HiveDevice
from tests.support.satellite.hive_server import (
    PASSWORD,
    HiveServer,
    answering,
    connection,
    serving,
)

pytestmark = pytest.mark.anyio


def test_the_hive_is_registered_under_its_name() -> None:
    assert ACCOUNTS["hive"] is HiveAccount


def test_an_account_that_lacks_something_says_which_variable() -> None:
    with pytest.raises(ConfigurationError) as caught:
        read(HiveAccount, url="http://hive.example")
    assert "SATBRIDGE_HIVE_USERNAME is not set" in str(caught.value)
    assert "SATBRIDGE_HIVE_PASSWORD is not set" in str(caught.value)


async def test_a_hive_travels_between_processes(hive: HiveServer) -> None:
    async with connection(hive.account()) as network:
        await network.check()
        copy = pickle.loads(pickle.dumps(network))
        await copy.check()
        await copy.aclose()
    assert hive.simulator.counts()["logins"] == 2


async def test_many_callers_share_one_login(hive: HiveServer) -> None:
    async with connection(hive.account()) as network:
        await asyncio.gather(*(network.send("9", b"hello") for _ in range(30)))
    assert hive.simulator.counts()["logins"] == 1
    assert len(hive.simulator.state.downlinks()) == 30


@pytest.mark.parametrize("status", [401, 403])
async def test_an_expired_session_is_renewed_and_nothing_is_sent_twice(status: int) -> None:
    habits = HiveHabits(username="boop", password=PASSWORD, expired_status=status)
    with serving(HiveSimulator([HiveDevice(9)], habits)) as hive:
        async with connection(hive.account()) as network:
            await network.check()
            hive.simulator.api.expire_sessions()
            await asyncio.gather(*(network.send("9", b"hello") for _ in range(10)))
            hive.simulator.api.expire_sessions()
            assert await network.inbox(50) == []
        assert hive.simulator.counts()["logins"] == 3
        assert len(hive.simulator.state.downlinks()) == 10


async def test_a_refusal_of_the_old_session_is_no_refusal_of_the_device() -> None:
    loop = asyncio.get_running_loop()
    inbox_calls = 0

    async def answer(request: Request) -> Response:
        nonlocal inbox_calls
        if request.url.path.endswith(WHO_AM_I):
            # Another caller logs in between the refusal and this question about it.
            inbox = asyncio.run_coroutine_threadsafe(network.inbox(1), loop)
            assert await asyncio.wrap_future(inbox) == []
            return JSONResponse({})
        if request.method == "GET":
            inbox_calls += 1
            return JSONResponse([], 401 if inbox_calls == 1 else 200)
        return JSONResponse({"packetId": 7, "status": "OK"}, 403 if inbox_calls < 2 else 200)

    with answering(answer) as account:
        async with connection(account) as network:
            assert (await network.send("9", b"hello")).network_id == "7"


@pytest.mark.parametrize("status", [401, 403])
async def test_a_session_that_cannot_be_renewed_yet_is_no_refusal_of_the_device(
    status: int,
) -> None:
    habits = HiveHabits(username="boop", password=PASSWORD, expired_status=status)
    with serving(HiveSimulator([HiveDevice(9)], habits)) as hive:
        async with connection(hive.account(login_pause_seconds=60)) as network:
            await network.check()
            hive.simulator.api.expire_sessions()
            with pytest.raises(Unavailable, match="does not accept our login"):
                await network.send("9", b"hello")


async def test_a_wrong_password_is_said_plainly_and_tried_rarely(hive: HiveServer) -> None:
    account = hive.account(password="wrong", login_pause_seconds=60)
    async with connection(account) as network:
        for _ in range(20):
            with pytest.raises(Unavailable, match="user name or password"):
                await network.check()
    assert hive.simulator.counts()["requests"] == 1


async def test_a_refused_device_costs_no_login(hive: HiveServer) -> None:
    async with connection(hive.account()) as network:
        for serial in ("10", "404", "10"):
            with pytest.raises(Rejected, match="no access to this device"):
                await network.send(serial, b"hello")
    assert hive.simulator.counts()["logins"] == 1


@pytest.mark.parametrize("serial", ["", "F-0x1", "-9", "\u0669"])
async def test_a_serial_that_is_no_number_is_rejected(hive: HiveServer, serial: str) -> None:
    with pytest.raises(Rejected):
        await hive.account().connect().send(serial, b"hello")


async def test_a_packet_that_is_too_long_never_leaves(hive: HiveServer) -> None:
    with pytest.raises(Rejected, match="193 bytes"):
        await hive.account().connect().send("9", b"x" * 193)
    assert hive.simulator.counts()["requests"] == 0


async def test_a_packet_of_just_the_limit_is_sent(hive: HiveServer) -> None:
    async with connection(hive.account(organization_id=3)) as network:
        handed = await network.send("9", b"x" * 192)
    (downlink,) = hive.simulator.state.downlinks()
    assert (handed.network_id, downlink.data) == (str(downlink.id), b"x" * 192)


async def test_an_error_in_the_status_of_a_send_is_read(hive: HiveServer) -> None:
    async with connection(hive.account(max_packet_bytes=300)) as network:
        with pytest.raises(Rejected, match="too long"):
            await network.send("9", b"x" * 200)


FINAL_ERRORS = [
    "data too long",
    "packet TOO LARGE",
    "invalid data",
    "unknown device",
    "device not found",
    "device disabled",
    "two-way is not enabled",
    "no access",
]


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        *(({"packetId": 0, "status": f"ERROR: {sign}"}, Rejected) for sign in FINAL_ERRORS),
        ({"packetId": 0, "status": "ERROR something of today"}, Unavailable),
        ({"packetId": 0, "status": "ERROR: invalid session"}, Unavailable),
        ({"status": "OK"}, Uncertain),
        ({}, Uncertain),
        (None, Uncertain),
        ([1], Uncertain),
        ("OK", Uncertain),
    ],
)
async def test_the_answer_to_a_send_is_judged(answer: Any, expected: type[Exception]) -> None:
    with answering(lambda request: JSONResponse(answer)) as account:
        async with connection(account) as network:
            with pytest.raises(expected):
                await network.send("9", b"hello")
