"""Keeps what networks were handed, part by part, so that later news finds its delivery."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from messaging.model.message import Network, Outcome, ReceiptState, SubmittedPart
from messaging.store.db.locks import lock_rows
from messaging.store.db.prepared import Prepared
from messaging.store.db.sql import insert, storable_time
from messaging.store.models import Delivery, HandedPart
from messaging.store.models.reports import MAX_NETWORK_ID_CHARACTERS
from messaging.store.queue.settle import Ending, Settled, Standing
from messaging.store.receipts.receipts import Key, settle_by_parts

_PART = ("delivery", "via", "network_id", "state", "reason", "units", "updated_at")


@dataclass(frozen=True, slots=True)
class AttemptResult:
    """An attempt whose outcome counts: how the delivery stood, what was reported, how it stands now."""

    row: Standing
    outcome: Outcome
    settled: Settled


def write_parts(attempts: Iterable[AttemptResult], now: datetime) -> list[Delivery]:
    """Note the parts of these attempts, and settle what news came before them; returns what that settled.

    Nothing is asked of the store for mail, which has no receipts.
    """
    heard_of = [one for one in attempts if one.row.recipient_network != Network.EMAIL]
    parts = {
        (one.row.via, part.network_id[:MAX_NETWORK_ID_CHARACTERS]): (one.row.id, part)
        for one in heard_of
        for part in one.outcome.submitted
        if part.network_id
    }
    if parts:
        known = _adopted(parts, now)
        _insert([(key, *found) for key, found in parts.items() if key not in known], now)
    return settle_by_parts(_with_news(heard_of), now)


_KNOWN = Prepared(
    lambda default_accounts, numbers: HandedPart.objects.filter(
        via__in=default_accounts, network_id__in=numbers
    ).values_list("id")
)


def _adopted(parts: Mapping[Key, tuple[int, SubmittedPart]], now: datetime) -> set[Key]:
    """Give the parts that are known already to the deliveries that name them now; returns which those are."""
    ids = [row[0] for row in _KNOWN({via for via, _ in parts}, {number for _, number in parts})]
    if not ids:
        return set()
    rows = HandedPart.objects.filter(id__in=ids)
    known = {key: row for row in lock_rows(rows) if (key := (row.via, row.network_id)) in parts}
    for key, row in known.items():
        delivery_id, handed = parts[key]
        if row.delivery_id not in (None, delivery_id):
            # A network that counts anew: what it said was about something else.
            row.state, row.reason, row.units = ReceiptState.ON_ITS_WAY.value, "", None
        row.delivery_id = delivery_id
        row.units = handed.billed_units if row.units is None else row.units
        row.updated_at = now
    fields = ("delivery", "state", "reason", "units", "updated_at")
    HandedPart.objects.bulk_update(known.values(), fields)
    return set(known)


def _insert(parts: Sequence[tuple[Key, int, SubmittedPart]], now: datetime) -> None:
    moment = storable_time(now)
    state = ReceiptState.ON_ITS_WAY.value
    rows = [
        (delivery_id, via, number, state, "", handed.billed_units, moment)
        for (via, number), delivery_id, handed in parts
    ]
    insert(HandedPart, _PART, rows)


_NEWS = Prepared(
    lambda sent: (
        HandedPart.objects.filter(delivery__id__in=sent)
        .exclude(state=ReceiptState.ON_ITS_WAY)
        .values_list("delivery_id")
    )
)


def _with_news(attempts: Iterable[AttemptResult]) -> set[int]:
    """The deliveries that have just been sent and of whose parts something is known already."""
    sent = [one.row.id for one in attempts if one.settled.ending is Ending.SENT]
    return {row[0] for row in _NEWS(sent)}
