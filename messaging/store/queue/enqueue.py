"""Puts new deliveries into the queue, or holds them for the decision of a person."""

from collections.abc import Sequence
from datetime import datetime

from messaging.store.queue import queries
from messaging.store.queue.delivery_state import NewDelivery, NewHold


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


def hold(deliveries: Sequence[tuple[NewDelivery, NewHold]], now: datetime) -> None:
    """Insert deliveries that are held or refused, one statement; none without any. Call it within a transaction."""
    if deliveries:
        queries.insert_held(deliveries, now)
