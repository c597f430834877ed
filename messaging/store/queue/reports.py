"""Changes sent deliveries by the receipts and bounces that come later."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from messaging.config.settings import Settings
from messaging.model.message import Bounce, Receipt, ReceiptState
from messaging.store.queue import queries
from messaging.store.queue.delivery_state import DeliveryState
from messaging.store.queue.next_state import after_bounce, after_loss, after_receipts
from messaging.store.states import State


def lock_deliveries(ids: Collection[int]) -> list[DeliveryState]:
    """Read and lock these deliveries until the transaction ends: one statement."""
    return queries.read(ids)


def bounce(bounces: Sequence[Bounce], now: datetime) -> list[DeliveryState]:
    """Fail the deliveries that came back, and note on those that are late that they are; return those that failed.

    Two statements. A bounce whose two ids do not belong together changes nothing, nor does a repeated one.
    """
    before = {row.id: row for row in queries.read({one.delivery_id for one in bounces})}
    after = dict(before)
    for one in bounces:
        row = after.get(one.delivery_id)
        if row is not None and row.message_id == one.message_id:
            after[row.id] = after_bounce(row, one, now)
    changes = [(row, after[row.id]) for row in before.values() if after[row.id] is not row]
    queries.update(changes)
    return [row for _, row in changes if row.state is State.FAILED]


def redeliver(
    lost: Mapping[int, Receipt], settings: Settings, now: datetime
) -> list[DeliveryState]:
    """Let deliveries that their network lost for now wait again, where there is an attempt left; return those.

    An urgent one that was lost too often fails instead, and is returned too.
    """
    rows = queries.read(lost)
    found = ((row, after_loss(row, lost[row.id], settings, now)) for row in rows)
    changes = [(row, after) for row, after in found if after is not None]
    queries.update(changes)
    return [after for _, after in changes]


def settle_by_parts(
    rows: Iterable[DeliveryState],
    parts: Mapping[int, Sequence[tuple[ReceiptState, str]]],
    now: datetime,
) -> list[DeliveryState]:
    """Settle sent deliveries by the state and reason of each of their parts; return those that are settled now."""
    found = ((row, after_receipts(row, parts[row.id], now)) for row in rows)
    changes = [(row, after) for row, after in found if after is not None]
    queries.update(changes)
    return [after for _, after in changes]


def charge(more_units: Mapping[int, int]) -> list[DeliveryState]:
    """Correct the charges of these deliveries, in any state, by the difference; return those."""
    rows = queries.read(more_units)
    changes = [
        (row, replace(row, units=max((row.units or 0) + more_units[row.id], 0))) for row in rows
    ]
    queries.update(changes)
    return [after for _, after in changes]
