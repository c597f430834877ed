import asyncio
import logging
import pickle
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from messaging.configuration import read
from messaging.errors import ConfigurationError, Rejected, Unavailable, Uncertain
from messaging.satellite.network import Packet
from messaging.satellite.networks import ACCOUNTS
from messaging.satellite.networks.hive import HiveAccount
from messaging.simulator.faults import Faults
from messaging.simulator.hive import HiveSimulator
from messaging.simulator.hive_api import Habits
from messaging.simulator.hive_state import Device
from tests.satellite.hive_server import (
    PASSWORD,
    HiveServer,
    account_at,
    answering,
    closed_port,
    connected,
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
    async with connected(hive.account()) as network:
        await network.check()
        copy = pickle.loads(pickle.dumps(network))
        await copy.check()
        await copy.aclose()
    assert hive.simulator.counts()["logins"] == 2


async def test_many_callers_share_one_login(hive: HiveServer) -> None:
    async with connected(hive.account()) as network:
        await asyncio.gather(*(network.send("9", b"hello") for _ in range(30)))
    assert hive.simulator.counts()["logins"] == 1
    assert len(hive.simulator.state.downlinks()) == 30


@pytest.mark.parametrize("status", [401, 403])
async def test_an_expired_session_is_renewed_and_nothing_is_sent_twice(status: int) -> None:
    habits = Habits(username="boop", password=PASSWORD, expired_status=status)
    with serving(HiveSimulator([Device(9)], habits)) as hive:
        async with connected(hive.account()) as network:
            await network.check()
            hive.simulator.api.expire_sessions()
            await asyncio.gather(*(network.send("9", b"hello") for _ in range(10)))
            hive.simulator.api.expire_sessions()
            assert await network.inbox(50) == []
        assert hive.simulator.counts()["logins"] == 3
        assert len(hive.simulator.state.downlinks()) == 10


@pytest.mark.parametrize("status", [401, 403])
async def test_a_session_that_cannot_be_renewed_yet_is_no_refusal_of_the_device(
    status: int,
) -> None:
    habits = Habits(username="boop", password=PASSWORD, expired_status=status)
    with serving(HiveSimulator([Device(9)], habits)) as hive:
        async with connected(hive.account(login_pause_seconds=60)) as network:
            await network.check()
            hive.simulator.api.expire_sessions()
            with pytest.raises(Unavailable, match="does not accept our login"):
                await network.send("9", b"hello")


async def test_a_wrong_password_is_said_plainly_and_tried_rarely(hive: HiveServer) -> None:
    account = hive.account(password="wrong", login_pause_seconds=60)
    async with connected(account) as network:
        for _ in range(20):
            with pytest.raises(Unavailable, match="user name or password"):
                await network.check()
    assert hive.simulator.counts()["requests"] == 1


async def test_a_refused_device_costs_no_login(hive: HiveServer) -> None:
    async with connected(hive.account()) as network:
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
    async with connected(hive.account(organization_id=3)) as network:
        handed = await network.send("9", b"x" * 192)
    (downlink,) = hive.simulator.state.downlinks()
    assert (handed.network_id, downlink.data) == (str(downlink.id), b"x" * 192)


async def test_an_error_in_the_status_of_a_send_is_read(hive: HiveServer) -> None:
    async with connected(hive.account(max_packet_bytes=300)) as network:
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
        async with connected(account) as network:
            with pytest.raises(expected):
                await network.send("9", b"hello")


async def test_the_inbox_has_what_was_not_acknowledged(hive: HiveServer) -> None:
    first, second = (hive.simulator.state.put_uplink(9, data) for data in (b"one", b"two"))
    async with connected(hive.account()) as network:
        assert await network.inbox(1) == [Packet(str(first), "9", b"one", b"one")]
        await network.acknowledge(str(first))
        assert await network.inbox(50) == [Packet(str(second), "9", b"two", b"two")]
        with pytest.raises(Rejected, match="does not know"):
            await network.acknowledge(str(first))


async def test_a_page_is_in_order_and_has_nothing_twice() -> None:
    habits = Habits(username="boop", password=PASSWORD)
    faults = Faults(reorder=True, duplicate_rate=1)
    with serving(HiveSimulator([Device(9)], habits, faults)) as hive:
        ids = [str(hive.simulator.state.put_uplink(9, b"hello")) for _ in range(20)]
        async with connected(hive.account()) as network:
            assert [packet.id for packet in await network.inbox(50)] == ids


async def test_items_that_are_no_packets_do_not_fill_the_page_for_ever() -> None:
    def messages(request: Request) -> Response:
        everything: list[dict[str, Any]] = [{}] * 5 + [
            {"packetId": n, "deviceId": 9, "data": ""} for n in range(1, 9)
        ]
        return JSONResponse(everything[: int(request.query_params["count"])])

    with answering(messages) as account:
        async with connected(account) as network:
            assert await network.inbox(4) == []
            assert [packet.id for packet in await network.inbox(4)] == ["1", "2", "3"]


@pytest.mark.parametrize(
    "answer",
    [
        JSONResponse({"message": "an error object"}),
        JSONResponse({"message": "an error object"}, 400),
        Response("<html>"),
        Response(status_code=302, headers={"Location": "/login"}),
    ],
)
async def test_a_list_that_is_no_array_is_unavailable(answer: Response) -> None:
    with answering(lambda request: answer) as account:
        async with connected(account) as network:
            with pytest.raises(Unavailable):
                await network.inbox(50)


@pytest.mark.parametrize("answer", [Response("<html>"), JSONResponse({"status": "ERROR"})])
async def test_an_acknowledgement_that_did_not_work_is_unavailable(answer: Response) -> None:
    with answering(lambda request: answer) as account:
        async with connected(account) as network:
            with pytest.raises(Unavailable):
                await network.acknowledge("5")


@pytest.mark.parametrize("login", [Response("<html>"), Response(status_code=503), JSONResponse([])])
async def test_a_login_that_makes_no_sense_is_unavailable(login: Response) -> None:
    with answering(lambda request: JSONResponse([]), login) as account:
        async with connected(account) as network:
            with pytest.raises(Unavailable):
                await network.inbox(50)


async def test_the_token_is_used_as_well_as_the_cookie() -> None:
    def messages(request: Request) -> Response:
        allowed = request.headers.get("authorization") == "Bearer t0ken"
        return JSONResponse([]) if allowed else Response(status_code=401)

    with answering(messages) as account:
        async with connected(account) as network:
            assert await network.inbox(50) == []


async def test_a_host_that_is_not_there_is_unavailable() -> None:
    with closed_port() as url:
        async with connected(account_at(url)) as network:
            with pytest.raises(Unavailable, match="cannot be reached"):
                await network.check()


async def test_secrets_are_not_logged(hive: HiveServer, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with connected(hive.account()) as network:
        await network.send("9", b"hello")
        hive.simulator.dice.faults = Faults(hang_before_rate=1, hang_seconds=1)
    async with connected(hive.account(timeout_seconds=0.1)) as network:
        with pytest.raises(Unavailable):
            await network.check()
    assert caplog.records
    for secret in (PASSWORD, "JSESSIONID", "Bearer"):
        assert secret not in caplog.text
    assert PASSWORD not in repr(hive.account())
