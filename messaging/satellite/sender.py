"""Sends deliveries to the devices of a satellite network."""

import asyncio
import logging
from collections.abc import Sequence
from typing import Final

from messaging.errors import NotBegun
from messaging.model.message import Delivery, Outcome, Rest, SubmittedPart
from messaging.satellite.account import SatelliteAccount
from messaging.sending.fair_slots import FairSlots
from messaging.sending.sender import Begin, lease_seconds_left, outcome_of

log = logging.getLogger(__name__)

NO_REST: Final = "the rest of a long text cannot be offered to its author (%s)"
NO_TIME: Final = "no time was left to send it, or the rest of it"


class SatelliteSender:
    """Sends through one account, with `max_sends` requests at a time.

    Deliveries to one device keep their order, but one that fails for now does not keep back those behind it.
    """

    # Behind a delivery that fails, the others would fail with it. As waits double with each attempt, one hiccup would
    # turn a queue of minutes into hours. The network promises no order either. The parts of one message, which do
    # depend on each other, are numbered and never overtake each other.

    def __init__(self, account: SatelliteAccount, max_parts: int) -> None:
        self._account = account
        self._max_parts = max_parts
        self._client = account.connect()
        self._requests = FairSlots(account.max_sends)

    def __reduce__(self) -> tuple[type["SatelliteSender"], tuple[SatelliteAccount, int]]:
        """Pickle the arguments only."""
        return type(self), (self._account, self._max_parts)

    def order_key(self, delivery: Delivery) -> str:
        """Return the device."""
        return delivery.message.recipient.value

    async def send(self, delivery: Delivery, begin: Begin) -> Outcome | None:
        """Send the parts that the network does not have yet, in order, until one fails.

        No request begins that the lease might cut off: its fate would be unknown, and sending it again costs.
        """
        serial = delivery.message.recipient.value
        attempt: Delivery | None = None
        packets: Sequence[bytes] = ()
        submitted: list[SubmittedPart] = []
        position = delivery.parts_sent
        try:
            while attempt is None or position < len(packets):
                async with self._requests.slot(serial, is_urgent=delivery.is_urgent):
                    if attempt is None:
                        attempt = await begin(delivery)
                        if attempt is None:
                            return None
                        packets = self._account.write_packets(
                            delivery.message, delivery.codec, self._max_parts, delivery.alphabet
                        )
                    if position < len(packets):
                        seconds = lease_seconds_left(attempt)
                        if seconds < self._account.timeout_seconds:
                            raise NotBegun(NO_TIME)
                        async with asyncio.timeout(seconds):
                            submitted.append(await self._client.send(serial, packets[position]))
                        position += 1
        except Exception as error:
            return outcome_of(delivery, error, *submitted, parts_sent=position)
        rest = None if delivery.is_urgent else self._find_rest(delivery, packets)
        return Outcome.sent(delivery, *submitted, parts_sent=len(packets), rest=rest)

    def _find_rest(self, delivery: Delivery, packets: Sequence[bytes]) -> Rest | None:
        try:
            return self._account.find_rest(
                delivery.message, packets, delivery.codec, self._max_parts, delivery.alphabet
            )
        except Exception as error:
            # The parts are sent: a bug here must not send them again.
            log.error(NO_REST, type(error).__name__, extra={"message_id": delivery.message.id})
            return None

    async def close(self) -> None:
        """Close the connections to the network."""
        await self._client.aclose()
