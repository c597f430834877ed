"""Brings the bookings of deliveries up to date with their states and reported units."""

from collections.abc import Collection, Iterable, Sequence
from typing import Final

from django.db import connection

from messaging.costs.reservation import Booking, DeliveryCharge, next_booking
from messaging.store.budgets.figures import FigureChanges
from messaging.store.db.sql import ONE_OF, Row, Select, list_parameter
from messaging.store.queue.delivery_state import DeliveryState
from messaging.store.states import GIVEN, State

_BOOKINGS: Final = (
    "SELECT b.id, b.period_id, b.price, b.amount, b.is_spent, d.state, d.estimated_units, d.units"
    " FROM users_budgetbooking b JOIN users_delivery d ON d.id = b.delivery_id WHERE "
)
_OF_DELIVERIES: Final = Select(_BOOKINGS + "{}", "b.delivery_id")
# Bookings that are reserved are those of deliveries that wait: few, and a partial index finds them.
_ENDED: Final = _BOOKINGS + f"NOT b.is_spent AND d.state <> '{State.WAITING.value}'"
_UPDATE: Final = "UPDATE users_budgetbooking SET amount = %s, is_spent = %s WHERE id = %s"
_DELETE: Final = "DELETE FROM users_budgetbooking WHERE "


def booked_ids(rows: Iterable[DeliveryState]) -> set[int]:
    """Return the ids of those deliveries that may have bookings."""
    return {row.id for row in rows if row.estimated_units is not None}


def settle_bookings(delivery_ids: Collection[int]) -> FigureChanges:
    """Bring the bookings of these deliveries up to date: no statement without any.

    Returns the changes of the figures, which are to be written last in the transaction.
    """
    return _settle(_OF_DELIVERIES(delivery_ids))


def settle_ended() -> None:
    """Bring the bookings of all deliveries up to date that have ended while something was reserved for them.

    For changes of any number of rows by one statement. Call it last in a transaction.
    """
    # Two that find the same booking, which an older version left, must not both change it.
    locks = " FOR UPDATE OF b SKIP LOCKED" if connection.vendor == "postgresql" else ""
    with connection.cursor() as cursor:
        cursor.execute(_ENDED + locks)
        rows = list(cursor.fetchall())
    _settle(rows).write()


def _settle(rows: Sequence[Row]) -> FigureChanges:
    changes = FigureChanges.none()
    updates: list[tuple[int, bool, int]] = []
    ended: list[int] = []
    for number, period, price, amount, is_spent, state, estimated, units in rows:
        before = Booking(price, amount, bool(is_spent))
        charge = DeliveryCharge(state == State.WAITING, state in GIVEN, estimated or 0, units)
        after = next_booking(before, charge)
        if after == before:
            continue
        _add(changes, period, before, -1)
        if after is None:
            ended.append(number)
        else:
            _add(changes, period, after, 1)
            updates.append((after.amount, after.is_spent, number))
    if updates:
        with connection.cursor() as cursor:
            cursor.executemany(_UPDATE, updates)
    if ended:
        with connection.cursor() as cursor:
            statement = _DELETE + ONE_OF[connection.vendor].format("id")
            cursor.execute(statement, [list_parameter(ended)])
    return changes


def _add(changes: FigureChanges, period: int, booking: Booking, sign: int) -> None:
    figures = changes.spent if booking.is_spent else changes.reserved
    figures[period] += sign * booking.amount
