"""Gives what a network took, and then could not deliver, another attempt."""

from collections.abc import Mapping
from datetime import datetime

from messaging.config.settings import Settings
from messaging.model.message import Network, Receipt
from messaging.sending.backoff import doubled
from messaging.store.accept.validate import short_reason
from messaging.store.db.locks import lock_rows
from messaging.store.models import Delivery, HandedPart
from messaging.store.queue.backoff import next_attempt_at
from messaging.store.states import State

_AGAIN = ("state", "reason", "due_at", "parts_sent", "updated_at", "settled_at")


def redeliver(lost: Mapping[int, Receipt], settings: Settings, now: datetime) -> set[int]:
    """Let these deliveries wait again, as a whole, where there is an attempt left; returns which.

    The wait that the network wishes doubles with each attempt. What was tried `late_attempts` times, or whose life is
    over, is left alone; what is urgent is never given up.
    """
    rows = lock_rows(Delivery.objects.filter(id__in=lost, state=State.SENT)) if lost else ()
    again = [row for row in rows if _has_an_attempt_left(row, settings, now)]
    for row in again:
        row.state, row.reason = State.WAITING, short_reason(lost[row.id].reason)
        row.due_at = _due_at(row, lost[row.id].retry_after_seconds or 0, settings, now)
        row.parts_sent, row.updated_at, row.settled_at = 0, now, None
    ids = {row.id for row in again}
    if ids:
        # Later news of these parts is about an attempt that is over.
        HandedPart.objects.filter(delivery_id__in=ids).delete()
        Delivery.objects.bulk_update(again, _AGAIN)
    return ids


def _has_an_attempt_left(row: Delivery, settings: Settings, now: datetime) -> bool:
    if row.is_urgent:
        return True
    most = min(settings.late_attempts, settings.retry_policy(_network(row)).max_attempts)
    return row.attempts - row.attempts_forgiven < most and now < row.expires_at


def _due_at(row: Delivery, wish_seconds: float, settings: Settings, now: datetime) -> datetime:
    policy = settings.retry_policy(_network(row), is_urgent=row.is_urgent)
    attempts = row.attempts - row.attempts_forgiven
    return next_attempt_at(
        now,
        policy,
        attempts,
        doubled(wish_seconds, attempts),
        row.expires_at,
        is_urgent=row.is_urgent,
    )


def _network(row: Delivery) -> Network:
    return Network(row.recipient_network)
