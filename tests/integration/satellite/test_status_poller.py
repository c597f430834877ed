"""What was handed over is asked about until its end is known: with a real network, whatever fails on the way."""

import asyncio
import pickle
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from messaging.errors import Rejected, Unavailable
from messaging.model.message import Inbound, Receipt, ReceiptState
from messaging.satellite.providers.cloudloop.account import CloudloopAccount
from messaging.satellite.status_poller import StatusPoller
from messaging.simulator.cloudloop.server import STATUSES, CloudloopHabits
from messaging.simulator.shared.faults import Faults
from messaging.simulator.shared.modems import Modem
from tests.support.eventually import eventually
from tests.support.satellite.ground_control import IMEI, THING, CloudloopServer, cloudloop

pytestmark = pytest.mark.anyio

ENDS = {"delivered_statuses": "arrived, delivered", "failed_statuses": "FAILED"}
REACHABLE, AWAY = Modem(IMEI, thing=THING), Modem(IMEI, thing=THING, reachable=False)


@dataclass
class SentMessages:
    """Everything that was handed over, and what was heard of it."""

    ids: list[str] = field(default_factory=list)
    failures: list[Exception] = field(default_factory=list)
    heard: list[Inbound] = field(default_factory=list)
    rounds: int = 0

    def next(self) -> Sequence[str]:
        self.rounds += 1
        if self.failures:
            raise self.failures.pop()
        known = {one.network_id for one in self.heard if isinstance(one, Receipt)}
        return [network_id for network_id in self.ids if network_id not in known]

    async def emit(self, record: Inbound) -> None:
        self.heard.append(record)


@dataclass
class Lease:
    """Whose turn it is; two may share it."""

    ours: bool = True

    @property
    def is_valid(self) -> bool:
        return self.ours

    def acquire(self) -> bool:
        return self.ours

    def release(self) -> None:
        self.ours = False


@asynccontextmanager
async def tracing(
    account: CloudloopAccount, handed: SentMessages, turn: Lease | None = None
) -> AsyncIterator[StatusPoller]:
    tracer = StatusPoller(account, "cloudloop", handed, turn or Lease())
    running = asyncio.create_task(tracer.run(handed.emit))
    try:
        yield tracer
    finally:
        async with asyncio.timeout(10):
            await tracer.drain()
            await running


async def send(server: CloudloopServer, count: int = 1) -> list[str]:
    network = server.account().connect()
    try:
        return [(await network.send(THING, b"hello")).network_id for _ in range(count)]
    finally:
        await network.aclose()


def account(server: CloudloopServer, **more: Any) -> CloudloopAccount:
    return server.account(**{**ENDS, "trace_seconds": 0.05, **more})


@pytest.mark.parametrize(
    ("settings", "traces"), [({}, False), ({"failed_statuses": "X"}, True), (ENDS, True)]
)
async def test_nothing_is_asked_while_the_words_are_unknown(
    settings: dict[str, str], traces: bool
) -> None:
    with cloudloop() as server:
        assert server.account(**settings).traces is traces


@pytest.mark.parametrize("name", ["mtMessageStatus", "status"])
@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("DELIVERED", ReceiptState.DELIVERED),
        ("arrived", ReceiptState.DELIVERED),
        ("FAILED", ReceiptState.FAILED),
    ],
)
async def test_an_end_is_news(name: str, status: str, state: ReceiptState) -> None:
    statuses = {**STATUSES, "delivered": status}
    with cloudloop(
        REACHABLE, habits=CloudloopHabits(status_name=name, statuses=statuses)
    ) as server:
        handed = SentMessages(await send(server))
        async with tracing(account(server), handed) as tracer:
            await eventually(lambda: bool(handed.heard))
        assert tracer.status()["heard"] == 1
    (receipt,) = handed.heard
    assert isinstance(receipt, Receipt)
    assert (receipt.via, receipt.network_id, receipt.state) == ("cloudloop", handed.ids[0], state)
    assert bool(receipt.reason) == (state is ReceiptState.FAILED)


async def test_a_number_can_be_an_end_too() -> None:
    statuses = {**STATUSES, "delivered": 1}
    with cloudloop(REACHABLE, habits=CloudloopHabits(statuses=statuses)) as server:
        handed = SentMessages(await send(server))
        async with tracing(account(server, delivered_statuses="1"), handed):
            await eventually(lambda: bool(handed.heard))


async def test_what_is_still_on_its_way_is_asked_for_again_until_it_arrives() -> None:
    with cloudloop(AWAY) as server:
        handed = SentMessages(await send(server, 3))
        async with tracing(account(server), handed) as tracer:
            await eventually(lambda: handed.rounds > 3)
            assert handed.heard == []
            server.simulator.modems.add(REACHABLE)
            await eventually(lambda: len(handed.heard) == 3)
            assert tracer.status()["failure"] == ""


async def test_an_unknown_message_keeps_no_other_back() -> None:
    with cloudloop(REACHABLE) as server:
        handed = SentMessages(["unknown", *await send(server)])
        async with tracing(account(server), handed):
            await eventually(lambda: len(handed.heard) == 1)


async def test_a_look_up_that_always_fails_keeps_no_other_back() -> None:
    with cloudloop(REACHABLE) as server:
        first, second = await send(server, 2)
        handed = SentMessages([first, second])

        async def emit(record: Inbound) -> None:
            if isinstance(record, Receipt) and record.network_id == first:
                raise Unavailable("a bug with this one")
            await handed.emit(record)

        tracer = StatusPoller(account(server), "cloudloop", handed, Lease())
        running = asyncio.create_task(tracer.run(emit))
        try:
            await eventually(lambda: len(handed.heard) == 1)
        finally:
            await tracer.drain()
            await running


@pytest.mark.parametrize(
    "faults",
    [
        Faults(error_rate=1),
        Faults(refuse_rate=1),
        Faults(garbage_rate=1),
        Faults(requests_per_second=0.001),
        Faults(hang_before_rate=1),
    ],
)
async def test_a_network_that_fails_is_asked_again(faults: Faults) -> None:
    with cloudloop(REACHABLE) as server:
        handed = SentMessages(await send(server))
        server.simulator.dice.faults = faults
        async with tracing(account(server, timeout_seconds=1), handed):
            await eventually(lambda: handed.rounds > 1)
            assert handed.heard == []
            server.simulator.dice.faults = Faults()
            await eventually(lambda: len(handed.heard) == 1)


async def test_a_store_that_is_away_is_asked_again_and_a_bug_tells_only_its_type(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with cloudloop(REACHABLE) as server:
        failures = [RuntimeError("a secret"), Unavailable("the store is away")]
        handed = SentMessages(await send(server), failures)
        async with tracing(account(server), handed):
            await eventually(lambda: len(handed.heard) == 1)
    assert "the store is away" in caplog.text
    assert "RuntimeError" in caplog.text
    assert "a secret" not in caplog.text


async def test_news_that_the_router_puts_off_are_brought_again() -> None:
    with cloudloop(REACHABLE) as server:
        handed = SentMessages(await send(server))
        refusals: list[Exception] = [Rejected("no"), Unavailable("the store is away")]

        async def emit(record: Inbound) -> None:
            if refusals:
                raise refusals.pop()
            handed.heard.append(record)

        tracer = StatusPoller(account(server), "cloudloop", handed, Lease())
        running = asyncio.create_task(tracer.run(emit))
        await eventually(lambda: len(handed.heard) == 1)
        await tracer.drain()
        await running


async def test_only_whose_turn_it_is_asks() -> None:
    with cloudloop(REACHABLE) as server:
        handed, turn = SentMessages(await send(server)), Lease(ours=False)
        calls = server.simulator.app.requests
        async with tracing(account(server), handed, turn):
            await asyncio.sleep(0.3)
            assert server.simulator.app.requests == calls
            turn.ours = True
            await eventually(lambda: len(handed.heard) == 1)


async def test_it_travels_before_it_runs() -> None:
    with cloudloop(REACHABLE) as server:
        tracer = StatusPoller(account(server), "cloudloop", SentMessages(), Lease())
        copy = pickle.loads(pickle.dumps(tracer))
        assert copy.status() == {"via": "cloudloop", "asked": 0, "heard": 0, "failure": ""}
