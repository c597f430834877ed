"""Hands deliveries to a satellite network: many devices at once, each device in order."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import replace
from weakref import WeakValueDictionary

from messaging.attempt import attempt, lease_seconds_left, outcome_of
from messaging.errors import Unavailable
from messaging.message import Delivery, Handed, Outcome, Result
from messaging.satellite.network import SatelliteAccount

log = logging.getLogger(__name__)

NO_TIME = Unavailable("no time was left to send it, or the rest of it")


class SatelliteSender:
    """The senders of one account: at most `max_sends` requests at a time over all batches.

    Deliveries to one device go one after another, in the order they came, across batches too. One that fails for now
    does not keep back those behind it: held back they would fail with it, and as waits double with each attempt, one
    hiccup would turn a queue of minutes into hours. The network itself promises no order either. The parts of one
    message, which do depend on each other, are numbered and never overtake each other.
    """

    def __init__(self, account: SatelliteAccount, max_parts: int) -> None:
        self._account = account
        self._max_parts = max_parts
        self._network = account.connect()
        self._requests = asyncio.Semaphore(account.max_sends)
        # A lock lives as long as somebody holds or awaits it.
        self._devices: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def __reduce__(self) -> tuple[type["SatelliteSender"], tuple[SatelliteAccount, int]]:
        """Travel as settings: connections stay behind."""
        return type(self), (self._account, self._max_parts)

    async def process(self, deliveries: Sequence[Delivery]) -> list[list[Outcome] | Exception]:
        """Return per delivery its outcome, or nothing when its lease had passed before it could start.

        No request begins that its lease might cut off: nobody would know what became of it, and sending again costs.
        `Outcome.parts_sent` says how many parts of the whole message the network has, also after a failure;
        `handed` are those of this attempt.
        """
        devices: dict[str, list[int]] = {}
        for position, delivery in enumerate(deliveries):
            devices.setdefault(delivery.message.recipient.value, []).append(position)
        results: list[list[Outcome] | Exception] = [[] for _ in deliveries]

        async def send_to(serial: str, positions: list[int]) -> None:
            async with self._lock_of(serial):
                for position in positions:
                    outcome = await self._send(deliveries[position])
                    results[position] = [outcome] if outcome else []

        await asyncio.gather(*(send_to(serial, own) for serial, own in devices.items()))
        return results

    async def close(self) -> None:
        """Let go of the network's connections."""
        await self._network.aclose()

    def _lock_of(self, serial: str) -> asyncio.Lock:
        lock = self._devices.get(serial)
        if lock is None:
            lock = self._devices[serial] = asyncio.Lock()
        return lock

    async def _send(self, delivery: Delivery) -> Outcome | None:
        """Send the parts that the network does not have yet, in order, until one fails."""
        try:
            packets = self._account.packets(delivery.message, delivery.codec, self._max_parts)
        except Exception as error:
            return outcome_of(delivery, error)
        outcome = Outcome.sent(delivery, parts_sent=len(packets))
        handed: list[Handed] = []
        for position in range(delivery.parts_sent, len(packets)):
            result = await self._send_part(delivery, packets[position])
            if result is None and not handed:
                return None
            outcome = result or Outcome.failed(delivery, NO_TIME)
            if outcome.result is not Result.SENT:
                return replace(outcome, handed=tuple(handed), parts_sent=position)
            handed.extend(outcome.handed)
        return replace(outcome, handed=tuple(handed), parts_sent=len(packets))

    async def _send_part(self, delivery: Delivery, packet: bytes) -> Outcome | None:
        async def send(delivery: Delivery) -> Outcome:
            serial = delivery.message.recipient.value
            return Outcome.sent(delivery, await self._network.send(serial, packet))

        async with self._requests:
            if 0 < lease_seconds_left(delivery) < self._account.timeout_seconds:
                return Outcome.failed(delivery, NO_TIME)
            return await attempt(delivery, send)
