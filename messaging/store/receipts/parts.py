"""Stores the submitted parts of deliveries, so that later receipts find their delivery."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from messaging.model.message import Network, Outcome, ReceiptState, SubmittedPart
from messaging.store.db.locks import lock_rows
from messaging.store.db.sql import Select, insert, storable_time
from messaging.store.models import DeliveryPart
from messaging.store.models.reports import MAX_NETWORK_ID_CHARACTERS
from messaging.store.queue.delivery_state import DeliveryState
from messaging.store.receipts.receipts import Key, settle_by_receipts
from messaging.store.states import State

_KNOWN: Final = Select("SELECT id FROM users_handedpart WHERE {} AND {}", "via", "network_id")
_WITH_NEWS: Final = Select(
    f"SELECT delivery_id FROM users_handedpart WHERE {{}} AND state <> '{ReceiptState.ON_ITS_WAY.value}'",  # noqa: S608
    "delivery_id",
)
_PART: Final = ("delivery_id", "via", "network_id", "state", "reason", "units", "updated_at")


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
    with_receipts = [one for one in attempts if one.before.recipient_network is not Network.EMAIL]
    parts = {
        (one.before.via, part.network_id[:MAX_NETWORK_ID_CHARACTERS]): (one.before.id, part)
        for one in with_receipts
        for part in one.outcome.submitted
        if part.network_id
    }
    if parts:
        rows = _KNOWN({via for via, _ in parts}, {number for _, number in parts})
        ids = [number for (number,) in rows]
        known = _assign_known_parts(ids, parts, now) if ids else ()
        moment, state = storable_time(now), ReceiptState.ON_ITS_WAY.value
        rows = [
            (delivery_id, via, number, state, "", part.billed_units, moment)
            for (via, number), (delivery_id, part) in parts.items()
            if (via, number) not in known
        ]
        insert("users_handedpart", _PART, rows)
    sent = [one.after.id for one in with_receipts if one.after.state is State.SENT]
    news = {number for (number,) in _WITH_NEWS(sent)}
    return settle_by_receipts(news, now) if news else []


def _assign_known_parts(
    ids: Collection[int], parts: Mapping[Key, tuple[int, SubmittedPart]], now: datetime
) -> set[Key]:
    """Give the parts that are stored already to the deliveries that name them now; return their keys."""
    rows = lock_rows(DeliveryPart.objects.filter(id__in=ids))
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
    DeliveryPart.objects.bulk_update(known.values(), fields)
    return set(known)
