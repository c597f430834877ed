"""Puts new deliveries into the queue, and says how long their first attempts last."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from messaging.store.queue import queries
from messaging.store.queue.delivery_state import NewDelivery

SENDING_SHARE = 0.9
"""The part of a lease in which the attempt may run; the rest is for its outcome to reach the ledger."""


@dataclass(frozen=True, slots=True)
class Lease:
    """The time of one attempt: it may run until `lease_until`, and from `due_at` on the next one may be claimed."""

    due_at: datetime
    lease_until: datetime

    @classmethod
    def starting(cls, now: datetime, seconds: float) -> "Lease":
        """Return the lease that begins now."""
        return cls(
            due_at=now + timedelta(seconds=seconds),
            lease_until=now + timedelta(seconds=seconds * SENDING_SHARE),
        )


def enqueue(
    deliveries: Sequence[NewDelivery],
    now: datetime,
    lease: Lease | None = None,
    full_providers: Collection[str] = (),
) -> list[int]:
    """Insert deliveries, one statement, and return their ids in the same order. Call it within a transaction.

    With a `lease` the first attempt at each belongs to the caller. Those for `full_providers`, and all without a
    lease, are due now. No two of the deliveries may have the same message, account and recipient.
    """
    if not deliveries:
        return []
    until = lease.due_at if lease else None
    leases = (None if one.via in full_providers else until for one in deliveries)
    rows = queries.insert(deliveries, leases, now)
    # The store returns the rows in no particular order.
    ids = {(message_id, via, recipient): number for number, message_id, via, recipient in rows}
    return [ids[one.message_id, one.via, one.recipient] for one in deliveries]
