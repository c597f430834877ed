"""Isolates poison deliveries: when a batch fails unexpectedly, tries each row alone and postpones the failing ones."""

import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, TypeVar

from django.db import Error, transaction
from django.db.models import Case, F, Q, QuerySet, When

from messaging.errors import INTERNAL_ERROR, GatewayError
from messaging.store.budgets.settle import settle_ended
from messaging.store.models import Delivery
from messaging.store.queue.queries import update_all
from messaging.store.states import State

log = logging.getLogger(__name__)

T = TypeVar("T")
Rows = Sequence["QuerySet[Delivery]"]
"""Those of the first come before those of the second."""

NOT_IN_TIME = "an internal error in the gateway kept it from being sent in time"
POSTPONE_SECONDS = 3600.0
"""After an upgrade that fixes the bug a postponed delivery goes on; otherwise it expires like any other."""


def each_if_not_all(
    work: Callable[[Rows], list[T]], rows: Rows, limit: int, now: datetime
) -> list[T]:
    """Return the results of `work` on the first of these rows in one transaction; if it raises, on `limit`, each alone.

    Errors of the store and of the gateway are raised. For any other exception the failing delivery is postponed,
    with a line in the log and a reason in the history.
    """
    try:
        return work(rows)
    except (Error, GatewayError):
        raise
    except Exception as error:
        log.error("a batch failed with %s; each delivery is tried alone", type(error).__name__)
    ids = [one for part in rows for one in part.values_list("id", flat=True)[:limit]]
    return [result for one in ids[:limit] for result in _try_alone(work, one, now)]


def _try_alone(work: Callable[[Rows], list[T]], one: int, now: datetime) -> list[T]:
    row = Delivery.objects.filter(Q(due_at__lte=now) | Q(held_until__lte=now), id=one)
    try:
        return work((row,))
    except (Error, GatewayError):
        raise
    except Exception as error:
        message_id = row.values_list("message_id", flat=True).first()
        log.error(
            "a poison delivery is postponed: %s",
            type(error).__name__,
            extra={"message_id": message_id},
        )
        postpone(row, now)
        return []


@transaction.atomic
def postpone(row: "QuerySet[Delivery]", now: datetime) -> None:
    """Make it due later, or expire it when its lifetime is over, or the time that it may be held.

    Does not read it: reading may be what fails.
    """
    update_all(
        row,
        [State.HELD],
        State.EXPIRED,
        held_until=None,
        reason=NOT_IN_TIME,
        settled_at=now,
        updated_at=now,
    )
    columns: dict[str, Any] = {
        "leased": False,
        "uncertain": F("uncertain") + Case(When(leased=True, then=1), default=0),
        "updated_at": now,
    }
    over = row.filter(expires_at__lte=now)
    end: dict[str, Any] = {"due_at": None, "settled_at": now, "reason": NOT_IN_TIME}
    if update_all(over, [State.WAITING], State.EXPIRED, **end, **columns):
        settle_ended()
    else:
        again = now + timedelta(seconds=POSTPONE_SECONDS)
        later: dict[str, Any] = {"due_at": again, "reason": INTERNAL_ERROR}
        update_all(row, [State.WAITING], State.WAITING, **later, **columns)
