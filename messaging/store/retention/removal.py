"""Removes texts and whole messages. Ids are kept: a network may offer the same message again, years later."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final

from django.db import transaction
from django.db.models import Count, Exists, OuterRef, QuerySet, Sum
from django.db.models.functions import Length

from messaging.store.models import PENDING, Delivery, Message, RemovedMessage
from messaging.store.queue.removal import delete_deliveries
from messaging.store.retention.quota import Kept, write_changes

_EMPTY: Final[dict[str, Any]] = {
    "subject": "",
    "text": "",
    "whole_text": "",
    "failure": None,
    "reference": "",
    "return_path": "",
    "answer_address": "",
    "author_reason": "",
}


def blank_texts(ids: Sequence[str], now: datetime) -> int:
    """Remove the texts of those messages that no longer wait and are not held; return of how many."""
    deliveries = Delivery.objects.filter(message_id=OuterRef("pk"))
    settled = Message.objects.filter(
        ~Exists(deliveries.filter(PENDING)), id__in=ids, text_removed_at__isnull=True
    )
    # A dead letter goes by a setting of its own, unless it was sent on.
    removed = settled.filter(raw__isnull=True).update(**_EMPTY, text_removed_at=now)
    with transaction.atomic():
        sent_on = settled.filter(Exists(deliveries), raw__isnull=False)
        _release(sent_on)
        return removed + sent_on.update(**_EMPTY, raw=None, text_removed_at=now)


def _release(dead_letters: "QuerySet[Message]") -> None:
    """Subtract dead letters whose bytes go from what is kept."""
    dead = dead_letters.filter(raw__isnull=False).order_by().values_list("subscriber")
    kept = dead.annotate(rows=Count("id"), bytes=Sum(Length("raw")))
    write_changes({owner: Kept(-rows, -bytes) for owner, rows, bytes in kept})


def remove_messages(ids: Sequence[str]) -> None:
    """Delete messages with their deliveries, and keep their ids. Raises IllegalTransition if one still waits."""
    with transaction.atomic(durable=True):
        chosen = Message.objects.filter(id__in=ids)
        _release(chosen)
        keep_ids(chosen.order_by().values_list("id", flat=True))
        delete_deliveries(ids)
        chosen.delete()


def keep_ids(ids: Iterable[str]) -> None:
    """Keep ids that no message row has (any more): offered again, they are repeats."""
    # In one order everywhere: two batches that share ids wait for each other instead of locking up.
    kept = [RemovedMessage(id=id) for id in sorted(ids)]
    RemovedMessage.objects.bulk_create(kept, ignore_conflicts=True)
