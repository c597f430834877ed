import asyncio
import pickle
import time

import pytest

from messaging.errors import Busy, Rejected, Unavailable
from messaging.model.message import Emit, Inbound
from messaging.satellite.poller import SatellitePoller
from messaging.simulator.shared.faults import Faults
from tests.support.eventually import eventually
from tests.support.satellite.hive_server import HiveServer, polling
from tests.support.satellite.uplinks import Router, acknowledged_count, put, waiting_count

pytestmark = pytest.mark.anyio
SECRET = "meet me at the old pier"


async def test_an_accepted_message_is_acknowledged(hive: HiveServer) -> None:
    put(hive, "hello", "again")
    router = Router()
    async with polling(hive.account(), router.emit) as poller:
        await eventually(lambda: acknowledged_count(hive) == 1)
    assert router.texts() == ["hello", "again"]
    assert poller.status()["packets_taken"] == 1
    assert poller.status()["last_poll"] is not None


async def test_nothing_is_acknowledged_before_the_router_committed(hive: HiveServer) -> None:
    put(hive, "hello")
    called, committed = asyncio.Event(), asyncio.Event()

    async def slow(inbound: Inbound) -> None:
        called.set()
        await committed.wait()

    async with polling(hive.account(), slow):
        await called.wait()
        await asyncio.sleep(0.1)
        assert acknowledged_count(hive) == 0
        committed.set()
        await eventually(lambda: acknowledged_count(hive) == 1)


async def test_a_rejected_message_is_stored_and_acknowledged(hive: HiveServer) -> None:
    put(hive, "hello")
    router = Router()
    router.errors["hello"] = Rejected("no such subscriber")
    async with polling(hive.account(), router.emit) as poller:
        await eventually(lambda: acknowledged_count(hive) == 1)
    assert [kept.reason for kept in router.dead_letters()] == ["no such subscriber"]
    assert poller.status()["undeliverable"] == 1


async def test_a_poisoned_packet_is_stored_with_its_bytes_and_acknowledged(
    hive: HiveServer,
) -> None:
    hive.simulator.state.put_uplink(9, b"\xff\x00poison")
    put(hive, "after it")
    router = Router()
    async with polling(hive.account(), router.emit):
        await eventually(lambda: acknowledged_count(hive) == 2)
    assert [kept.raw for kept in router.dead_letters()] == [b"\xff\x00poison"]
    assert router.texts() == ["after it"]


@pytest.mark.parametrize(
    "error", [Unavailable("database away"), Busy("too many waiting"), RuntimeError(SECRET)]
)
async def test_a_message_that_fails_for_now_stays_and_is_offered_again(
    hive: HiveServer, error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    put(hive, "bad")
    put(hive, "good")
    put(hive, "other", device=8)
    router = Router()
    router.errors["bad"] = error
    async with polling(hive.account(), router.emit) as poller:
        await eventually(lambda: router.offered.count("bad") > 2)
        assert (acknowledged_count(hive), waiting_count(hive)) == (2, 1)
        assert poller.status()["stuck"] == 1
        router.errors.clear()
        await eventually(lambda: acknowledged_count(hive) == 3)
    assert sorted(router.texts()) == ["bad", "good", "other"]
    assert SECRET not in caplog.text


async def test_texts_are_not_logged(hive: HiveServer, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    put(hive, SECRET)
    put(hive, f"{SECRET} rejected")
    hive.simulator.state.put_uplink(9, b"\xff" + SECRET.encode())
    router = Router()
    router.errors[f"{SECRET} rejected"] = Rejected("no")
    async with polling(hive.account(), router.emit):
        await eventually(lambda: acknowledged_count(hive) == 3)
    assert SECRET not in caplog.text


async def test_what_a_network_lists_twice_is_committed_once(hive: HiveServer) -> None:
    hive.simulator.dice.faults = Faults(duplicate_rate=1, reorder=True)
    for number in range(20):
        put(hive, f"text {number}")
    router = Router()
    async with polling(hive.account(), router.emit):
        # At this rate the network goes on listing what was acknowledged.
        await eventually(lambda: len(router.offered) > 40)
        assert await requests_per_second(hive) < 500
        hive.simulator.dice.faults = Faults()
        await eventually(lambda: acknowledged_count(hive) == 20)
    assert sorted(router.texts()) == sorted(f"text {number}" for number in range(20))


async def requests_per_second(hive: HiveServer) -> float:
    """How often the network is asked; a busy machine sleeps longer than it is told to."""
    began, before = time.monotonic(), hive.simulator.counts()["requests"]
    await asyncio.sleep(0.3)
    return (hive.simulator.counts()["requests"] - before) / (time.monotonic() - began)


async def test_one_page_after_another_is_taken_without_a_pause(hive: HiveServer) -> None:
    for number in range(35):
        put(hive, f"text {number}")
    router = Router()
    async with polling(hive.account(page_size=10, poll_seconds=60), router.emit):
        await eventually(lambda: acknowledged_count(hive) == 35)
    assert len(router.texts()) == 35


async def test_one_device_keeps_its_order(hive: HiveServer) -> None:
    hive.simulator.dice.faults = Faults(reorder=True)
    for number in range(12):
        put(hive, f"{number}", device=7 + number % 2)
    router = Router()
    async with polling(hive.account(), router.emit):
        await eventually(lambda: acknowledged_count(hive) == 12)
    assert [text for text in router.texts() if int(text) % 2] == ["1", "3", "5", "7", "9", "11"]
    assert [text for text in router.texts() if not int(text) % 2] == ["0", "2", "4", "6", "8", "10"]


async def test_a_page_of_stuck_packets_neither_starves_those_behind_nor_spins(
    hive: HiveServer,
) -> None:
    router = Router()
    for _ in range(12):
        put(hive, "stuck")
    for number in range(5):
        put(hive, f"behind {number}")
    router.errors["stuck"] = RuntimeError("a bug")
    account = hive.account(page_size=4, longest_retry_seconds=60, retry_seconds=30)
    async with polling(account, router.emit):
        await eventually(lambda: acknowledged_count(hive) == 5)
        assert router.offered.count("stuck") == 12
        assert await requests_per_second(hive) <= 7 / 0.3


async def test_two_pollers_of_one_account_do_no_harm(hive: HiveServer) -> None:
    for number in range(30):
        put(hive, f"text {number}", device=7 + number % 3)
    router = Router()
    account = hive.account(page_size=7)
    async with polling(account, router.emit), polling(account, router.emit):
        await eventually(lambda: acknowledged_count(hive) == 30)
    assert sorted(router.texts()) == sorted(f"text {number}" for number in range(30))


async def test_draining_finishes_the_page_and_then_stops(hive: HiveServer) -> None:
    put(hive, "hello")
    router = Router()
    called, go_on = asyncio.Event(), asyncio.Event()

    async def slow(inbound: Inbound) -> None:
        called.set()
        await go_on.wait()
        await router.emit(inbound)

    poller = SatellitePoller(hive.account(poll_seconds=60), "hive")
    running = asyncio.create_task(poller.run(slow))
    await called.wait()
    draining = asyncio.create_task(poller.drain())
    await asyncio.sleep(0.05)
    assert not draining.done()
    go_on.set()
    async with asyncio.timeout(20):
        await draining
        await running
    assert (acknowledged_count(hive), router.texts()) == (1, ["hello"])


@pytest.mark.parametrize("faults", [Faults(), Faults(error_rate=1)])
async def test_draining_ends_a_wait_at_once(hive: HiveServer, faults: Faults) -> None:
    hive.simulator.dice.faults = faults
    slow = hive.account(poll_seconds=60, retry_seconds=60, longest_retry_seconds=60)
    async with asyncio.timeout(20):
        async with polling(slow, Router().emit) as poller:
            await eventually(lambda: any(map(poller.status().get, ("last_poll", "failing_since"))))
        await poller.drain()


def test_a_poller_travels_between_processes(hive: HiveServer) -> None:
    poller = pickle.loads(pickle.dumps(SatellitePoller(hive.account(), "hive")))
    router = Router()
    put(hive, "hello")

    async def run(emit: Emit) -> None:
        running = asyncio.create_task(poller.run(emit))
        await eventually(lambda: acknowledged_count(hive) == 1)
        await poller.drain()
        await running

    asyncio.run(run(router.emit))
    assert router.texts() == ["hello"]
