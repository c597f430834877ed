"""The statements that run all the time are answered by the index that was made for them, on either store."""

from typing import Any

import pytest
from django.db import connection
from django.db.models import QuerySet

from messaging.store.console.queues import waiting_by_via
from messaging.store.db.connection import store_errors
from messaging.store.models import WAITING, Delivery
from messaging.store.queue import lanes
from tests.support.store.fill_queue import fill_queue
from tests.support.store.records import Clock, Gateway


def plan(rows: "QuerySet[Delivery, Any]") -> str:
    with store_errors(), connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            # What other tests left in the statistics must not choose.
            cursor.execute("ANALYZE users_delivery")
            cursor.execute("SET enable_seqscan = off")
        return rows.explain()


@pytest.mark.parametrize(
    "index", ["delivery_due", "delivery_urgent", "delivery_expiry", "delivery_backlog"]
)
def test_the_queue_is_read_by_its_index(gateway: Gateway, index: str) -> None:
    gateway.take_one()
    fill_queue(9, gateway.clock)
    now = Clock()()
    due = Delivery.objects.filter(due_at__lte=now)
    owed = due.filter(via="hive", expires_at__gt=now).order_by("due_at", "id")
    queries = {
        "delivery_due": owed.filter(is_urgent=False)[:10],
        "delivery_urgent": owed.filter(is_urgent=True)[:10],
        "delivery_expiry": due.filter(expires_at__lte=now).order_by("expires_at")[:10],
        "delivery_backlog": Delivery.objects.filter(WAITING, subscriber_id__in=[1, 2]).order_by(),
    }
    assert index in plan(queries[index])


def test_the_lanes_are_read_by_their_index(gateway: Gateway) -> None:
    gateway.take_one()
    fill_queue(9, gateway.clock)
    statements: list[tuple[str, Any]] = []

    def note(execute: Any, sql: str, parameters: Any, many: bool, context: Any) -> Any:
        statements.append((sql, parameters))
        return execute(sql, parameters, many, context)

    with store_errors(), connection.execute_wrapper(note):
        lanes.next_lanes("hive", None, 10)
        lanes.next_lanes("hive", "1000", 10)
        lanes.heads([("hive", "1001")], gateway.clock.now)
        lanes.free_places([("hive", "1001")], gateway.clock.now)
    assert len(statements) == 4
    for sql, parameters in statements:
        with store_errors(), connection.cursor() as cursor:
            prefix = "EXPLAIN QUERY PLAN "
            if connection.vendor == "postgresql":
                prefix = "EXPLAIN "
                cursor.execute("ANALYZE users_delivery")
                cursor.execute("SET enable_seqscan = off")
                cursor.execute("SET enable_sort = off")
            cursor.execute(prefix + sql, parameters)
            assert "delivery_lanes" in str(cursor.fetchall())


def test_how_much_waits_and_since_when_is_read_from_the_index_alone(
    sqlite_gateway: Gateway,
) -> None:
    # PostgreSQL chooses by the size of the table, and may read a small one whole.
    sqlite_gateway.take_one()
    fill_queue(9, sqlite_gateway.clock)
    told = plan(waiting_by_via())
    assert "COVERING INDEX delivery_due" in told
