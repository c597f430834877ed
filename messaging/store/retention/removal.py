"""Removes texts and whole messages. Ids are kept: a network may offer the same message again, years later."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import Count, Exists, OuterRef, Sum
from django.db.models.functions import Length

from messaging.store.models import WAITING, Delivery, Message, RemovedMessage
from messaging.store.queue.removal import delete_deliveries
from messaging.store.retention.quota import Kept, write_changes


def blank_texts(ids: Sequence[str], now: datetime) -> int:
    """Remove the texts of those messages that no longer wait; return of how many."""
    waiting = Delivery.objects.filter(WAITING, message_id=OuterRef("pk"))
    settled = Message.objects.filter(
        ~Exists(waiting), id__in=ids, text_removed_at__isnull=True, raw__isnull=True
    )
    return settled.update(subject="", text="", failure=None, reference="", text_removed_at=now)


def remove_messages(ids: Sequence[str]) -> None:
    """Delete messages with their deliveries, and keep their ids. Raises IllegalTransition if one still waits."""
    with transaction.atomic(durable=True):
        chosen = Message.objects.filter(id__in=ids)
        dead = chosen.filter(raw__isnull=False).order_by().values_list("subscriber")
        kept = dead.annotate(rows=Count("id"), bytes=Sum(Length("raw")))
        write_changes({owner: Kept(-rows, -bytes) for owner, rows, bytes in kept})
        removed = [RemovedMessage(id=id) for id in chosen.values_list("id", flat=True)]
        RemovedMessage.objects.bulk_create(removed, ignore_conflicts=True)
        delete_deliveries(ids)
        chosen.delete()
