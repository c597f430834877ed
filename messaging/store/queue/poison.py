"""Keeps deliveries that a bug cannot work on from holding up the others: each then stands alone, and is put aside."""

import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import TypeVar

from django.db import Error
from django.db.models import Case, F, QuerySet, When

from messaging.errors import GatewayError
from messaging.sending.attempt import INTERNAL_ERROR
from messaging.store.models import Delivery
from messaging.store.states import State

log = logging.getLogger(__name__)

T = TypeVar("T")
Rows = Sequence["QuerySet[Delivery]"]
"""Those of the first come before those of the second."""

NOT_IN_TIME = "an internal error in the gateway kept it from being sent in time"
AGAIN_SECONDS = 3600.0
"""How long one is put aside. After an upgrade that knows better it goes on; else its life ends as any other's."""


def each_if_not_all(
    work: Callable[[Rows], list[T]], rows: Rows, limit: int, now: datetime
) -> list[T]:
    """Return what `work` makes of the first of these rows in one transaction; if it raises, of `limit`, each alone.

    That is for what nobody foresaw: errors of the store, and ours, are raised. The one that it raises for is put
    aside, and the log and the history say so.
    """
    try:
        return work(rows)
    except (Error, GatewayError):
        raise
    except Exception as error:
        log.error("a batch failed with %s; each delivery is tried alone", type(error).__name__)
    ids = [one for part in rows for one in part.values_list("id", flat=True)[:limit]]
    return [made for one in ids[:limit] for made in _alone(work, one, now)]


def _alone(work: Callable[[Rows], list[T]], one: int, now: datetime) -> list[T]:
    row = Delivery.objects.filter(id=one, due_at__lte=now)
    try:
        return work((row,))
    except (Error, GatewayError):
        raise
    except Exception as error:
        message_id = row.values_list("message_id", flat=True).first()
        log.error("put aside: %s", type(error).__name__, extra={"message_id": message_id})
        _put_aside(row, now)
        return []


def _put_aside(row: "QuerySet[Delivery]", now: datetime) -> None:
    """Owe it later, or end it when its life is over. Without reading it, which may be what fails."""
    said = {
        "leased": False,
        "uncertain": F("uncertain") + Case(When(leased=True, then=1), default=0),
        "updated_at": now,
    }
    over = row.filter(expires_at__lte=now)
    ended = {"state": State.EXPIRED, "due_at": None, "settled_at": now, "reason": NOT_IN_TIME}
    if not over.update(**ended, **said):
        again = now + timedelta(seconds=AGAIN_SECONDS)
        row.update(due_at=again, reason=INTERNAL_ERROR, **said)
