"""Every statement that writes deliveries. Refuses each change of state that `states.py` does not list.

The statements that run for every message are constant SQL for SQLite and PostgreSQL: the ORM takes longer to compose a
statement than SQLite takes to run it. Their columns come from the fields of `DeliveryState`; values only ever travel as
parameters. Only `store/queue/` may import this module.
"""

import json
from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from django.db import connection

from messaging.model.message import Network, Outcome
from messaging.store.accept.validate import short_reason
from messaging.store.db.encryption import decrypt_text, decrypt_value
from messaging.store.db.sql import (
    ONE_OF,
    Row,
    Select,
    execute_values,
    list_parameter,
    storable_time,
)
from messaging.store.queue.delivery_state import (
    COLUMNS,
    NEW_COLUMNS,
    UPDATED_COLUMNS,
    DeliveryState,
    NewDelivery,
    NewHold,
    new_values,
    time_indexes,
    updated_values,
)
from messaging.store.states import TRANSITIONS, IllegalTransition, State, check

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from messaging.store.models import Delivery

Change = tuple[DeliveryState, DeliveryState]
"""A delivery as it was read, and as it is to be."""

# The state is not part of the condition: SQLite would search the rows by it instead of by their ids.
_READ: Final = Select(
    f"SELECT {', '.join(COLUMNS)} FROM users_delivery WHERE {{}} ORDER BY id",  # noqa: S608
    "id",
    locks=True,
)
_TEXTS: Final = Select(
    "SELECT d.id, m.subject, m.text, m.failure, m.mail_kind, m.reference, v.codec, v.alphabet FROM users_delivery d"
    " JOIN users_message m ON m.id = d.message_id LEFT JOIN users_device v ON v.id = d.device_id"
    " WHERE {}",
    "d.id",
)
_ATTEMPTS: Final = Select("SELECT id, attempts, due_at IS NULL FROM users_delivery WHERE {}", "id")
_HAND_OUT: Final = "UPDATE users_delivery SET due_at = %s, updated_at = %s WHERE "
# Still leased: no outcome of the attempt before was reported. An ended delivery has no due time. A standby that takes
# over gives ids anew that its primary gave before: the message tells the two deliveries apart. Concatenated, its
# column uses no index: the ids find the rows.
_BEGIN: Final = (
    "UPDATE users_delivery SET attempts = attempts + 1,"
    " uncertain = uncertain + CASE WHEN leased THEN 1 ELSE 0 END,"
    # As `next_state` counts them.
    " losses = losses + CASE WHEN leased AND is_urgent AND recipient_network <> 'email'"
    " THEN 1 ELSE 0 END,"
    " leased = %s, due_at = %s, updated_at = %s"
    " WHERE due_at IS NOT NULL AND attempts = %s AND {} AND {} RETURNING id, message_id"
)
_INSERT: Final = (
    f"INSERT INTO users_delivery ({', '.join(NEW_COLUMNS)},"  # noqa: S608
    " attempts, leased, due_at, created_at, updated_at,"
    " state, attempts_forgiven, parts_sent, uncertain, reason, network_id) VALUES "
)
_INSERT_ONE: Final = f"({'%s, ' * (len(NEW_COLUMNS) + 5)}'waiting', 0, 0, 0, '', '')"
_INSERT_HELD: Final = (
    f"INSERT INTO users_delivery ({', '.join(NEW_COLUMNS)},"  # noqa: S608
    " state, hold, reason, held_until, settled_at, created_at, updated_at,"
    " attempts, leased, attempts_forgiven, parts_sent, uncertain, network_id) VALUES "
)
_INSERT_ONE_HELD: Final = f"({'%s, ' * (len(NEW_COLUMNS) + 9)}0, 0, 0, '')"
_INSERT_KEYS: Final = " RETURNING id, message_id, via, recipient"
# A delivery is written only if it still waits for the outcome of the very attempt that was read.
_UPDATE: Final = (
    f"UPDATE users_delivery SET {', '.join(f'{name} = %s' for name in UPDATED_COLUMNS)}"  # noqa: S608
    " WHERE id = %s AND attempts = %s AND state = %s"
)
_ATTEMPT: Final = ("delivery_id", "number", "began_at", "ended_at", "outcome", "reason", "units")
_INSERT_ATTEMPT: Final = f"INSERT INTO users_deliveryattempt ({', '.join(_ATTEMPT)}) "
# An outcome may come after its lease has ended: it replaces the note that none came.
_LATE_OUTCOME: Final = (
    " ON CONFLICT (delivery_id, number) DO UPDATE SET ended_at = excluded.ended_at,"
    " outcome = excluded.outcome, reason = excluded.reason, units = excluded.units"
)
_INSERT_UNREPORTED: Final = (
    f"INSERT INTO users_deliveryattempt ({', '.join(_ATTEMPT)})"  # noqa: S608
    " SELECT id, attempts, updated_at, %s, 'not reported', '', NULL FROM users_delivery"
    " WHERE leased AND {} ON CONFLICT (delivery_id, number) DO NOTHING"
)
_ENUMS: Final = tuple(
    (COLUMNS.index(name), make)
    for name, make in (
        ("sender_network", Network),
        ("recipient_network", Network),
        ("state", State),
    )
)
_TIMES: Final = time_indexes(COLUMNS)
_NEW_TIMES: Final = time_indexes(NEW_COLUMNS)
_UPDATED_TIMES: Final = time_indexes(UPDATED_COLUMNS)


def insert(
    deliveries: Sequence[NewDelivery], due_times: Iterable[datetime], now: datetime
) -> list[Row]:
    """Insert waiting deliveries, one statement; return the id, message, account and recipient of each, in no order."""
    storable = cache(storable_time)
    created = storable(now)
    rows = []
    for delivery, due_at in zip(deliveries, due_times, strict=True):
        values = list(new_values(delivery))
        for index in _NEW_TIMES:
            values[index] = storable(values[index])
        rows.append((*values, 0, False, storable(due_at), created, created))
    with connection.cursor() as cursor:
        execute_values(cursor, _INSERT, _INSERT_ONE, rows, _INSERT_KEYS)
        return list(cursor.fetchall())


def insert_held(deliveries: Sequence[tuple[NewDelivery, NewHold]], now: datetime) -> None:
    """Insert held and refused deliveries: one statement."""
    storable = cache(storable_time)
    moment = storable(now)
    rows = []
    for delivery, held in deliveries:
        values = list(new_values(delivery))
        for index in _NEW_TIMES:
            values[index] = storable(values[index])
        is_held = held.held_until is not None
        state = State.HELD if is_held else State.REFUSED
        ends = (storable(held.held_until), None if is_held else moment)
        rows.append((*values, state.value, held.hold, held.reason, *ends, moment, moment, 0, False))
    with connection.cursor() as cursor:
        execute_values(cursor, _INSERT_HELD, _INSERT_ONE_HELD, rows)


def read(ids: Collection[int]) -> list[DeliveryState]:
    """Read these deliveries by id, and lock them where the store can: one statement. Within a transaction only."""
    return [from_row(row) for row in _READ(ids)]


def read_rows(rows: "QuerySet[Delivery]") -> list[DeliveryState]:
    """Read these deliveries: one query."""
    return [from_row(row) for row in rows.values_list(*COLUMNS)]


def from_row(row: Sequence[Any]) -> DeliveryState:
    """Make the value from the columns of a row, in the order of `COLUMNS`."""
    values = list(row)
    for index, make in _ENUMS:
        values[index] = make(values[index])
    for index in _TIMES:
        moment = values[index]
        # SQLite stores UTC without an offset.
        if moment is not None and moment.tzinfo is None:
            values[index] = moment.replace(tzinfo=UTC)
    return DeliveryState(*values)


def read_texts(ids: Collection[int]) -> list[Row]:
    """Return the texts of these deliveries: one statement.

    Each row has the id, subject, text, failure, kind of mail, reference, device codec and alphabet.

    Raises UnknownKey for a text that is encrypted with a key that is not here.
    """
    return [
        (
            row_id,
            decrypt_text(subject),
            decrypt_text(text),
            decrypt_value(json.loads(failure)) if failure else None,
            *others,
        )
        for row_id, subject, text, failure, *others in _TEXTS(ids)
    ]


def read_attempts(ids: Collection[int]) -> dict[int, int]:
    """Return how many attempts have begun at those of these deliveries that wait: one statement."""
    return {number: attempts for number, attempts, has_ended in _ATTEMPTS(ids) if not has_ended}


def hand_out(ids: Collection[int], due_at: datetime, now: datetime) -> None:
    """Make each of these waiting deliveries due again at that time: one statement."""
    if ids:
        with connection.cursor() as cursor:
            moments = (storable_time(due_at), storable_time(now))
            condition = ONE_OF[connection.vendor].format("id")
            cursor.execute(_HAND_OUT + condition, (*moments, list_parameter(ids)))


def begin(
    keys: Collection[tuple[int, str]], attempt: int, due_at: datetime, now: datetime
) -> set[tuple[int, str]]:
    """Begin this attempt at each of these deliveries that waits for it; return those. One statement.

    A key is the id of a delivery and of its message.
    """
    with connection.cursor() as cursor:
        moments = (storable_time(due_at), storable_time(now))
        one_of = ONE_OF[connection.vendor]
        statement = _BEGIN.format(one_of.format("id"), one_of.format("(message_id || '')"))
        lists = [list_parameter(column) for column in zip(*keys, strict=True)]
        cursor.execute(statement, (True, *moments, attempt - 1, *lists))
        return set(cursor.fetchall())


def insert_attempts(attempts: Iterable[tuple[DeliveryState, Outcome]], now: datetime) -> None:
    """Add the attempts at these deliveries, as they were before the outcome, to the history: one statement."""
    storable = cache(storable_time)
    rows = []
    for row, outcome in attempts:
        # A delivery that is leased was changed last when its attempt began.
        began_at = row.updated_at if row.leased and outcome.attempt == row.attempts else None
        reason = short_reason(outcome.reason)
        end = (str(outcome.result), reason, outcome.billed_units)
        rows.append((row.id, outcome.attempt, storable(began_at), storable(now), *end))
    if rows:
        with connection.cursor() as cursor:
            places = f"({', '.join(['%s'] * len(_ATTEMPT))})"
            execute_values(cursor, _INSERT_ATTEMPT + "VALUES ", places, rows, _LATE_OUTCOME)


def insert_unreported(rows: Iterable[DeliveryState], now: datetime) -> None:
    """Add to the history the attempts whose lease ended without an outcome: one statement, or none without any.

    Call it before the delivery is handed out again, or ends: the row has the time of the begin until then.
    """
    ids = [row.id for row in rows if row.leased]
    if ids:
        with connection.cursor() as cursor:
            statement = _INSERT_UNREPORTED.format(ONE_OF[connection.vendor].format("id"))
            cursor.execute(statement, (storable_time(now), list_parameter(ids)))


def update(changes: Iterable[Change]) -> None:
    """Write the second state of each pair where the row still is as the first: one statement for all.

    Raises IllegalTransition, and then writes none.
    """
    storable = cache(storable_time)
    rows = []
    for before, after in changes:
        # A delivery that was sent or has ended may get another reason or charge: that is no change of state.
        if after.state is not before.state and (before.state, after.state) not in TRANSITIONS:
            raise IllegalTransition(before.state, after.state)
        values = list(updated_values(after))
        for index in _UPDATED_TIMES:
            values[index] = storable(values[index])
        rows.append((*values, before.id, before.attempts, before.state))
    if rows:
        with connection.cursor() as cursor:
            cursor.executemany(_UPDATE, rows)


def update_all(
    rows: "QuerySet[Delivery]",
    before: Iterable[State],
    after: State,
    *,
    by_hand: bool = False,
    **columns: Any,
) -> int:
    """Bring the rows that are in one of the states `before` to the state `after`, and set columns; return how many.

    One statement, for any number of rows. Raises IllegalTransition, and then writes nothing.
    """
    states = tuple(before)
    for state in states:
        check(state, after, by_hand=by_hand)
    return rows.filter(state__in=states).update(state=after, **columns)
