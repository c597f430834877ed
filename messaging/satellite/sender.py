"""Hands deliveries to a satellite network: many devices at once, each device in order."""

import asyncio
import logging
from dataclasses import replace

from messaging.errors import Unavailable
from messaging.model.message import Delivery, Outcome, Result, SubmittedPart
from messaging.satellite.account import SatelliteAccount
from messaging.sending.attempt import attempt, lease_seconds_left, outcome_of
from messaging.sending.keyed_lock import KeyedLocks
from messaging.sending.outcome_cache import Emit, OutcomeCache

log = logging.getLogger(__name__)

NO_TIME = Unavailable("no time was left to send it, or the rest of it")


class SatelliteSender:
    """The senders of one account: at most `max_sends` requests at a time.

    Deliveries to one device go one after another, in the order they came. One that fails for now
    does not keep back those behind it: held back they would fail with it, and as waits double with each attempt, one
    hiccup would turn a queue of minutes into hours. The network itself promises no order either. The parts of one
    message, which do depend on each other, are numbered and never overtake each other.
    """

    def __init__(self, account: SatelliteAccount, max_parts: int) -> None:
        self._account = account
        self._max_parts = max_parts
        self._network = account.connect()
        self._requests = asyncio.Semaphore(account.max_sends)
        self._devices = KeyedLocks()
        self._unreported = OutcomeCache()

    def __reduce__(self) -> tuple[type["SatelliteSender"], tuple[SatelliteAccount, int]]:
        """Travel as settings: connections stay behind."""
        return type(self), (self._account, self._max_parts)

    async def process_single(self, delivery: Delivery, emit: Emit) -> None:
        """Emit its outcome, or nothing when its lease had passed before it could start.

        No request begins that its lease might cut off: nobody would know what became of it, and sending again costs.
        `Outcome.parts_sent` says how many parts of the whole message the network has, also after a failure;
        `handed` are those of this attempt.
        """
        async with self._devices.of(delivery.message.recipient.value):
            outcome = self._unreported.of(delivery) or await self._send(delivery)
        await self._unreported.report(outcome, emit)

    async def close(self) -> None:
        """Let go of the network's connections."""
        await self._network.aclose()

    async def _send(self, delivery: Delivery) -> Outcome | None:
        """Send the parts that the network does not have yet, in order, until one fails."""
        try:
            packets = self._account.packets(delivery.message, delivery.codec, self._max_parts)
        except Exception as error:
            return outcome_of(delivery, error)
        outcome = Outcome.sent(delivery, parts_sent=len(packets))
        handed: list[SubmittedPart] = []
        for position in range(delivery.parts_sent, len(packets)):
            result = await self._send_part(delivery, packets[position])
            if result is None and not handed:
                return None
            outcome = result or Outcome.failed(delivery, NO_TIME)
            if outcome.result is not Result.SENT:
                return replace(outcome, submitted=tuple(handed), parts_sent=position)
            handed.extend(outcome.submitted)
        return replace(outcome, submitted=tuple(handed), parts_sent=len(packets))

    async def _send_part(self, delivery: Delivery, packet: bytes) -> Outcome | None:
        async def send(delivery: Delivery) -> Outcome:
            serial = delivery.message.recipient.value
            return Outcome.sent(delivery, await self._network.send(serial, packet))

        async with self._requests:
            if 0 < lease_seconds_left(delivery) < self._account.timeout_seconds:
                return Outcome.failed(delivery, NO_TIME)
            return await attempt(delivery, send)
