"""Settles sent deliveries by the receipts of their networks."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from messaging.config.settings import Settings
from messaging.model.message import Receipt, ReceiptState
from messaging.model.receipt import FINAL_RECEIPTS
from messaging.store.accept.validate import short_reason
from messaging.store.db.locks import lock_rows
from messaging.store.models import DeliveryPart
from messaging.store.models.reports import MAX_NETWORK_ID_CHARACTERS
from messaging.store.queue.delivery_state import DeliveryState
from messaging.store.queue.reports import charge, lock_deliveries, redeliver, settle_by_parts
from messaging.store.states import State

Key = tuple[str, str]
"""An account, and its id of a part."""

UNCLAIMED_DAYS = 7
"""How long a receipt is kept whose part is unknown: the outcome may come later, but not by that much."""


@dataclass(frozen=True, slots=True)
class WrittenReceipts:
    """The deliveries that receipts settled, or let wait again, and those whose charge they corrected."""

    settled: Sequence[DeliveryState] = ()
    charged: Sequence[DeliveryState] = ()


def write_receipts(
    receipts: Sequence[Receipt], settings: Settings, now: datetime
) -> WrittenReceipts:
    """Store the receipts, and settle the deliveries that have arrived or failed by them, or wait again; return those.

    The first final receipt of a part stays. A delivery that its network lost for now waits again, where these
    settings leave it an attempt. A receipt whose part is unknown waits for the outcome of the attempt.
    """
    if not receipts:
        return WrittenReceipts()
    news = _merge(receipts)
    parts = _find_parts(news)
    charged = _charge_difference(parts, news)
    _store_unclaimed([one for key, one in news.items() if key not in parts], now)
    lost = redeliver(_losses_for_now(parts, news), settings, now)
    again = {row.id for row in lost if row.state is State.WAITING}
    if again:
        # Later receipts of these parts are about an attempt that is over.
        DeliveryPart.objects.filter(delivery_id__in=again).delete()
    kept = {key: part for key, part in parts.items() if part.delivery_id not in again}
    for key, part in kept.items():
        _apply(part, news[key], now)
    DeliveryPart.objects.bulk_update(kept.values(), ("state", "reason", "units", "updated_at"))
    settled = settle_by_receipts({p.delivery_id for p in kept.values() if p.delivery_id}, now)
    return WrittenReceipts([*lost, *settled], charged)


def settle_by_receipts(delivery_ids: Collection[int], now: datetime) -> list[DeliveryState]:
    """Settle those of the deliveries whose parts all arrived, or of which one was lost; return the settled ones."""
    if not delivery_ids:
        return []
    # The lock comes first: of two receipts that are stored at once, the later one then sees both parts.
    rows = lock_deliveries(delivery_ids)
    parts: dict[int, list[tuple[ReceiptState, str]]] = defaultdict(list)
    stored = DeliveryPart.objects.filter(delivery_id__in=delivery_ids).order_by("id")
    for delivery_id, state, reason in stored.values_list("delivery_id", "state", "reason"):
        parts[delivery_id or 0].append((ReceiptState(state), reason))
    return settle_by_parts(rows, parts, now)


def _losses_for_now(
    parts: Mapping[Key, DeliveryPart], news: Mapping[Key, Receipt]
) -> dict[int, Receipt]:
    """Return a receipt for each delivery of which every part that is lost now may succeed another time."""
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


def _merge(receipts: Iterable[Receipt]) -> dict[Key, Receipt]:
    """Return one receipt for each part: the first final one or else the last one, with the newest units."""
    merged: dict[Key, Receipt] = {}
    for receipt in receipts:
        key = (receipt.via, receipt.network_id[:MAX_NETWORK_ID_CHARACTERS])
        before = merged.get(key, receipt)
        newest = before if before.state in FINAL_RECEIPTS else receipt
        units = before.billed_units if receipt.billed_units is None else receipt.billed_units
        merged[key] = replace(newest, billed_units=units)
    return merged


def _apply(part: DeliveryPart, receipt: Receipt, now: datetime) -> None:
    if part.state not in FINAL_RECEIPTS:
        part.state, part.reason = receipt.state.value, short_reason(receipt.reason)
    if receipt.billed_units is not None:
        part.units = receipt.billed_units
    part.updated_at = now


def _find_parts(news: Mapping[Key, Receipt]) -> dict[Key, DeliveryPart]:
    rows = DeliveryPart.objects.filter(
        via__in={via for via, _ in news}, network_id__in={number for _, number in news}
    )
    found = {(row.via, row.network_id): row for row in lock_rows(rows)}
    return {key: row for key, row in found.items() if key in news}


def _charge_difference(
    parts: Mapping[Key, DeliveryPart], news: Mapping[Key, Receipt]
) -> list[DeliveryState]:
    """Correct the charges of the deliveries by the units that the network reports now; return those."""
    more: dict[int, int] = defaultdict(int)
    for key, part in parts.items():
        units = news[key].billed_units
        if part.delivery_id is not None and units is not None and units != part.units:
            more[part.delivery_id] += units - (part.units or 0)
    return charge(more)


def _store_unclaimed(news: Sequence[Receipt], now: datetime) -> None:
    """Store the receipts of unknown parts that say more than "on its way", and delete old ones."""
    useful = [one for one in news if one.state in FINAL_RECEIPTS or one.billed_units is not None]
    if not useful:
        return
    old = now - timedelta(days=UNCLAIMED_DAYS)
    DeliveryPart.objects.filter(delivery__isnull=True, updated_at__lt=old).delete()
    parts = []
    for receipt in useful:
        part = DeliveryPart(
            via=receipt.via,
            network_id=receipt.network_id[:MAX_NETWORK_ID_CHARACTERS],
            state=ReceiptState.ON_ITS_WAY.value,
        )
        _apply(part, receipt, now)
        parts.append(part)
    DeliveryPart.objects.bulk_create(parts)
