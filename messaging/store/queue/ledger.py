"""The ledger: writes the outcome of every attempt."""

import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from messaging.config.settings import Settings
from messaging.errors import GatewayError
from messaging.model.message import Network, Outcome, Result
from messaging.store.budgets.settle import booked_ids, settle_bookings
from messaging.store.counters import Counters
from messaging.store.db.connection import BatchRunner, open_store
from messaging.store.db.errors import StoreAway
from messaging.store.models import Delivery
from messaging.store.notices.digest import unconfirm_bounced
from messaging.store.notices.notices import Notices
from messaging.store.notices.rest_note import RestNotes
from messaging.store.notices.unreached import enqueue_unreached
from messaging.store.queue import queries
from messaging.store.queue.blocked_accounts import BlockedAccounts
from messaging.store.queue.delivery_state import DeliveryState
from messaging.store.queue.next_state import after_outcome
from messaging.store.receipts.opt_outs import write_opt_outs
from messaging.store.receipts.parts import AttemptResult, write_parts
from messaging.store.states import UNDELIVERED, State

log = logging.getLogger(__name__)

IGNORED = "ignored"
LOST = "lost"


class Ledger:
    """Settles outcomes, a batch in one transaction. Synchronous throughout.

    An outcome counts only while its delivery waits for that very attempt. Older outcomes, repeats and those of
    cancelled deliveries are accepted and change nothing. `Due` notices a missing outcome when the lease ends. The
    notice of a failure is enqueued in the same transaction, by `default_accounts`.
    """

    def __init__(
        self,
        settings: Settings,
        default_accounts: Mapping[Network, str] | None = None,
        now: Callable[[], datetime] = timezone.now,
    ) -> None:
        open_store(settings)
        self._policies = {
            (network, is_urgent): settings.retry_policy(network, is_urgent=is_urgent)
            for network in Network
            for is_urgent in (False, True)
        }
        self._notices = Notices(settings, default_accounts)
        self._rest_notes = RestNotes(settings, default_accounts)
        self._now = now
        self._runner = BatchRunner("ledger")
        self._counters: Counter[str] = Counter()
        self._billed: Counter[str] = Counter()
        self._settled = Counters()
        self._blocked = BlockedAccounts()

    def process(self, outcomes: Sequence[Outcome]) -> list[list[None] | Exception]:
        """Return, for each outcome, an empty list once it is on disk, or `Unavailable`: then offer it again."""
        results: list[list[None] | Exception] = []
        settled = self._runner.run(self._settle, outcomes)
        for outcome, first in zip(outcomes, settled, strict=True):
            result = first
            if isinstance(first, GatewayError) and not isinstance(first, StoreAway):
                result = self._settle_without_parts(outcome)
            self._counters["unavailable" if isinstance(result, Exception) else result] += 1
            results.append(result if isinstance(result, Exception) else [])
            if result == IGNORED:
                log.info("an older outcome", extra={"message_id": outcome.message_id})
        return results

    def status(self) -> dict[str, object]:
        """Return the number of outcomes by result since the start, the settled deliveries, and the blocked accounts.

        A result is a state, ignored, lost or unavailable. `unreached` counts the recipients of emergencies that were
        not reached within an hour, and those whose delivery has failed.
        """
        return {
            **self._counters,
            "unreached": self._settled.unreached,
            "settled": self._settled.snapshot(),
            "billed_units": dict(self._billed),
            "blocked": self._blocked.snapshot(),
            "blocked_attempts": self._blocked.totals(),
        }

    def _settle(self, outcomes: Sequence[Outcome]) -> list[str]:
        """Return the state that each outcome brought its delivery to, or "ignored", once that is on disk.

        One transaction with a fixed number of statements, harmless to repeat.
        """
        now = self._now()
        with transaction.atomic(durable=True):
            rows = queries.read({one.delivery_id for one in outcomes})
            waiting = {row.id: row for row in rows if row.state is State.WAITING}
            results = [self._apply(waiting, outcome, now) for outcome in outcomes]
            settled = [one for one in results if one is not None]
            queries.update([(one.before, one.after) for one in settled])
            queries.insert_attempts([(one.before, one.outcome) for one in settled], now)
            by_parts = write_parts(settled, now)
            opted_out = {one.delivery_id for one in outcomes if one.opted_out}
            stopped: list[int] = []
            if opted_out:
                # Before the notices, since a phone that said STOP gets none; also when the outcome does not count.
                pairs = Delivery.objects.filter(id__in=opted_out).values_list("recipient", "sender")
                stopped = write_opt_outs(dict.fromkeys(pairs, False), now)
            changed = [*(one.after for one in settled), *by_parts]
            failed = [row for row in changed if row.state in UNDELIVERED]
            if failed:
                self._notices.enqueue([row.id for row in failed], now)
                unconfirm_bounced([row for row in failed if row.state is State.FAILED])
            if rests := [
                (one.after, one.outcome.rest)
                for one in settled
                if one.outcome.rest and one.after.state is State.SENT
            ]:
                self._rest_notes.enqueue(rests, now)
            unreached = enqueue_unreached(changed, now)
            settle_bookings(booked_ids(changed).union(stopped)).write()
        self._settled.unreached += unreached
        self._settled.note(changed)
        for one in settled:
            self._billed[one.after.via] += (one.after.units or 0) - (one.before.units or 0)
        self._blocked.note(((one.after.via, one.outcome) for one in settled), now)
        return [one.after.state.value if one is not None else IGNORED for one in results]

    def _apply(
        self, waiting: dict[int, DeliveryState], outcome: Outcome, now: datetime
    ) -> AttemptResult | None:
        """Return the delivery before and after the outcome, None if the outcome does not count."""
        row = waiting.get(outcome.delivery_id)
        # A standby that takes over gives ids anew that its primary gave before: the row may be another message's.
        if row is None or row.message_id != outcome.message_id:
            return None
        if outcome.attempt > row.attempts:
            # The next attempt was refused before it began, by a user operator.
            counts = outcome.result is Result.REJECTED
        elif outcome.attempt == row.attempts and row.leased:
            counts = True
        else:
            # A repeat, or an outcome that was missing. What an attempt sent is sent: another one would send it twice.
            counts = outcome.result is Result.SENT and row.uncertain > 0
        if not counts:
            return None
        del waiting[row.id]
        outcome = self._blocked.judge(row, outcome)
        policy = self._policies[row.recipient_network, row.is_urgent]
        return AttemptResult(row, outcome, after_outcome(row, outcome, policy, now))

    def _settle_without_parts(self, outcome: Outcome) -> str | GatewayError:
        """Settle an outcome that the store refused, without its network's ids and charges; or let its lease end.

        The sender repeats an outcome until it is accepted, so one that the store cannot hold would block the others.
        """
        bare = replace(outcome, submitted=(), rest=None)
        result = self._runner.run(self._settle, [bare])[0]
        is_lost = isinstance(result, GatewayError) and not isinstance(result, StoreAway)
        kept = "nothing" if is_lost else "its result, without the ids of the network,"
        log.error("of an outcome %s could be kept", kept, extra={"message_id": outcome.message_id})
        return LOST if is_lost else result
