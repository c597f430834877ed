"""The operator around a sender: copies are dropped, what is urgent goes before the others to the same recipient."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from messaging.model.message import Address, Delivery, Message, Network, Outcome
from messaging.sending.sender import Begin, SenderOperator
from tests.support.begins import MemoryBegins
from tests.support.eventually import eventually

pytestmark = pytest.mark.anyio


class GatedSender:
    """Notes the deliveries that it is given, and sends each when its gate is open."""

    def __init__(self) -> None:
        self.given: list[int] = []
        self.gates: dict[int, asyncio.Event] = {}

    def order_key(self, delivery: Delivery) -> str:
        return delivery.message.recipient.value

    async def send(self, delivery: Delivery, begin: Begin) -> Outcome | None:
        self.given.append(delivery.id)
        await self.gates.setdefault(delivery.id, asyncio.Event()).wait()
        return Outcome.sent(delivery) if await begin(delivery) else None

    async def close(self) -> None:
        """Nothing is open."""


class Stand:
    """An operator and the outcomes that it reports."""

    def __init__(self, sender: GatedSender | None = None) -> None:
        self.sender = sender or GatedSender()
        self.operator = SenderOperator(lambda: self.sender, MemoryBegins)
        self.outcomes: list[int] = []
        self.tasks: list[asyncio.Task[None]] = []

    async def offer(self, *deliveries: Delivery) -> None:
        for delivery in deliveries:
            work = self.operator.process_single(delivery, self._report)
            self.tasks.append(asyncio.create_task(work))
            await asyncio.sleep(0)

    async def send_all(self) -> None:
        while any(not task.done() for task in self.tasks):
            for number in self.sender.given:
                self.sender.gates.setdefault(number, asyncio.Event()).set()
            await asyncio.wait(self.tasks, timeout=0.01)

    async def _report(self, outcome: Outcome) -> None:
        self.outcomes.append(outcome.delivery_id)


def delivery(number: int, device: str = "9", *, attempt: int = 1, urgent: bool = False) -> Delivery:
    message = Message(
        id=f"m{number}",
        sender=Address(Network.EMAIL, "alice@example.com"),
        recipient=Address(Network.SATELLITE, device),
        text="hello",
        via="hive",
    )
    lease = datetime.now(UTC) + timedelta(seconds=60)
    return Delivery(
        id=number, message=message, attempt=attempt, lease_until=lease, is_urgent=urgent
    )


async def test_a_copy_of_a_delivery_that_waits_is_dropped() -> None:
    stand = Stand()
    await stand.offer(delivery(1), delivery(2), delivery(2), delivery(1))
    await stand.send_all()
    assert stand.outcomes == [1, 2]
    assert stand.operator.status()["copies"] == 2


async def test_the_next_attempt_is_no_copy_and_one_that_has_ended_is_not_in_hand() -> None:
    stand = Stand()
    await stand.offer(delivery(1))
    await stand.send_all()
    await stand.offer(delivery(1, attempt=2))
    await stand.send_all()
    assert stand.outcomes == [1, 1]
    assert "copies" not in stand.operator.status()


async def test_an_urgent_delivery_goes_before_the_others_to_the_same_device() -> None:
    stand = Stand()
    await stand.offer(delivery(1), delivery(2), delivery(3), delivery(4, urgent=True))
    await stand.send_all()
    assert stand.outcomes == [1, 4, 2, 3]


async def test_a_slow_device_delays_no_other() -> None:
    stand = Stand()
    await stand.offer(delivery(1, "9"), delivery(2, "9"), delivery(3, "8"))
    await eventually(lambda: stand.sender.given == [1, 3])
    await stand.send_all()
    assert sorted(stand.outcomes) == [1, 2, 3]


class HastySender(GatedSender):
    """Sends without a begin."""

    async def send(self, delivery: Delivery, begin: Begin) -> Outcome | None:
        return Outcome.sent(delivery)


@pytest.mark.parametrize(("sender", "expected"), [(HastySender, 2), (GatedSender, 0)])
async def test_a_request_whose_attempt_has_not_begun_is_counted(
    sender: type[GatedSender], expected: int
) -> None:
    stand = Stand(sender())
    await stand.offer(delivery(1), delivery(2))
    await stand.send_all()
    assert stand.outcomes == [1, 2]
    assert stand.operator.status().get("without_begin", 0) == expected
