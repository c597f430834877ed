import asyncio
import gc
import pickle
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from zlib import crc32

import pytest

from messaging.model.message import (
    Address,
    Delivery,
    Message,
    Network,
    Outcome,
    Result,
    SubmittedPart,
)
from messaging.satellite.codecs.protobuf import display_of
from messaging.satellite.providers.hive.account import HiveAccount
from messaging.satellite.sender import SatelliteSender
from messaging.sending.sender import SenderOperator
from messaging.simulator.shared.faults import Faults
from messaging.simulator.shared.serving import Serving
from tests.support.begins import MemoryBegins
from tests.support.closed_port import closed_port
from tests.support.concurrent_requests import Crowd
from tests.support.eventually import eventually
from tests.support.satellite.hive_server import HiveServer, account_at
from tests.support.send_deliveries import hand_over, outcomes_of

pytestmark = pytest.mark.anyio
LONG = "the wind is rising " * 20  # 380 bytes: three parts
BUSY = Faults(requests_per_second=0.001, retry_after_seconds=7)


def delivery(
    text: str = "hello", device: str = "9", seconds: float = 30, parts_sent: int = 0
) -> Delivery:
    message = Message(
        id=f"m-{text[:9]}",
        sender=Address(Network.EMAIL, "alice@example.com"),
        recipient=Address(Network.SATELLITE, device),
        text=text,
        via="hive",
    )
    lease = datetime.now(UTC) + timedelta(seconds=seconds)
    # Copies of one delivery are dropped, so each has an id of its own.
    number = crc32(f"{device} {text}".encode())
    return Delivery(id=number, message=message, attempt=1, lease_until=lease, parts_sent=parts_sent)


@asynccontextmanager
async def sending(account: HiveAccount, max_parts: int = 4) -> AsyncIterator[SenderOperator]:
    sender = SenderOperator(partial(SatelliteSender, account, max_parts), MemoryBegins)
    try:
        yield sender
    finally:
        await sender.close()


async def outcome_of(sender: SenderOperator, given: Delivery) -> Outcome:
    (outcome,) = await outcomes_of(sender, given)
    return outcome


def texts(hive: HiveServer, device: int = 9) -> list[str]:
    downlinks = hive.simulator.state.downlinks()
    return [display_of(d.data)[0][1] for d in downlinks if d.device_id == device]


async def test_a_sent_message_has_the_networks_id(hive: HiveServer) -> None:
    async with sending(hive.account()) as sender:
        outcome = await outcome_of(sender, delivery())
    (downlink,) = hive.simulator.state.downlinks()
    assert outcome == Outcome.sent(delivery(), SubmittedPart(str(downlink.id)))
    assert display_of(downlink.data) == [("alice@example.com", "hello")]


@pytest.mark.parametrize(
    ("alphabet", "shown"),
    [("exact", "\u201cBöe\u201d \u2013 auf"), ("plain", '"Böe" - auf'), ("ascii", '"Boee" - auf')],
)
async def test_a_device_gets_the_characters_of_its_own_alphabet(
    hive: HiveServer, alphabet: str, shown: str
) -> None:
    async with sending(hive.account()) as sender:
        await outcome_of(sender, replace(delivery("\u201cBöe\u201d \u2013 auf"), alphabet=alphabet))
    assert texts(hive) == [shown]


@pytest.mark.parametrize(
    ("faults", "result", "sends"),
    [
        (Faults(error_rate=1, error_status=400), Result.REJECTED, 0),
        (Faults(error_rate=1, error_status=404), Result.REJECTED, 0),
        (Faults(error_rate=1, error_status=401), Result.UNAVAILABLE, 0),
        (Faults(error_rate=1, error_status=500), Result.UNCERTAIN, 0),
        (Faults(error_rate=1, error_status=503), Result.UNAVAILABLE, 0),
        (BUSY, Result.UNAVAILABLE, 0),
        (Faults(refuse_rate=1), Result.UNCERTAIN, 0),
        (Faults(hang_before_rate=1), Result.UNCERTAIN, 0),
        (Faults(hang_after_rate=1), Result.UNCERTAIN, 1),
        (Faults(garbage_rate=1), Result.UNCERTAIN, 1),
        (Faults(latency_seconds=0.05), Result.SENT, 1),
    ],
)
async def test_every_answer_has_its_outcome(
    hive: HiveServer,
    faults: Faults,
    result: Result,
    sends: int,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("DEBUG")
    async with sending(hive.account(timeout_seconds=3, login_pause_seconds=60)) as sender:
        await outcome_of(sender, delivery("first"))
        hive.simulator.dice.faults = faults
        outcome = await outcome_of(sender, delivery("old pier"))
    assert outcome.result is result
    assert bool(outcome.reason) == (result is not Result.SENT)
    assert texts(hive) == ["first"] + ["old pier"] * sends
    assert "old pier" not in caplog.text + outcome.reason


async def test_the_networks_wish_to_wait_is_in_the_outcome(hive: HiveServer) -> None:
    async with sending(hive.account()) as sender:
        await outcome_of(sender, delivery())
        hive.simulator.dice.faults = BUSY
        assert (await outcome_of(sender, delivery())).retry_after_seconds == 7


async def test_a_refused_connection_is_unavailable() -> None:
    with closed_port() as url:
        async with sending(account_at(url)) as sender:
            assert (await outcome_of(sender, delivery())).result is Result.UNAVAILABLE


async def test_a_device_that_refuses_is_rejected_and_the_others_are_sent(hive: HiveServer) -> None:
    async with sending(hive.account()) as sender:
        given = delivery(device="10"), delivery(), delivery(device="8")
        outcomes = await outcomes_of(sender, *given)
    assert [o.result for o in outcomes] == [Result.REJECTED, Result.SENT, Result.SENT]


async def test_a_long_message_is_sent_in_order_and_whole(hive: HiveServer) -> None:
    async with sending(hive.account()) as sender:
        outcome = await outcome_of(sender, delivery(LONG))
    parts = texts(hive)
    assert [part[:4] for part in parts] == ["1/3 ", "2/3 ", "3/3 "]
    assert "".join(part[4:] for part in parts) == LONG
    assert (outcome.result, outcome.parts_sent) == (Result.SENT, 3)
    assert outcome.network_id == ",".join(str(d.id) for d in hive.simulator.state.downlinks())


async def test_more_parts_than_allowed_end_with_what_was_left_out(hive: HiveServer) -> None:
    async with sending(hive.account(), max_parts=2) as sender:
        outcome = await outcome_of(sender, delivery("word " * 400))
    assert outcome.parts_sent == 2
    assert texts(hive)[1].endswith(" more kept]")
    assert outcome.rest is not None
    assert outcome.rest.display == tuple(texts(hive))
    assert outcome.rest.units == outcome.rest.parts > 2


async def test_the_rest_of_a_text_is_numbered_on(hive: HiveServer) -> None:
    whole = delivery("word " * 100)
    rest = replace(whole, message=replace(whole.message, rest_characters=200))
    async with sending(hive.account(), max_parts=2) as sender:
        outcome = await outcome_of(sender, rest)
    assert outcome.rest is None
    assert [one[:4] for one in texts(hive)] == ["3/4 ", "4/4 "]


async def test_a_retry_begins_at_the_part_that_failed(hive: HiveServer) -> None:
    async with sending(hive.account()) as sender:
        assert (await outcome_of(sender, delivery(LONG, parts_sent=1))).parts_sent == 3
        assert [part[:4] for part in texts(hive)] == ["2/3 ", "3/3 "]
        assert (await outcome_of(sender, delivery(LONG, parts_sent=3))).result is Result.SENT
    assert len(texts(hive)) == 2


async def test_the_outcome_says_how_many_parts_the_network_has(hive: HiveServer) -> None:
    async with sending(hive.account()) as sender:
        await outcome_of(sender, delivery(device="8"))
        # However long the three take, they come within a second.
        hive.simulator.dice.now = lambda: 0.0
        hive.simulator.dice.faults = Faults(requests_per_second=2)
        outcome = await outcome_of(sender, delivery(LONG))
        assert (outcome.result, outcome.parts_sent) == (Result.UNAVAILABLE, 2)
        assert len(outcome.network_id.split(",")) == 2
        hive.simulator.dice.faults = Faults()
        again = await outcome_of(sender, delivery(LONG, parts_sent=outcome.parts_sent))
    assert (again.result, again.parts_sent) == (Result.SENT, 3)
    assert [part[:4] for part in texts(hive)] == ["1/3 ", "2/3 ", "3/3 "]


async def test_a_lease_that_ends_between_parts_keeps_the_progress(hive: HiveServer) -> None:
    async with sending(hive.account(timeout_seconds=2)) as sender:
        await outcome_of(sender, delivery(device="8"))
        hive.simulator.dice.faults = Faults(latency_seconds=0.7)
        outcome = await outcome_of(sender, delivery(LONG, seconds=3.2))
    assert outcome.result is Result.NOT_BEGUN
    assert 1 <= outcome.parts_sent <= 2
    assert len(outcome.network_id.split(",")) == outcome.parts_sent


async def test_nothing_is_begun_that_the_lease_would_cut_off(hive: HiveServer) -> None:
    async with sending(hive.account(timeout_seconds=5)) as sender:
        await outcome_of(sender, delivery(device="8"))
        hive.simulator.dice.faults = Faults(latency_seconds=0.4)
        outcome = await outcome_of(sender, delivery(seconds=0.2))
        assert outcome.result is Result.NOT_BEGUN
        await asyncio.sleep(0.5)
    assert texts(hive) == []


async def test_a_delivery_whose_lease_has_passed_is_left_alone(hive: HiveServer) -> None:
    async with sending(hive.account()) as sender:
        assert await outcomes_of(sender, delivery(seconds=-1)) == []
    assert hive.simulator.counts()["requests"] == 0


async def test_nothing_is_sent_that_may_not_begin(hive: HiveServer) -> None:
    begins = MemoryBegins()
    begins.is_away = True
    sender = SenderOperator(partial(SatelliteSender, hive.account(), 4), lambda: begins)
    assert await outcomes_of(sender, delivery()) == []
    begins.is_away = False
    assert len(await outcomes_of(sender, delivery())) == 1
    await sender.close()
    assert sender.status() == {"not_begun": 1, "begun": 1, "outcomes_sent": 1}
    assert len(hive.simulator.state.downlinks()) == 1


async def test_an_attempt_begins_when_its_request_is_the_next(hive: HiveServer) -> None:
    begins = MemoryBegins()
    crowd = Crowd(hive.simulator.app)
    with Serving(crowd) as server:
        account = account_at(f"{server.url}/hive", max_sends=1)
        sender = SenderOperator(partial(SatelliteSender, account, 4), lambda: begins)
        await outcome_of(sender, delivery())
        crowd.hold()
        given = [delivery(device=str(device)) for device in (7, 8, 9)]
        sent = asyncio.create_task(hand_over(sender, *given))
        await eventually(lambda: crowd.inside == 1)
        assert len(begins.begun) == 2
        crowd.let_go()
        assert [len(one) for one in await sent] == [1, 1, 1]
        await sender.close()
    assert len(begins.begun) == 4


async def test_a_sender_whose_address_leaves_no_room_is_rejected(hive: HiveServer) -> None:
    given = delivery()
    stranger = Address(Network.EMAIL, "a" * 190 + "@example.com")
    async with sending(hive.account()) as sender:
        outcome = await outcome_of(
            sender, replace(given, message=replace(given.message, sender=stranger))
        )
    assert outcome.result is Result.REJECTED
    assert "no room" in outcome.reason


async def test_each_device_gets_its_messages_in_order_across_batches(hive: HiveServer) -> None:
    def batch(first: int) -> list[Delivery]:
        return [delivery(f"{n:02}", device=str(7 + n % 3)) for n in range(first, first + 15)]

    async with sending(hive.account(max_sends=5)) as sender:
        await asyncio.gather(*(hand_over(sender, *batch(first)) for first in (0, 15, 30)))
    for device in (7, 8, 9):
        assert texts(hive, device) == [f"{n:02}" for n in range(45) if 7 + n % 3 == device]


async def test_one_that_fails_for_now_does_not_keep_back_those_behind_it(hive: HiveServer) -> None:
    hive.simulator.dice.faults = Faults(error_rate=0.4, error_status=503)
    async with sending(hive.account(login_pause_seconds=0.0001)) as sender:
        outcomes = await outcomes_of(sender, *(delivery(f"{n}") for n in range(40)))
    found = [outcome.result for outcome in outcomes]
    assert set(found) == {Result.SENT, Result.UNAVAILABLE}
    assert len(texts(hive)) == found.count(Result.SENT) > 5


async def test_many_are_sent_at_once_but_no_more_than_allowed(hive: HiveServer) -> None:
    crowd = Crowd(hive.simulator.app)
    with Serving(crowd) as server:
        async with sending(account_at(f"{server.url}/hive", max_sends=2)) as sender:
            await outcome_of(sender, delivery())
            crowd.hold()
            given = [delivery(device=str(device)) for device in (7, 8, 9, 10)]
            sent = asyncio.create_task(hand_over(sender, *given))
            await eventually(lambda: crowd.inside == 2)
            await asyncio.sleep(0.1)
            crowd.let_go()
            await sent
    assert crowd.most == 2


async def test_locks_of_devices_are_not_kept(hive: HiveServer) -> None:
    async with sending(hive.account()) as sender:
        await hand_over(sender, *(delivery(device=str(n), seconds=-1) for n in range(100)))
        gc.collect()
        assert len(sender._locks) == 0


async def test_a_sender_travels_between_processes(hive: HiveServer) -> None:
    sender = pickle.loads(pickle.dumps(SatelliteSender(hive.account(), 4)))
    outcome = await sender.send(delivery(), MemoryBegins().begin)
    assert outcome.result is Result.SENT
    await sender.close()
