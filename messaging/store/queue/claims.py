"""Claims due attempts, ends spent and expired deliveries, takes attempts back."""

import time
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Final

from django.db import connection, transaction
from django.db.models import Case, QuerySet, Value, When

from messaging.config.settings import Settings
from messaging.model.message import Address, Delivery, MailKind, Message, Network
from messaging.store import models
from messaging.store.budgets.settle import booked_ids, settle_bookings
from messaging.store.counters import Counters
from messaging.store.db.connection import guard
from messaging.store.notices.notices import Notices, failure_from_json
from messaging.store.notices.unreached import enqueue_unreached
from messaging.store.queue import queries
from messaging.store.queue.delivery_state import DeliveryState
from messaging.store.queue.lanes import LaneRotation
from messaging.store.queue.lease import Lease, hand_out_end
from messaging.store.queue.next_state import expire, expire_held, give_up, is_spent
from messaging.store.queue.poison import Rows, each_if_not_all
from messaging.store.queue.queries import Change, read_rows, update_all
from messaging.store.states import State

SWEEP_ROWS = 500
"""How many deliveries one transaction ends: few enough to be quick, so that the router is not kept waiting."""

CLOCK_TOLERANCE = timedelta(seconds=60)
"""A smaller step is the correction of a running clock, or the difference between two machines."""


_ENDS: Final = (
    "SELECT (SELECT MIN(expires_at) FROM users_delivery WHERE due_at IS NOT NULL),"
    " (SELECT MIN(held_until) FROM users_delivery WHERE held_until IS NOT NULL)"
)
_DUE: Final = ", (SELECT MIN(due_at) FROM users_delivery WHERE via = %s AND due_at IS NOT NULL)"


@dataclass(frozen=True, slots=True)
class NextTimes:
    """The first times at which a waiting delivery expires, a held one expires, and one is due by account.

    None where no delivery waits or is held.
    """

    expiry: datetime | None
    held_expiry: datetime | None
    due: Mapping[str, datetime | None]

    def is_due(self, account: str, now: datetime) -> bool:
        """Whether a delivery of the account is due now."""
        moment = self.due[account]
        return moment is not None and moment <= now

    def seconds_to_next_due(self, now: datetime) -> float | None:
        """Return the time to the first delivery of all accounts that is due later than now; None without one.

        One that is due already does not count: another claim has it, or it is poison.
        """
        later = [moment for moment in self.due.values() if moment is not None and moment > now]
        return (min(later) - now) / timedelta(seconds=1) if later else None


class ClockWatch:
    """Detects that the clock was set back: it advanced by less than the time that passed."""

    def __init__(self) -> None:
        self._before: tuple[datetime, float] | None = None

    def was_set_back(self, now: datetime) -> bool:
        """Return whether it was since the last call; true for the first call, which cannot know."""
        passed, self._before = self._before, (now, time.monotonic())
        if passed is None:
            return True
        expected = passed[0] + timedelta(seconds=self._before[1] - passed[1])
        return expected - now > CLOCK_TOLERANCE


class Claims:
    """Claims on the queue, by the rules of these settings. Every method raises Unavailable when the store is away."""

    def __init__(
        self, settings: Settings, default_accounts: Mapping[Network, str] | None = None
    ) -> None:
        self._settings = settings
        self.counters = Counters()
        self._notices = Notices(settings, default_accounts)
        self._rotation = LaneRotation()

    @guard
    def claim(
        self,
        via: str,
        limit: int,
        now: datetime,
        urgent_limit: int | None = None,
        in_hand: Mapping[str, int] | None = None,
    ) -> list[Delivery]:
        """Return the next due attempts of the account `via`, each handed to the caller: the lanes in turn, by age.

        At most `limit`, and before them at most `urgent_limit` urgent ones (as many if that is None). `in_hand` counts
        by lane those that the caller has already. No two callers get the same one until its hand-out ends. A delivery
        whose attempts are used up fails instead. A poison delivery is postponed.
        """
        due = _due(now).filter(via=via, expires_at__gt=now).order_by("due_at", "id")
        urgent, others = due.filter(is_urgent=True), due.filter(is_urgent=False)
        # Asked without a transaction first: an idle gateway takes no write lock, nor does one without room.
        if not (due if limit else urgent).exists():
            return []
        first = limit if urgent_limit is None else urgent_limit
        ids = self._rotation.choose(via, limit, in_hand or {}, now) if limit else []
        if not ids and not urgent.exists():
            return []
        rows = (urgent[:first], others.filter(id__in=ids).order_by("id"))
        return each_if_not_all(partial(self._claim, now=now), rows, first + limit, now)

    def _claim(self, rows: Rows, now: datetime) -> list[Delivery]:
        lease = Lease.starting(now, self._settings.lease_seconds)
        with transaction.atomic(durable=True):
            due = [row for part in rows for row in read_rows(_lock(part))]
            ids = {
                row.id
                for row in due
                if is_spent(row, self._settings.retry_policy(row.recipient_network))
            }
            spent = [row for row in due if row.id in ids]
            given_up = [(row, give_up(row, now)) for row in spent]
            unreached = self._end(given_up, now)
            claimed = [row for row in due if row.id not in ids]
            queries.insert_unreported(claimed, now)
            claimed_ids = [row.id for row in claimed]
            queries.hand_out(claimed_ids, hand_out_end(now), now)
            texts = {row[0]: row[1:] for row in queries.read_texts(claimed_ids)}
            attempts = [_attempt(row, lease, *texts[row.id]) for row in claimed]
        self.counters.note([after for _, after in given_up])
        self.counters.unreached += unreached
        return attempts

    @guard
    def not_begun(self, hand_outs: Collection[Delivery]) -> set[tuple[int, int]]:
        """Return id and attempt of those that wait for their senders to begin: one query."""
        attempts = queries.read_attempts([one.id for one in hand_outs])
        return {
            (one.id, one.attempt) for one in hand_outs if attempts.get(one.id) == one.attempt - 1
        }

    @guard
    def expire(self, now: datetime) -> int:
        """Expire every delivery whose lifetime is over and that no sender has; return how many."""
        total = 0
        old = _due(now).filter(expires_at__lte=now)
        while old.exists():
            rows = (old.order_by("expires_at"),)
            ended = each_if_not_all(partial(self._expire, now=now), rows, SWEEP_ROWS, now)
            if not ended:
                break
            total += len(ended)
        return total

    @guard
    def expire_held(self, now: datetime) -> int:
        """Expire every delivery that was held for its time without a decision; return how many."""
        total = 0
        old = models.Delivery.objects.filter(held_until__lte=now)
        while old.exists():
            rows = (old.order_by("held_until"),)
            ended = each_if_not_all(partial(self._expire_held, now=now), rows, SWEEP_ROWS, now)
            if not ended:
                break
            total += len(ended)
        return total

    def _expire_held(self, rows: Rows, now: datetime) -> list[int]:
        with transaction.atomic(durable=True):
            old = [row for part in rows for row in read_rows(_lock(part)[:SWEEP_ROWS])]
            expired = [(row, expire_held(row, now)) for row in old]
            self._end(expired, now)
        self.counters.note([after for _, after in expired])
        return [row.id for row in old]

    def _expire(self, rows: Rows, now: datetime) -> list[int]:
        with transaction.atomic(durable=True):
            old = [row for part in rows for row in read_rows(_lock(part)[:SWEEP_ROWS])]
            expired = [(row, expire(row, now)) for row in old]
            unreached = self._end(expired, now)
        self.counters.note([after for _, after in expired])
        self.counters.unreached += unreached
        return [row.id for row in old]

    @guard
    def recall(self, now: datetime) -> int:
        """Make due again what was postponed by a clock that ran ahead of this one; return how many.

        A delivery that waits for its next attempt is due at once. An attempt under way is leased anew from now on.
        """
        lease = Lease.starting(now, self._settings.lease_seconds)
        ahead = models.Delivery.objects.filter(due_at__gt=now, updated_at__gt=now + CLOCK_TOLERANCE)
        if not ahead.exists():
            return 0
        due_at = Case(When(leased=True, then=Value(lease.due_at)), default=Value(now))
        return update_all(ahead, [State.WAITING], State.WAITING, due_at=due_at, updated_at=now)

    def _end(self, changes: list[Change], now: datetime) -> int:
        queries.insert_unreported([before for before, _ in changes], now)
        queries.update(changes)
        ended = [after for _, after in changes]
        self._notices.enqueue([row.id for row in ended], now)
        unreached = enqueue_unreached(ended, now)
        settle_bookings(booked_ids(ended)).write()
        return unreached


@guard
def read_next_times(accounts: Sequence[str]) -> NextTimes:
    """Read them: a seek in an index for each account, and two. Raises Unavailable when the store is away."""
    with connection.cursor() as cursor:
        cursor.execute(_ENDS + _DUE * len(accounts), accounts)
        expiry, held_expiry, *due = map(_read_time, cursor.fetchone())
    return NextTimes(expiry, held_expiry, dict(zip(accounts, due, strict=True)))


def _read_time(value: Any) -> datetime | None:
    if isinstance(value, str):
        # SQLite stores UTC without an offset, and gives the result of a function as text.
        return datetime.fromisoformat(value).replace(tzinfo=UTC)
    moment: datetime | None = value
    return moment


@guard
def give_back(deliveries: Iterable[Delivery], now: datetime) -> None:
    """Put back attempts that no sender took: due at once. One that a sender has begun stays as it is."""
    by_attempt: dict[int, list[int]] = defaultdict(list)
    for delivery in deliveries:
        by_attempt[delivery.attempt].append(delivery.id)
    for attempt, ids in by_attempt.items():
        rows = models.Delivery.objects.filter(id__in=ids, attempts=attempt - 1)
        update_all(rows, [State.WAITING], State.WAITING, due_at=now, updated_at=now)


def _due(now: datetime) -> "QuerySet[models.Delivery]":
    # Every delivery with a due time waits (a constraint of the table); the state as a condition would mislead SQLite.
    return models.Delivery.objects.filter(due_at__lte=now)


def _lock(rows: "QuerySet[models.Delivery]") -> "QuerySet[models.Delivery]":
    # Where the store can, two that claim at once pass each other; SQLite lets one writer in at a time.
    if connection.features.has_select_for_update_skip_locked:
        return rows.select_for_update(skip_locked=True)
    return rows


def _attempt(
    row: DeliveryState,
    lease: Lease,
    subject: str,
    text: str,
    failure: Mapping[str, Any] | None,
    mail_kind: str,
    reference: str,
    codec: str | None,
    alphabet: str | None,
) -> Delivery:
    kind = MailKind.read(mail_kind)
    message = Message(
        id=row.message_id,
        sender=Address(row.sender_network, row.sender),
        recipient=Address(row.recipient_network, row.recipient),
        subject=subject,
        text=text,
        via=row.via,
        failure=failure_from_json(failure) if failure else None,
        sender_name=row.sender_name,
        display_name=row.display_name,
        mail_kind=kind,
        reference=reference if kind else "",
        rest_characters=row.rest_characters,
    )
    return Delivery(
        id=row.id,
        message=message,
        attempt=row.attempts + 1,
        lease_until=lease.lease_until,
        parts_sent=row.parts_sent,
        # A lease that ended without a report leaves the outcome of its attempt unknown.
        uncertain=row.uncertain > 0 or row.leased,
        codec=codec or "",
        alphabet=alphabet or "",
        is_urgent=row.is_urgent,
    )
