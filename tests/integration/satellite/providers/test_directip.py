"""Messages to devices by Iridium's DirectIP over real sockets: every status, and every way to get none."""

import asyncio
import contextlib
import pickle
from collections.abc import AsyncIterator

import pytest

from messaging.errors import ConfigurationError, GatewayError, Rejected, Unavailable, Uncertain
from messaging.model.message import Address, Message, Network
from messaging.satellite.account import SubmittedPart
from messaging.satellite.providers import ACCOUNTS
from messaging.satellite.providers.directip.account import DirectIpAccount
from messaging.simulator.directip.api import FIXTURE_PREFIX
from messaging.simulator.shared.faults import Faults
from messaging.simulator.shared.modems import Modem
from tests.support.satellite.directip_gateway import (
    IMEI,
    DirectIpGateway,
    directip,
    directip_account,
)

pytestmark = pytest.mark.anyio

LATER = {-5, -6, -9, -10, -12}


async def send(
    account: DirectIpAccount, packet: bytes = b"hello", serial: str = IMEI
) -> SubmittedPart:
    network = pickle.loads(pickle.dumps(account.connect()))
    try:
        handed: SubmittedPart = await network.send(serial, packet)
        return handed
    finally:
        await network.aclose()


def data(gateway: DirectIpGateway) -> list[bytes]:
    return [one.data for one in gateway.simulator.modems.downlinks()]


def test_it_is_registered_under_its_name() -> None:
    assert ACCOUNTS["directip"] is DirectIpAccount


@pytest.mark.parametrize("peers", ["", " , ", "example.org", "192.0.2.1/24", "all"])
def test_peers_that_say_nothing_are_refused(peers: str) -> None:
    with pytest.raises(ConfigurationError, match="SATBRIDGE_DIRECTIP_PEERS"):
        directip_account(peers=peers)


@pytest.mark.parametrize("priority", [0, 6])
def test_a_priority_that_there_is_not_is_refused(priority: int) -> None:
    with pytest.raises(ConfigurationError, match="SATBRIDGE_DIRECTIP_PRIORITY"):
        directip_account(priority=priority)


async def test_a_message_is_queued_and_has_the_gateways_id(gateway: DirectIpGateway) -> None:
    first, second = [await send(gateway.account()) for _ in range(2)]
    assert int(first.network_id) + 1 == int(second.network_id)
    assert first.billed_units is None
    assert data(gateway) == [b"hello", b"hello"]


async def test_units_are_counted_where_the_contract_says_so(gateway: DirectIpGateway) -> None:
    account = gateway.account(credit_bytes=30)
    units = [(await send(account, b"x" * length)).billed_units for length in (1, 30, 31, 270)]
    assert units == [1, 1, 2, 9]


@pytest.mark.parametrize("status", range(-12, 0))
async def test_every_status_is_a_failure_of_its_kind(gateway: DirectIpGateway, status: int) -> None:
    with pytest.raises(Unavailable if status in LATER else Rejected) as caught:
        await send(gateway.account(), serial=f"{FIXTURE_PREFIX}{-status:02}")
    assert caught.value.reason
    assert data(gateway) == []


async def test_a_full_queue_is_for_later_and_a_flush_empties_it() -> None:
    with directip(Modem(IMEI, reachable=False)) as gateway:
        for number in range(50):
            await send(gateway.account(), b"%d" % number)
        with pytest.raises(Unavailable) as caught:
            await send(gateway.account(hold_seconds=77))
        assert caught.value.retry_after_seconds == 77
        await send(gateway.account(flush=True), b"the newest")
        waiting = gateway.simulator.modems.downlinks()
        assert [one.data for one in waiting if one.state == "queued"] == [b"the newest"]


async def test_the_priority_travels(gateway: DirectIpGateway) -> None:
    await send(gateway.account(priority=1))
    await send(gateway.account())
    carried = [one.carried for one in gateway.simulator.modems.downlinks()]
    assert carried == ["priority 1", "priority 5"]


@pytest.mark.parametrize("serial", ["", "9", "3004340600000000", "30043406000000x"])
async def test_what_is_no_imei_is_never_sent(serial: str) -> None:
    with pytest.raises(Rejected):
        await send(directip_account(), serial=serial)


async def test_a_packet_that_is_too_long_is_never_sent() -> None:
    with pytest.raises(Rejected, match="271 bytes"):
        await send(directip_account(), b"x" * 271)


def message(text: str) -> Message:
    return Message(
        id="m",
        sender=Address(Network.EMAIL, "alice@example.com"),
        recipient=Address(Network.SATELLITE, IMEI),
        text=text,
        via="directip",
    )


def test_a_long_text_is_split_but_never_when_each_part_would_flush_the_last() -> None:
    long = message("word " * 200)
    parts = directip_account().packets(long, "", 4)
    assert len(parts) == 4
    assert all(len(part) <= 270 for part in parts)
    assert len(directip_account(flush=True).packets(long, "", 4)) == 1


@contextlib.asynccontextmanager
async def answering(answer: bytes) -> AsyncIterator[str]:
    """A server that answers whatever comes with these bytes and hangs up."""

    async def answer_it(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1000)
        writer.write(answer)
        writer.close()

    server = await asyncio.start_server(answer_it, "127.0.0.1", 0)
    async with server:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"


@pytest.mark.parametrize(
    "answer", [b"", b"\x01", b"\x01\x00\x1cshort", b"HTTP/1.1 400 Bad Request\r\n\r\n"]
)
async def test_an_answer_that_is_none_leaves_us_unsure(answer: bytes) -> None:
    async with answering(answer) as address:
        with pytest.raises(Uncertain):
            await send(directip_account(gateway=address))


async def test_the_probe_sends_nothing(gateway: DirectIpGateway) -> None:
    await gateway.account().connect().check()
    assert data(gateway) == []


@pytest.mark.parametrize("fault", [{"error_status": 401}, {"error_status": 503}])
async def test_the_probe_says_when_we_are_refused(
    gateway: DirectIpGateway, fault: dict[str, int]
) -> None:
    gateway.simulator.dice.faults = Faults(error_rate=1, **fault)
    with pytest.raises(GatewayError, match="satellite network"):
        await gateway.account().connect().check()


async def test_the_probe_says_when_what_answers_is_no_gateway() -> None:
    async with answering(b"220 mail.example.org\r\n") as address:
        with pytest.raises(Unavailable):
            await directip_account(gateway=address).connect().check()
