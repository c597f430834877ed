"""What the Hive's inbox holds, and answers of the Hive that make no sense."""

import logging
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from messaging.errors import Rejected, Unavailable
from messaging.satellite.account import Packet
from messaging.simulator.hive.api import HiveHabits
from messaging.simulator.hive.server import HiveSimulator
from messaging.simulator.hive.state import HiveDevice
from messaging.simulator.shared.faults import Faults
from tests.support.closed_port import closed_port
from tests.support.satellite.hive_server import (
    PASSWORD,
    HiveServer,
    account_at,
    answering,
    connection,
    serving,
)

pytestmark = pytest.mark.anyio


async def test_the_inbox_has_what_was_not_acknowledged(hive: HiveServer) -> None:
    first, second = (hive.simulator.state.put_uplink(9, data) for data in (b"one", b"two"))
    async with connection(hive.account()) as network:
        assert await network.inbox(1) == [Packet(str(first), "9", b"one", b"one")]
        await network.acknowledge(str(first))
        assert await network.inbox(50) == [Packet(str(second), "9", b"two", b"two")]
        with pytest.raises(Rejected, match="does not know"):
            await network.acknowledge(str(first))


async def test_a_page_is_in_order_and_has_nothing_twice() -> None:
    habits = HiveHabits(username="boop", password=PASSWORD)
    faults = Faults(reorder=True, duplicate_rate=1)
    with serving(HiveSimulator([HiveDevice(9)], habits, faults)) as hive:
        ids = [str(hive.simulator.state.put_uplink(9, b"hello")) for _ in range(20)]
        async with connection(hive.account()) as network:
            assert [packet.id for packet in await network.inbox(50)] == ids


async def test_items_that_are_no_packets_do_not_fill_the_page_for_ever() -> None:
    def messages(request: Request) -> Response:
        everything: list[dict[str, Any]] = [{}] * 5 + [
            {"packetId": n, "deviceId": 9, "data": ""} for n in range(1, 9)
        ]
        return JSONResponse(everything[: int(request.query_params["count"])])

    with answering(messages) as account:
        async with connection(account) as network:
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
        async with connection(account) as network:
            with pytest.raises(Unavailable):
                await network.inbox(50)


@pytest.mark.parametrize("answer", [Response("<html>"), JSONResponse({"status": "ERROR"})])
async def test_an_acknowledgement_that_did_not_work_is_unavailable(answer: Response) -> None:
    with answering(lambda request: answer) as account:
        async with connection(account) as network:
            with pytest.raises(Unavailable):
                await network.acknowledge("5")


@pytest.mark.parametrize("login", [Response("<html>"), Response(status_code=503), JSONResponse([])])
async def test_a_login_that_makes_no_sense_is_unavailable(login: Response) -> None:
    with answering(lambda request: JSONResponse([]), login) as account:
        async with connection(account) as network:
            with pytest.raises(Unavailable):
                await network.inbox(50)


async def test_the_token_is_used_as_well_as_the_cookie() -> None:
    def messages(request: Request) -> Response:
        allowed = request.headers.get("authorization") == "Bearer t0ken"
        return JSONResponse([]) if allowed else Response(status_code=401)

    with answering(messages) as account:
        async with connection(account) as network:
            assert await network.inbox(50) == []


async def test_a_host_that_is_not_there_is_unavailable() -> None:
    with closed_port() as url:
        async with connection(account_at(url)) as network:
            with pytest.raises(Unavailable, match="cannot be reached"):
                await network.check()


async def test_secrets_are_not_logged(hive: HiveServer, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with connection(hive.account()) as network:
        await network.send("9", b"hello")
        hive.simulator.dice.faults = Faults(hang_before_rate=1)
    async with connection(hive.account(timeout_seconds=1)) as network:
        with pytest.raises(Unavailable):
            await network.check()
    assert caplog.records
    for secret in (PASSWORD, "JSESSIONID", "Bearer"):
        assert secret not in caplog.text
    assert PASSWORD not in repr(hive.account())
