"""Takes the lanes of an account in turn, however many deliveries wait in one of them; see `Delivery.lane`."""

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from operator import itemgetter
from typing import Any, Final

from django.db import connection

from messaging.model.message import Network
from messaging.store.db.sql import storable_time
from messaging.store.queue.delivery_state import NewDelivery

MAX_IN_HAND: Final = 32
"""How many deliveries of one lane are handed out and not begun, at most: the others wait in the store."""

LANES_AT_ONCE: Final = 256
"""How many lanes one claim looks at: one or two seeks in the index for each."""

# As in the index `delivery_lanes`, which answers every statement here.
LANE: Final = (
    "(CASE WHEN {0}.recipient_network = 'satellite' THEN {0}.recipient ELSE {0}.sender END)"
)
_LANE: Final = LANE.format("d")
_NEXT_LANE: Final = (
    f"(SELECT {_LANE} FROM users_delivery d WHERE d.via = %s AND d.due_at IS NOT NULL"  # noqa: S608
    f" AND {_LANE} {{}} ORDER BY {_LANE} LIMIT 1)"
)
# One seek for each lane (a loose index scan), not one step for each delivery.
_LANES: Final = (
    "WITH RECURSIVE lanes(lane, number) AS ("  # noqa: S608
    f" SELECT {_NEXT_LANE.format('{} %s')}, 1"
    f" UNION ALL SELECT {_NEXT_LANE.format('> lanes.lane')}, number + 1"
    " FROM lanes WHERE lanes.lane IS NOT NULL AND number < %s)"
    " SELECT lane FROM lanes WHERE lane IS NOT NULL"
)
# One pair of account and lane in each row of `r`.
_HEADS: Final = {
    "sqlite": "SELECT json_extract(r.value, '$[1]'), d.id"  # noqa: S608
    " FROM json_each(%s) r CROSS JOIN users_delivery d WHERE d.id IN ("
    f"SELECT x.id FROM users_delivery x WHERE x.via = json_extract(r.value, '$[0]')"
    f" AND {LANE.format('x')} = json_extract(r.value, '$[1]')"
    # The plus keeps the planner from reading all that is due, once for each lane.
    " AND x.due_at IS NOT NULL AND +x.due_at <= %s ORDER BY x.id LIMIT %s)",
    "postgresql": "SELECT r.lane, f.id"  # noqa: S608
    " FROM unnest(%s::text[], %s::text[]) AS r(via, lane) CROSS JOIN LATERAL ("
    "SELECT x.id FROM users_delivery x WHERE x.via = r.via"
    f" AND {LANE.format('x')} = r.lane"
    " AND x.due_at IS NOT NULL AND x.due_at <= %s ORDER BY x.id LIMIT %s) f",
}
_FREE: Final = (
    "(SELECT CASE WHEN MIN(f.due_at) <= %s THEN 0 ELSE %s - COUNT(*) END FROM ("  # noqa: S608
    f"SELECT x.due_at FROM users_delivery x WHERE x.via = {{0}} AND {LANE.format('x')} = {{1}}"
    " AND x.due_at IS NOT NULL ORDER BY x.id LIMIT %s) f)"
)
_PLACES: Final = {
    "sqlite": "SELECT json_extract(r.value, '$[0]'), json_extract(r.value, '$[1]'), "  # noqa: S608
    + _FREE.format("json_extract(r.value, '$[0]')", "json_extract(r.value, '$[1]')")
    + " FROM json_each(%s) r",
    "postgresql": f"SELECT r.via, r.lane, {_FREE.format('r.via', 'r.lane')}"  # noqa: S608
    " FROM unnest(%s::text[], %s::text[]) AS r(via, lane)",
}
_FEW: Final = (
    f"SELECT {_LANE}, d.id FROM users_delivery d WHERE d.via = %s AND d.due_at IS NOT NULL"  # noqa: S608
    " AND d.due_at <= %s AND NOT d.is_urgent ORDER BY d.due_at LIMIT %s"
)

Lane = tuple[str, str]
"""An account and one of its lanes."""


def lane_of(delivery: NewDelivery) -> Lane:
    """Return the lane of a delivery that has no row yet; see `Delivery.lane`."""
    is_for_device = delivery.recipient_network is Network.SATELLITE
    return delivery.via, delivery.recipient if is_for_device else delivery.sender


def next_lanes(via: str, after: str | None, limit: int) -> list[str]:
    """Return the next lanes of this account, in their order, in which a delivery waits; the first ones after None."""
    with connection.cursor() as cursor:
        statement = _LANES.format(">=" if after is None else ">")
        cursor.execute(statement, (via, after or "", via, limit))
        return [lane for (lane,) in cursor.fetchall()]


def heads(lanes: Collection[Lane], now: datetime) -> list[tuple[str, int]]:
    """Return the lane and the id of the oldest due deliveries in each lane: at most `MAX_IN_HAND`, one query."""
    if not lanes:
        return []
    with connection.cursor() as cursor:
        parameters = (*_lists(lanes), storable_time(now), MAX_IN_HAND)
        cursor.execute(_HEADS[connection.vendor], parameters)
        return list(cursor.fetchall())


def free_places(lanes: Collection[Lane], now: datetime) -> dict[Lane, int]:
    """Return how many new deliveries of each lane may be handed out at once: one query, none without lanes.

    A lane in which a delivery is due has no place, so that none overtakes it, and none has more than `MAX_IN_HAND`.
    """
    if not lanes:
        return {}
    with connection.cursor() as cursor:
        parameters = (storable_time(now), MAX_IN_HAND, MAX_IN_HAND, *_lists(lanes))
        cursor.execute(_PLACES[connection.vendor], parameters)
        return {(via, lane): free for via, lane, free in cursor.fetchall()}


def _lists(lanes: Collection[Lane]) -> tuple[Any, ...]:
    if connection.vendor == "postgresql":
        return [via for via, _ in lanes], [lane for _, lane in lanes]
    return (json.dumps(list(lanes)),)


def take_places(deliveries: Sequence[NewDelivery], now: datetime) -> list[bool]:
    """Return, for each of these new deliveries, whether it is handed out at once: one query, in their transaction.

    Urgent deliveries do not wait.
    """
    lanes = [None if one.is_urgent else lane_of(one) for one in deliveries]
    free = free_places({lane for lane in lanes if lane}, now)
    takes = []
    for lane in lanes:
        takes.append(lane is None or free[lane] > 0)
        if lane is not None:
            free[lane] -= 1
    return takes


class LaneRotation:
    """Chooses which due deliveries are the next: one of each lane, then a second one of each, and so on.

    Remembers where it came to an end, so that the next choice begins behind that lane.
    """

    def __init__(self) -> None:
        self._last: dict[str, str] = {}

    def choose(self, via: str, limit: int, in_hand: Mapping[str, int], now: datetime) -> list[int]:
        """Return the ids of at most `limit` due deliveries, within each lane the oldest.

        No lane gets more than `MAX_IN_HAND`, those that are `in_hand` counted. Four queries at most.
        """
        with connection.cursor() as cursor:
            cursor.execute(_FEW, (via, storable_time(now), limit + 1))
            few = sorted(cursor.fetchall(), key=itemgetter(1))
        ids: dict[str, list[int]] = {}
        # The common case: there is room for all. The lanes are looked at only when some have to wait.
        if len(few) <= limit:
            for lane, number in few:
                ids.setdefault(lane, []).append(number)
            return [number for number, _ in _take(limit, in_hand, ids)]
        for lane in self._next(via):
            ids[lane] = []
        for lane, number in heads([(via, lane) for lane in ids], now):
            ids[lane].append(number)
        taken = _take(limit, in_hand, ids)
        # Not every lane had its turn, or there are more lanes.
        if len(taken) == limit:
            self._last[via] = taken[-1][1]
        elif len(ids) == LANES_AT_ONCE:
            self._last[via] = list(ids)[-1]
        return [number for number, _ in taken]

    def _next(self, via: str) -> list[str]:
        last = self._last.get(via)
        lanes = next_lanes(via, last, LANES_AT_ONCE)
        if last is not None and len(lanes) < LANES_AT_ONCE:
            # From the start again, up to the lane that was the last.
            first = next_lanes(via, None, LANES_AT_ONCE - len(lanes))
            lanes += [lane for lane in first if lane <= last]
        return lanes


def _take(
    limit: int, in_hand: Mapping[str, int], ids: Mapping[str, list[int]]
) -> list[tuple[int, str]]:
    """Return at most `limit` ids with their lanes: first of the lanes that have the fewest in hand."""
    taken: list[tuple[int, str]] = []
    for rank in range(MAX_IN_HAND):
        for lane, waiting in ids.items():
            place = rank - in_hand.get(lane, 0)
            if 0 <= place < len(waiting):
                taken.append((waiting[place], lane))
                if len(taken) == limit:
                    return taken
    return taken
