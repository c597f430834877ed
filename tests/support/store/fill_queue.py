"""Makes a queue long."""

from datetime import timedelta

from django.db import connection

from messaging.store.db.connection import store_errors
from messaging.store.models import Delivery
from tests.support.store.records import Clock

AGE_SECONDS = 7


def fill_queue(doublings: int, clock: Clock) -> None:
    """Double the deliveries that wait so often; all of them have been waiting for seven seconds then."""
    columns = ", ".join(str(f.column) for f in Delivery._meta.concrete_fields if not f.primary_key)
    Delivery.objects.update(created_at=clock.now - timedelta(seconds=AGE_SECONDS))
    with store_errors(), connection.cursor() as cursor:
        for _ in range(doublings):
            # The names are the table's own.
            cursor.execute(
                f"INSERT INTO users_delivery ({columns}) SELECT {columns} FROM users_delivery"
            )
