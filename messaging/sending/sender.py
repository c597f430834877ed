"""The contract of every sender, and the operator around it: leases, order, and outcomes until they are stored."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Protocol
from weakref import WeakValueDictionary

from messaging.errors import INTERNAL_ERROR, GatewayError, Unavailable, Uncertain
from messaging.model.message import Delivery, Outcome, SubmittedPart

log = logging.getLogger(__name__)

Emit = Callable[[Outcome], Awaitable[None]]
"""Reports an outcome; returns when the ledger has stored it."""


class Sender(Protocol):
    """Sends deliveries through one account. Its arguments can be pickled; it does no I/O before the first send."""

    async def send(self, delivery: Delivery) -> Outcome | None:
        """Return the outcome of this attempt, or None when its lease was over before it could begin. Never raises.

        `Outcome.parts_sent` counts the parts of the whole message that the network has, also after a failure;
        `Outcome.submitted` holds those of this attempt.
        """

    async def close(self) -> None:
        """Close the connections that are open."""


class OrderedSender(Sender, Protocol):
    """A sender that sends many deliveries at once, and those with the same key one after another."""

    def order_key(self, delivery: Delivery) -> Hashable:
        """Return the key."""


class SenderOperator:
    """The operator of the dataflow around a sender. Deliveries with the same key keep the order in which they came.

    While the store is away for longer than a lease, `due` dispatches the same delivery anew as soon as the store is
    back, perhaps before the ledger has the outcome of the first attempt. So outcomes are remembered until the ledger
    has them, and no text is sent, and paid, twice.
    """

    def __init__(self, make_sender: Callable[[], OrderedSender]) -> None:
        self._sender = make_sender()
        # A lock exists as long as a delivery holds it or waits for it.
        self._locks: WeakValueDictionary[Hashable, asyncio.Lock] = WeakValueDictionary()
        self._unreported: dict[int, Outcome] = {}

    async def process_single(self, delivery: Delivery, emit: Emit) -> None:
        """Send the delivery and emit its outcome; nothing when its lease was over before it could begin."""
        lock = self._locks.setdefault(self._sender.order_key(delivery), asyncio.Lock())
        async with lock:
            # An attempt that is not `uncertain` is wanted although there was another outcome, which the store knows
            # already: perhaps the network lost what it took, or an operator wants the delivery tried again.
            known = self._unreported.get(delivery.id) if delivery.uncertain else None
            if known is not None:
                outcome: Outcome | None = replace(known, attempt=delivery.attempt)
            else:
                outcome = await self._sender.send(delivery)
        if outcome is None:
            return
        self._unreported[delivery.id] = outcome
        try:
            await emit(outcome)
        finally:
            if self._unreported.get(delivery.id) is outcome:
                del self._unreported[delivery.id]

    async def close(self) -> None:
        """Close the connections of the sender."""
        await self._sender.close()


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
