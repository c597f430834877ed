"""The statements of the queue that run for every message, as constant SQL for SQLite and PostgreSQL.

The ORM takes longer to compose a statement than SQLite takes to run it. Columns come from the fields of
`DeliveryState`; values only ever travel as parameters. Only `store/queue/` may import this module.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from functools import cache
from typing import Any, Final

from django.db import connection

from messaging.store.db.sql import ONE_OF, execute_values, list_parameter, storable_time
from messaging.store.queue.delivery_state import (
    COLUMNS,
    NEW_COLUMNS,
    UPDATED_COLUMNS,
    DeliveryState,
    NewDelivery,
    from_row,
    new_values,
    time_indexes,
    updated_values,
)

Row = tuple[Any, ...]

_LOCK: Final = {"sqlite": "", "postgresql": " FOR UPDATE"}


def _for_each_store(statement: str, column: str = "id") -> dict[str, str]:
    """Return the statement for each kind of store, with `{ids}` and `{lock}` filled in."""
    return {
        vendor: statement.format(ids=condition.format(column), lock=_LOCK[vendor])
        for vendor, condition in ONE_OF.items()
    }


# The state is not part of the condition: SQLite would search the rows by it instead of by their ids.
_READ: Final = _for_each_store(
    f"SELECT {', '.join(COLUMNS)} FROM users_delivery WHERE {{ids}} ORDER BY id{{lock}}"  # noqa: S608
)
_LEASE: Final = _for_each_store(
    "UPDATE users_delivery SET attempts = attempts + 1,"
    # Still leased: no outcome of the last attempt was reported.
    " uncertain = uncertain + CASE WHEN leased THEN 1 ELSE 0 END,"
    " leased = %s, due_at = %s, updated_at = %s WHERE {ids}"
)
_TEXTS: Final = _for_each_store(
    "SELECT d.id, m.subject, m.text, m.failure, v.codec FROM users_delivery d"
    " JOIN users_message m ON m.id = d.message_id LEFT JOIN users_device v ON v.id = d.device_id"
    " WHERE {ids}",
    "d.id",
)
_INSERT: Final = (
    f"INSERT INTO users_delivery ({', '.join(NEW_COLUMNS)},"  # noqa: S608
    " attempts, leased, due_at, created_at, updated_at,"
    " state, attempts_forgiven, parts_sent, uncertain, reason, network_id) VALUES "
)
_INSERT_ONE: Final = f"({'%s, ' * (len(NEW_COLUMNS) + 5)}'waiting', 0, 0, 0, '', '')"
_INSERT_KEYS: Final = " RETURNING id, message_id, via, recipient"
# A delivery is written only if it still waits for the outcome of the very attempt that was read.
_UPDATE: Final = (
    f"UPDATE users_delivery SET {', '.join(f'{name} = %s' for name in UPDATED_COLUMNS)}"  # noqa: S608
    " WHERE id = %s AND attempts = %s AND state = %s"
)
_NEW_TIMES: Final = time_indexes(NEW_COLUMNS)
_UPDATED_TIMES: Final = time_indexes(UPDATED_COLUMNS)


def insert(
    deliveries: Sequence[NewDelivery], leases: Iterable[datetime | None], now: datetime
) -> list[Row]:
    """Insert waiting deliveries, one statement; return the id, message, account and recipient of each, in no order.

    Each is under its first attempt until the time of its lease, or due now where that is None.
    """
    storable = cache(storable_time)
    made = storable(now)
    rows = []
    for delivery, until in zip(deliveries, leases, strict=True):
        values = list(new_values(delivery))
        for index in _NEW_TIMES:
            values[index] = storable(values[index])
        is_leased = until is not None
        due_at = storable(until) if is_leased else made
        rows.append((*values, int(is_leased), is_leased, due_at, made, made))
    with connection.cursor() as cursor:
        execute_values(cursor, _INSERT, _INSERT_ONE, rows, _INSERT_KEYS)
        return list(cursor.fetchall())


def read(ids: Collection[int]) -> list[DeliveryState]:
    """Read these deliveries by id, and lock them where the store can: one statement. Within a transaction only."""
    return [from_row(row) for row in _fetch(_READ, list_parameter(ids))] if ids else []


def read_texts(ids: Collection[int]) -> list[Row]:
    """Return the id, subject, text, failure (as JSON text) and device codec of these deliveries: one statement."""
    return _fetch(_TEXTS, list_parameter(ids)) if ids else []


def lease(ids: Collection[int], due_at: datetime, now: datetime) -> None:
    """Start the next attempt at each of these waiting deliveries: one statement."""
    if ids:
        with connection.cursor() as cursor:
            moments = (storable_time(due_at), storable_time(now))
            cursor.execute(_LEASE[connection.vendor], (True, *moments, list_parameter(ids)))


def update(changes: Iterable[tuple[DeliveryState, DeliveryState]]) -> None:
    """Write the second state of each pair where the row still is as the first: one statement for all."""
    storable = cache(storable_time)
    rows = []
    for before, after in changes:
        values = list(updated_values(after))
        for index in _UPDATED_TIMES:
            values[index] = storable(values[index])
        rows.append((*values, before.id, before.attempts, before.state))
    if rows:
        with connection.cursor() as cursor:
            cursor.executemany(_UPDATE, rows)


def _fetch(statement: dict[str, str], *parameters: Any) -> list[Row]:
    with connection.cursor() as cursor:
        cursor.execute(statement[connection.vendor], parameters)
        return list(cursor.fetchall())
