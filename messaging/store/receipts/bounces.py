"""Settles deliveries by the reports that come back for them."""

from collections.abc import Sequence
from datetime import datetime

from django.db import connection

from messaging.model.message import Bounce
from messaging.store.accept.validate import short_reason
from messaging.store.models import Delivery
from messaging.store.states import State

_CHANGED = ("state", "due_at", "reason", "updated_at", "settled_at")


def write_bounces(bounces: Sequence[Bounce], now: datetime) -> list[Delivery]:
    """Make the deliveries that came back failed, and note on those that are only late that they are: two statements.

    Only what the network took, or may have taken, can come back; in any other state a report changes nothing, nor
    does one that is offered again. Returns those that failed.
    """
    if not bounces:
        return []
    rows = Delivery.objects.filter(
        id__in={bounce.delivery_id for bounce in bounces},
        state__in=(State.SENT, State.WAITING),
    ).order_by("id")
    if connection.features.has_select_for_update:
        rows = rows.select_for_update()
    found = {row.id: row for row in rows}
    for bounce in bounces:
        row = found.get(bounce.delivery_id)
        if row is not None and row.message_id == bounce.message_id:
            _note(row, bounce, now)
    Delivery.objects.bulk_update(found.values(), _CHANGED)
    return [row for row in found.values() if row.state == State.FAILED]


def _note(row: Delivery, bounce: Bounce, now: datetime) -> None:
    if bounce.is_final and row.state in (State.SENT, State.WAITING):
        # `leased` stays: an attempt that is under way may still be heard of, and a retry has to know.
        row.state, row.due_at, row.settled_at = State.FAILED, None, now
    elif row.state != State.SENT:
        return
    row.reason = short_reason(bounce.reason)
    row.updated_at = now
