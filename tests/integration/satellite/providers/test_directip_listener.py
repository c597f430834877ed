"""What Iridium's DirectIP gateway brings over real sockets, and what is answered."""

import asyncio
import socket
import time

import pytest

from messaging.errors import Unavailable
from messaging.model.message import DeviceReport
from tests.support.eventually import eventually
from tests.support.satellite.directip_gateway import (
    MAIL,
    DirectIpGateway,
    RecordingRouter,
    directip,
    listening,
)

pytestmark = pytest.mark.anyio


async def test_a_message_is_taken_and_confirmed(gateway: DirectIpGateway) -> None:
    taken = RecordingRouter()
    async with listening(gateway, taken):
        assert (await gateway.deliver(texts=MAIL))["taken"]
    assert taken.texts == ["Anchored at noon"]
    (beacon,) = [one for one in taken.records if isinstance(one, DeviceReport)]
    assert beacon.position is not None
    assert beacon.position.latitude == pytest.approx(50.8981, abs=1e-4)


async def test_a_message_may_come_byte_by_byte_with_unknown_elements(
    gateway: DirectIpGateway,
) -> None:
    taken = RecordingRouter()
    async with listening(gateway, taken):
        changes = {"unknown": "something new", "location_bytes": 20}
        told = await gateway.deliver(texts=MAIL, form="bytes", changes=changes)
    assert told["taken"]
    assert taken.texts == ["Anchored at noon"]


@pytest.mark.parametrize("status", [0, 2, 10, 13, 15])
async def test_a_session_without_a_message_is_no_message(
    gateway: DirectIpGateway, status: int
) -> None:
    taken = RecordingRouter()
    async with listening(gateway, taken, max_position_error_km=0):
        assert (await gateway.deliver(changes={"status": status}))["taken"]
    assert taken.records == []


@pytest.mark.parametrize(
    "frame", ["010000", "01000602000368656c", "010005010002aabb", "02000501", "474554202f0d0a"]
)
async def test_what_makes_no_sense_is_kept_and_confirmed(
    gateway: DirectIpGateway, frame: str
) -> None:
    taken = RecordingRouter()
    async with listening(gateway, taken):
        assert (await gateway.deliver(changes={"frame": frame}))["taken"]
    assert len(taken.dead_letters) == 1


async def test_a_message_that_breaks_off_is_neither_taken_nor_kept(
    gateway: DirectIpGateway,
) -> None:
    taken = RecordingRouter()
    async with listening(gateway, taken) as address:
        host, _, port = address.rpartition(":")
        _, writer = await asyncio.open_connection(host, int(port))
        writer.write(bytes.fromhex("01003501001c"))
        await writer.drain()
        writer.close()
        await writer.wait_closed()
        assert (await gateway.deliver(texts=MAIL))["taken"]
    assert taken.dead_letters == []


async def test_a_stranger_is_turned_away_unread(gateway: DirectIpGateway) -> None:
    taken = RecordingRouter()
    async with listening(gateway, taken, peers="192.0.2.0/24,2001:db8::/32"):
        assert not (await gateway.deliver(texts=MAIL))["taken"]
    assert taken.offered == 0


async def test_one_too_many_is_turned_away(gateway: DirectIpGateway) -> None:
    taken = RecordingRouter()
    async with listening(gateway, taken, max_connections=1, timeout_seconds=20) as address:
        host, _, port = address.rpartition(":")
        _, writer = await asyncio.open_connection(host, int(port))
        await asyncio.sleep(0.1)
        assert not (await gateway.deliver(texts=MAIL))["taken"]
        writer.close()
        await writer.wait_closed()


async def test_what_is_not_stored_is_not_confirmed_and_comes_again(
    gateway: DirectIpGateway,
) -> None:
    taken = RecordingRouter(error=Unavailable("the store is away"))
    async with listening(gateway, taken):
        assert (await gateway.deliver(texts=MAIL))["failure"] == "not confirmed"
        taken.error = None
        await eventually(lambda: taken.texts)
    assert taken.texts == ["Anchored at noon"]


async def test_an_unconfirmed_message_is_kept_until_it_is_stored() -> None:
    taken = RecordingRouter(error=Unavailable("the store is away"))
    with directip(confirms=False) as gateway:
        async with listening(gateway, taken):
            assert (await gateway.deliver(texts=MAIL))["taken"]
            await asyncio.sleep(0.2)
            assert taken.texts == []
            taken.error = None
            await eventually(lambda: taken.texts)
        assert len(gateway.simulator.calls.tries) == 1
    assert taken.texts == ["Anchored at noon"]


async def test_what_cannot_be_stored_before_the_end_is_said_to_be_lost(
    caplog: pytest.LogCaptureFixture,
) -> None:
    taken = RecordingRouter(error=Unavailable("the store is away"))
    with directip(confirms=False) as gateway:
        async with listening(gateway, taken):
            await gateway.deliver(texts=MAIL)
            await eventually(lambda: taken.offered)
    assert "is lost" in caplog.text
    assert "Anchored" not in caplog.text


async def test_a_drain_ends_in_time_whoever_holds_the_line(gateway: DirectIpGateway) -> None:
    async with listening(gateway, RecordingRouter(), timeout_seconds=0.5) as address:
        host, _, port = address.rpartition(":")
        held = socket.create_connection((host, int(port)))
        await asyncio.sleep(0.05)
        began = time.monotonic()
    assert time.monotonic() - began < 15
    held.close()


async def test_it_listens_on_ipv6_too(gateway: DirectIpGateway) -> None:
    taken = RecordingRouter()
    async with listening(gateway, taken, listen="[::1]:0", peers="::1"):
        assert (await gateway.deliver(texts=MAIL))["taken"]
