"""Begins attempts: the last step before the first byte of a request may leave."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from messaging.config.settings import Settings
from messaging.errors import GatewayError
from messaging.model.message import Delivery
from messaging.store.db.connection import BatchRunner, open_store
from messaging.store.queue import queries
from messaging.store.queue.lease import Lease


class StoreBegins:
    """Begins the attempts that the senders of a process ask for, a batch in one transaction. Synchronous.

    An attempt begins once: any number of copies of a delivery may wait for their senders, and all but one are refused.
    """

    def __init__(self, settings: Settings, now: Callable[[], datetime] = timezone.now) -> None:
        open_store(settings)
        self._lease_seconds = settings.lease_seconds
        self._now = now
        self._runner = BatchRunner("begin")

    def process(self, deliveries: Sequence[Delivery]) -> list[list[Delivery] | Exception]:
        """Return, for each, the delivery to send now, with its lease; or an empty list: then it must not be sent.

        It is refused when this attempt has begun elsewhere, when the delivery has ended, or when the id is another
        message's now. `Unavailable` while the store is away. Never raises.
        """
        results: list[list[Delivery] | Exception] = []
        for result in self._runner.run(self._begin, deliveries):
            if isinstance(result, GatewayError):
                results.append(result)
            else:
                results.append([result] if result else [])
        return results

    def _begin(self, deliveries: Sequence[Delivery]) -> list[Delivery | None]:
        now = self._now()
        lease = Lease.starting(now, self._lease_seconds)
        keys: dict[int, set[tuple[int, str]]] = defaultdict(set)
        for delivery in deliveries:
            keys[delivery.attempt].add((delivery.id, delivery.message.id))
        with transaction.atomic(durable=True):
            begun = {
                (*key, attempt)
                for attempt, waiting in sorted(keys.items())
                for key in queries.begin(waiting, attempt, lease.due_at, now)
            }
        results: list[Delivery | None] = []
        for delivery in deliveries:
            key = delivery.id, delivery.message.id, delivery.attempt
            # Two copies may ask in one batch.
            is_first = key in begun
            begun.discard(key)
            results.append(replace(delivery, lease_until=lease.lease_until) if is_first else None)
        return results
