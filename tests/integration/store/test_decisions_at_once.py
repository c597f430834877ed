"""Decisions about one held message by several people at once: one of them counts."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from messaging.store.console import messages
from messaging.store.db.connection import close_connection
from messaging.store.models import AuditEntry, Delivery, Subscriber
from tests.support.store import records as g
from tests.support.store.records import Gateway

PEOPLE = 4


@pytest.mark.postgres
def test_one_of_several_decisions_counts(postgres_gateway: Gateway) -> None:
    gateway = postgres_gateway
    Subscriber.objects.update(senders="known")
    gateway.router.process([g.mail()])
    ready = Barrier(PEOPLE)

    def decide(number: int) -> tuple[int, int]:
        ready.wait()
        try:
            if number % 2:
                return messages.release(g.mail().id, gateway.settings).released, 0
            return 0, messages.refuse(g.mail().id)
        finally:
            close_connection()

    with ThreadPoolExecutor(PEOPLE) as pool:
        done = list(pool.map(decide, range(PEOPLE)))
    row = Delivery.objects.get()
    released, refused = (sum(column) for column in zip(*done, strict=True))
    assert released + refused == 1
    assert row.state == ("waiting" if released else "refused")
    assert AuditEntry.objects.filter(kind="delivery", object_id=str(row.id)).count() == 1
