"""Releases held deliveries, and lets those of a budget go on once it has room again."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from django.db import connection, transaction
from django.db.models import QuerySet

from messaging.config.settings import Settings
from messaging.model.message import Network
from messaging.store.admission.terms import Hold
from messaging.store.audit.log_line import MAX_LINES, log_deliveries_after_commit
from messaging.store.db.connection import guard
from messaging.store.models import Delivery
from messaging.store.queue.queries import update_all
from messaging.store.queue.reservations import reserve_rows
from messaging.store.states import State

CONTINUED: Final = "its budget has room again"


@guard
@transaction.atomic
def continue_held(after_id: int, limit: int, settings: Settings, now: datetime) -> list[int]:
    """Make deliveries due that a budget holds and has room for now, the oldest first; return the ids that were read.

    Reads at most `limit` of them, behind the one with this id.
    """
    held = Delivery.objects.filter(
        # Implies the state, and a partial index has it.
        held_until__isnull=False,
        hold=Hold.BUDGET.value,
        id__gt=after_id,
        message__text_removed_at__isnull=True,
    ).order_by("id")
    if connection.features.has_select_for_update_skip_locked:
        held = held.select_for_update(skip_locked=True, of=("self",))
    keys = {row[0]: row for row in held.values_list("id", "message_id", "via")[:limit]}
    if not keys:
        return []
    rows = Delivery.objects.filter(id__in=list(keys)).order_by("id")
    refused = reserve_rows(rows, settings.mail_domain, now)
    number = release_rows(rows.exclude(id__in=list(refused)), CONTINUED, settings, now)
    changed = [row for one, row in keys.items() if one not in refused][:MAX_LINES]
    log_deliveries_after_commit(State.WAITING, changed, number, CONTINUED, by_operator=False)
    return list(keys)


def release_rows(
    found: "QuerySet[Delivery]", reason: str, settings: Settings, now: datetime
) -> int:
    """Make deliveries due that are held, or expired so, with the whole lifetime of their network; return how many."""
    number = 0
    for network in Network:
        lifetime = timedelta(seconds=settings.retry_policy(network).lifetime_seconds)
        number += update_all(
            found.filter(recipient_network=network),
            [State.HELD, State.EXPIRED],
            State.WAITING,
            by_hand=True,
            hold="",
            held_until=None,
            reason=reason,
            due_at=now,
            expires_at=now + lifetime,
            settled_at=None,
            updated_at=now,
        )
    return number


def hold_for_budgets(refused: Mapping[int, str], now: datetime) -> None:
    """Note on held deliveries that a budget holds them from now on, by id: one statement for each budget."""
    by_reason: dict[str, list[int]] = defaultdict(list)
    for number, reason in refused.items():
        by_reason[reason].append(number)
    for reason, ids in by_reason.items():
        rows = Delivery.objects.filter(id__in=ids, held_until__isnull=False)
        rows.update(hold=Hold.BUDGET.value, reason=reason, updated_at=now)
