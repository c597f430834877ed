"""Settles what networks were handed by what they say about it later."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from messaging.config.settings import Settings
from messaging.model.message import Receipt, ReceiptState
from messaging.model.receipt import FINAL_RECEIPTS
from messaging.store.accept.validate import short_reason
from messaging.store.db.locks import lock_rows
from messaging.store.models import Delivery, HandedPart
from messaging.store.models.reports import MAX_NETWORK_ID_CHARACTERS
from messaging.store.receipts.late_losses import redeliver
from messaging.store.states import State

Key = tuple[str, str]
"""An account and its id for something."""

UNCLAIMED_DAYS = 7
"""For how long news of what no delivery knows is kept: the sender's own report may be later, but not by that much."""

NO_REASON = "the network could not deliver it and gave no reason"


def write_receipts(
    receipts: Sequence[Receipt], settings: Settings, now: datetime
) -> list[Delivery]:
    """Note the news, and settle what has arrived or failed by it; returns what was settled.

    News that is final stays. What was lost and may succeed another time waits again, where these settings leave it an
    attempt. News of what no delivery knows yet waits for the sender's report, and what was lost then has failed.
    """
    if not receipts:
        return []
    news = _merged(receipts)
    parts = _parts(news)
    _note_units(parts, news)
    _keep_unclaimed([one for key, one in news.items() if key not in parts], now)
    again = redeliver(_worth_another(parts, news), settings, now)
    settled = {key: part for key, part in parts.items() if part.delivery_id not in again}
    for key, part in settled.items():
        _apply(part, news[key], now)
    HandedPart.objects.bulk_update(settled.values(), ("state", "reason", "units", "updated_at"))
    return settle_by_parts({p.delivery_id for p in settled.values() if p.delivery_id}, now)


def settle_by_parts(delivery_ids: Collection[int], now: datetime) -> list[Delivery]:
    """Settle these where the network has all of them and says how all, or one, ended; returns those it settled."""
    if not delivery_ids:
        return []
    sent = {row.id: row for row in lock_rows(Delivery.objects.filter(id__in=delivery_ids))}
    of_each: dict[int, list[HandedPart]] = defaultdict(list)
    for part in HandedPart.objects.filter(delivery_id__in=delivery_ids).order_by("id"):
        of_each[part.delivery_id or 0].append(part)
    changed = [row for row in sent.values() if _settle(row, of_each[row.id], now)]
    Delivery.objects.bulk_update(changed, ("state", "reason", "updated_at", "settled_at"))
    return changed


def lost_of(settled: Iterable[Delivery]) -> list[int]:
    """Return which of these have failed."""
    return [row.id for row in settled if row.state == State.FAILED]


def _settle(row: Delivery, parts: Sequence[HandedPart], now: datetime) -> bool:
    if row.state != State.SENT:
        return False
    lost = next((part for part in parts if part.state == ReceiptState.FAILED), None)
    arrived = [part for part in parts if part.state == ReceiptState.DELIVERED]
    if lost is not None:
        row.state, row.reason = State.FAILED, lost.reason or NO_REASON
    elif len(arrived) == len(parts) >= max(row.parts_sent, 1):
        row.state = State.DELIVERED
    else:
        return False
    row.updated_at = row.settled_at = now
    return True


def _worth_another(
    parts: Mapping[Key, HandedPart], news: Mapping[Key, Receipt]
) -> dict[int, Receipt]:
    """The deliveries of which all that is lost now may succeed another time, and the news that says so."""
    lost: dict[int, list[Receipt]] = defaultdict(list)
    for key, part in parts.items():
        is_new = part.state not in FINAL_RECEIPTS and news[key].state is ReceiptState.FAILED
        if is_new and part.delivery_id is not None:
            lost[part.delivery_id].append(news[key])
    return {
        number: ones[0]
        for number, ones in lost.items()
        if all(one.retry_after_seconds is not None for one in ones)
    }


def _merged(receipts: Iterable[Receipt]) -> dict[Key, Receipt]:
    """One receipt for each thing that is spoken of."""
    merged: dict[Key, Receipt] = {}
    for receipt in receipts:
        key = (receipt.via, receipt.network_id[:MAX_NETWORK_ID_CHARACTERS])
        before = merged.get(key)
        merged[key] = _both(before, receipt) if before else receipt
    return merged


def _both(before: Receipt, after: Receipt) -> Receipt:
    newest = before if before.state in FINAL_RECEIPTS else after
    units = before.billed_units if after.billed_units is None else after.billed_units
    return replace(newest, billed_units=units)


def _apply(part: HandedPart, receipt: Receipt, now: datetime) -> None:
    if part.state not in FINAL_RECEIPTS:
        part.state, part.reason = receipt.state.value, short_reason(receipt.reason)
    if receipt.billed_units is not None:
        part.units = receipt.billed_units
    part.updated_at = now


def _parts(news: Mapping[Key, Receipt]) -> dict[Key, HandedPart]:
    rows = HandedPart.objects.filter(
        via__in={via for via, _ in news}, network_id__in={number for _, number in news}
    )
    found = {(row.via, row.network_id): row for row in lock_rows(rows)}
    return {key: row for key, row in found.items() if key in news}


def _note_units(parts: Mapping[Key, HandedPart], news: Mapping[Key, Receipt]) -> None:
    """Correct what the deliveries cost by what the network says now."""
    more: dict[int, int] = defaultdict(int)
    for key, part in parts.items():
        units = news[key].billed_units
        if part.delivery_id is not None and units is not None and units != part.units:
            more[part.delivery_id] += units - (part.units or 0)
    if not more:
        return
    rows = list(lock_rows(Delivery.objects.filter(id__in=more)))
    for row in rows:
        row.units = max((row.units or 0) + more[row.id], 0)
    Delivery.objects.bulk_update(rows, ("units",))


def _keep_unclaimed(news: Sequence[Receipt], now: datetime) -> None:
    worth = [one for one in news if one.state in FINAL_RECEIPTS or one.billed_units is not None]
    if not worth:
        return
    old = now - timedelta(days=UNCLAIMED_DAYS)
    HandedPart.objects.filter(delivery__isnull=True, updated_at__lt=old).delete()
    HandedPart.objects.bulk_create(_unclaimed(receipt, now) for receipt in worth)


def _unclaimed(receipt: Receipt, now: datetime) -> HandedPart:
    part = HandedPart(
        via=receipt.via,
        network_id=receipt.network_id[:MAX_NETWORK_ID_CHARACTERS],
        state=ReceiptState.ON_ITS_WAY.value,
    )
    _apply(part, receipt, now)
    return part
