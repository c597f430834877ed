"""The contract of every sender, and the operator around it: leases, order, and outcomes until they are stored."""

import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Hashable, Sequence
from datetime import UTC, datetime
from typing import Final, Protocol
from weakref import WeakValueDictionary

from messaging.errors import INTERNAL_ERROR, GatewayError, Unavailable, Uncertain
from messaging.model.message import Delivery, Outcome, Result, SubmittedPart
from messaging.sending.fair_slots import FairSlots

log = logging.getLogger(__name__)

MAX_IN_WORK: Final = 2000
"""How many deliveries a sender has at most, those that wait for their turn included; as many as a channel holds."""

WITH_A_REQUEST: Final = frozenset({Result.SENT, Result.UNCERTAIN})
"""The results that only a request can have: its attempt must have begun."""

Emit = Callable[[Outcome], Awaitable[None]]
"""Reports an outcome; returns when the ledger has stored it."""


Begin = Callable[[Delivery], Awaitable[Delivery | None]]
"""Begins the attempt just before its first byte, and returns the delivery with its lease, which begins now.

None when nothing may be sent: the attempt has begun elsewhere, the delivery has ended, or the store is away.
"""


class Sender(Protocol):
    """Sends deliveries through one account, many at once, and those with the same key one after another.

    Its arguments can be pickled; it does no I/O before the first send.
    """

    async def send(self, delivery: Delivery, begin: Begin) -> Outcome | None:
        """Begin this attempt when its request is the next, and return its outcome; None if it did not begin.

        Never raises. `Outcome.parts_sent` counts the parts of the whole message that the network has, also after a
        failure; `Outcome.submitted` holds those of this attempt.
        """

    def order_key(self, delivery: Delivery) -> Hashable:
        """Return the key."""

    async def close(self) -> None:
        """Close the connections that are open."""


class Begins(Protocol):
    """Begins attempts, those that wait together in one transaction."""

    async def process(
        self, deliveries: list[Delivery], /
    ) -> Sequence[Sequence[Delivery] | Exception]:
        """Return, for each, the delivery to send; an empty sequence, or an error, when it must not be sent."""

    def close(self) -> None:
        """Release the resources."""


class SenderOperator:
    """The operator of the dataflow around a sender. Deliveries with the same key keep the order in which they came.

    An urgent one goes before the others with its key. Of copies that wait together, all but the first are dropped.
    A delivery is answered when it is in work, so none waits in the channel for the slowest of those before it.

    While the store is away for longer than a lease, `due` dispatches the same delivery anew as soon as the store is
    back, perhaps before the ledger has the outcome of the first attempt. So an attempt does not begin while an outcome
    of its delivery is on the way to the ledger, and no text is sent, and paid, twice.
    """

    def __init__(
        self, make_sender: Callable[[], Sender], make_begins: Callable[[], Begins]
    ) -> None:
        self._sender = make_sender()
        self._begins = make_begins()
        self._counters: Counter[str] = Counter()
        # A lock exists as long as a delivery holds it or waits for it.
        self._locks: WeakValueDictionary[Hashable, FairSlots] = WeakValueDictionary()
        self._unreported: dict[int, Outcome] = {}
        self._in_hand: set[tuple[int, int]] = set()
        self._begun: set[tuple[int, int]] = set()
        self.max_in_work = MAX_IN_WORK

    async def process_single(self, delivery: Delivery, emit: Emit) -> None:
        """Send the delivery and emit its outcome; nothing when the attempt did not begin, or is in hand already."""
        key = delivery.id, delivery.attempt
        if key in self._in_hand:
            self._counters["copies"] += 1
            return
        self._in_hand.add(key)
        try:
            await self._process(delivery, emit)
        finally:
            self._in_hand.discard(key)

    async def _process(self, delivery: Delivery, emit: Emit) -> None:
        lock = self._locks.setdefault(self._sender.order_key(delivery), FairSlots(1))
        async with lock.slot(None, is_urgent=delivery.is_urgent):
            # An attempt that is not `uncertain` is wanted although there was another outcome, which the store knows
            # already: perhaps the network lost what it took, or an operator wants the delivery tried again.
            if delivery.uncertain and delivery.id in self._unreported:
                return
            key = delivery.id, delivery.attempt
            try:
                outcome = await self._sender.send(delivery, self._begin)
            finally:
                has_begun = key in self._begun
                self._begun.discard(key)
        if outcome is None:
            return
        self._counters[f"outcomes_{outcome.result}"] += 1
        if outcome.result in WITH_A_REQUEST and not has_begun:
            self._counters["without_begin"] += 1
            extra = {"message_id": delivery.message.id}
            log.error("%s without an attempt that began: a bug", outcome.result, extra=extra)
        self._unreported[delivery.id] = outcome
        try:
            await emit(outcome)
        finally:
            if self._unreported.get(delivery.id) is outcome:
                del self._unreported[delivery.id]

    def status(self) -> dict[str, object]:
        """Return the numbers of attempts that began and that did not, and of outcomes by result, since the start.

        `copies` counts the deliveries that were dropped because they were in hand. `without_begin` counts the requests
        whose attempt had not begun; it is 0 unless a sender has a bug.
        """
        return dict(self._counters)

    async def close(self) -> None:
        """Close the connections of the sender."""
        await self._sender.close()
        self._begins.close()

    async def _begin(self, delivery: Delivery) -> Delivery | None:
        [result] = await self._begins.process([delivery])
        if isinstance(result, Exception) or not result:
            # Nothing is reported: a copy has begun, the delivery has ended, or it is due again in a moment.
            self._counters["not_begun"] += 1
            return None
        self._counters["begun"] += 1
        self._begun.add((delivery.id, delivery.attempt))
        return result[0]


def lease_seconds_left(delivery: Delivery) -> float:
    """Return how long this attempt may still take; zero or less means that it is void."""
    return (delivery.lease_until - datetime.now(UTC)).total_seconds()


def outcome_of(
    delivery: Delivery, error: Exception, *submitted: SubmittedPart, parts_sent: int | None = None
) -> Outcome:
    """Return the outcome of an attempt that ended with this error, after these parts.

    Every TimeoutError means `Uncertain`: the request may have been written. Any other error that is
    not a GatewayError is a bug: it is logged and means `Unavailable`.
    """
    if isinstance(error, TimeoutError):
        error = Uncertain("no answer from the network in time")
    if not isinstance(error, GatewayError):
        # The type only: the text of a foreign exception may quote a body or a secret.
        extra = {"message_id": delivery.message.id}
        log.error("sender failed with %s", type(error).__name__, extra=extra)
        error = Unavailable(INTERNAL_ERROR)
    return Outcome.failed(delivery, error, *submitted, parts_sent=parts_sent)
