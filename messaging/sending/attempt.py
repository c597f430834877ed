"""One attempt at a delivery: bounded by its lease, and always ending in an outcome."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from messaging.errors import GatewayError, Unavailable, Uncertain
from messaging.model.message import Delivery, Outcome, SubmittedPart

log = logging.getLogger(__name__)

INTERNAL_ERROR = "internal error in the gateway; it will be tried again"


def lease_seconds_left(delivery: Delivery) -> float:
    """Return how long this attempt may still take; zero or less means that it is void."""
    return (delivery.lease_until - datetime.now(UTC)).total_seconds()


def outcome_of(
    delivery: Delivery, error: Exception, *handed: SubmittedPart, parts_sent: int | None = None
) -> Outcome:
    """Turn what a sender raised into an outcome. A bug is logged and means `Unavailable`: unknown is temporary.

    A TimeoutError is `Uncertain`, whoever raised it: the request may have been written.
    `handed` and `parts_sent` say how far the attempt had come.
    """
    if isinstance(error, TimeoutError):
        error = Uncertain("no answer from the network in time")
    if isinstance(error, GatewayError):
        return Outcome.failed(delivery, error, *handed, parts_sent=parts_sent)
    # The type only: the text of a foreign exception may quote a body or a secret.
    log.error(
        "sender failed with %s", type(error).__name__, extra={"message_id": delivery.message.id}
    )
    unavailable = Unavailable(INTERNAL_ERROR)
    return Outcome.failed(delivery, unavailable, *handed, parts_sent=parts_sent)


async def attempt(
    delivery: Delivery, send: Callable[[Delivery], Awaitable[Outcome]]
) -> Outcome | None:
    """Run `send` within the lease of `delivery` and return its outcome; None when the lease has already passed.

    A send that outlives its lease is cancelled and `Uncertain`: the request may have been written.
    """
    seconds = lease_seconds_left(delivery)
    if seconds <= 0:
        log.info("lease passed before the attempt", extra={"message_id": delivery.message.id})
        return None
    try:
        async with asyncio.timeout(seconds):
            return await send(delivery)
    except Exception as error:
        return outcome_of(delivery, error)
