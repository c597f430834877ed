"""Puts new deliveries into the queue, and says for how long they are handed out and leased."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from messaging.store.queue import queries
from messaging.store.queue.delivery_state import NewDelivery

SENDING_SHARE: Final = 0.9
"""The part of a lease in which the attempt may run; the rest is for its outcome to reach the ledger."""

HAND_OUT_SECONDS: Final = 4.0
"""A delivery that was handed to a sender and that no sender began is due again after this time.

Short, because it costs no attempt and a second copy is harmless: of all copies one begins.
"""


@dataclass(frozen=True, slots=True)
class Lease:
    """The time of one attempt: it may run until `lease_until`, and from `due_at` on the next one may be claimed."""

    due_at: datetime
    lease_until: datetime

    @classmethod
    def starting(cls, now: datetime, seconds: float) -> "Lease":
        """Return the lease of an attempt that begins now."""
        return cls(
            due_at=now + timedelta(seconds=seconds),
            lease_until=now + timedelta(seconds=seconds * SENDING_SHARE),
        )


def hand_out_end(now: datetime) -> datetime:
    """Return when a delivery that is handed to a sender now is due again, unless the sender begins an attempt."""
    return now + timedelta(seconds=HAND_OUT_SECONDS)


def enqueue(
    deliveries: Sequence[NewDelivery],
    now: datetime,
    due_times: Sequence[datetime] = (),
) -> list[int]:
    """Insert deliveries, one statement, and return their ids in the same order. Call it within a transaction.

    Each is due at the time given for it, and now without any. No two of the deliveries may have the same message,
    account and recipient.
    """
    if not deliveries:
        return []
    rows = queries.insert(deliveries, due_times or [now] * len(deliveries), now)
    # The store returns the rows in no particular order.
    ids = {(message_id, via, recipient): number for number, message_id, via, recipient in rows}
    return [ids[one.message_id, one.via, one.recipient] for one in deliveries]
