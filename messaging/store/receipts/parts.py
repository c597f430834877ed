"""Stores the submitted parts of deliveries, so that later receipts find their delivery."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from messaging.model.message import Network, Outcome, ReceiptState, SubmittedPart
from messaging.store.db.locks import lock_rows
from messaging.store.db.sql import insert, storable_time
from messaging.store.models import HandedPart
from messaging.store.models.reports import MAX_NETWORK_ID_CHARACTERS
from messaging.store.queue.delivery_state import DeliveryState
from messaging.store.receipts import queries
from messaging.store.receipts.receipts import Key, settle_by_receipts
from messaging.store.states import State

_PART = ("delivery_id", "via", "network_id", "state", "reason", "units", "updated_at")


@dataclass(frozen=True, slots=True)
class AttemptResult:
    """An attempt whose outcome counts, and its delivery before and after that."""

    before: DeliveryState
    outcome: Outcome
    after: DeliveryState


def write_parts(attempts: Iterable[AttemptResult], now: datetime) -> list[DeliveryState]:
    """Store the parts of these attempts; return the deliveries that receipts settle which came before the outcome.

    Runs no statement for mail, which has no receipts.
    """
    with_receipts = [one for one in attempts if one.before.recipient_network != Network.EMAIL]
    parts = {
        (one.before.via, part.network_id[:MAX_NETWORK_ID_CHARACTERS]): (one.before.id, part)
        for one in with_receipts
        for part in one.outcome.submitted
        if part.network_id
    }
    if parts:
        known = _claim_known_parts(parts, now)
        _insert([(key, *part) for key, part in parts.items() if key not in known], now)
    sent = [one.after.id for one in with_receipts if one.after.state is State.SENT]
    if not sent:
        return []
    return settle_by_receipts(
        queries.deliveries_with_news(sent, ReceiptState.ON_ITS_WAY.value), now
    )


def _claim_known_parts(parts: Mapping[Key, tuple[int, SubmittedPart]], now: datetime) -> set[Key]:
    """Give the parts that are stored already to the deliveries that name them now; return their keys."""
    ids = queries.ids_of_known_parts({via for via, _ in parts}, {number for _, number in parts})
    if not ids:
        return set()
    rows = lock_rows(HandedPart.objects.filter(id__in=ids))
    known = {key: row for row in rows if (key := (row.via, row.network_id)) in parts}
    for key, row in known.items():
        delivery_id, part = parts[key]
        if row.delivery_id not in (None, delivery_id):
            # The network reuses its ids: what it reported was about something else.
            row.state, row.reason, row.units = ReceiptState.ON_ITS_WAY.value, "", None
        row.delivery_id = delivery_id
        row.units = part.billed_units if row.units is None else row.units
        row.updated_at = now
    fields = ("delivery", "state", "reason", "units", "updated_at")
    HandedPart.objects.bulk_update(known.values(), fields)
    return set(known)


def _insert(parts: Sequence[tuple[Key, int, SubmittedPart]], now: datetime) -> None:
    moment = storable_time(now)
    state = ReceiptState.ON_ITS_WAY.value
    rows = [
        (delivery_id, via, number, state, "", part.billed_units, moment)
        for (via, number), delivery_id, part in parts
    ]
    insert("users_handedpart", _PART, rows)
