"""Writes the rows of deliveries, and refuses every change of state that `states.py` does not list.

Only `store/queue/` may import this module: its verbs are the only writers of deliveries.
"""

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING, Any

from messaging.store.queue import queries
from messaging.store.queue.delivery_state import COLUMNS, DeliveryState, from_row
from messaging.store.states import State, check

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from messaging.store.models import Delivery

Change = tuple[DeliveryState, DeliveryState]
"""A delivery as it was read, and as it is to be."""


def read_rows(rows: "QuerySet[Delivery]") -> list[DeliveryState]:
    """Read these deliveries: one query."""
    return [from_row(row) for row in rows.values_list(*COLUMNS)]


def write(changes: Collection[Change]) -> None:
    """Write the new states: one statement for all. Raises IllegalTransition, and then writes none."""
    for before, after in changes:
        # A sent or ended delivery may get another reason or charge; that is no change of state.
        if after.state is not before.state:
            check(before.state, after.state)
    queries.update(changes)


def write_all(
    rows: "QuerySet[Delivery]",
    before: Iterable[State],
    after: State,
    *,
    by_hand: bool = False,
    **columns: Any,
) -> int:
    """Bring the rows that are in one of the states `before` to the state `after`, and set columns; how many.

    One statement, for any number of rows. Raises IllegalTransition, and then writes nothing.
    """
    states = tuple(before)
    for state in states:
        check(state, after, by_hand=by_hand)
    return rows.filter(state__in=states).update(state=after, **columns)
