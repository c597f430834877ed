"""Settles a batch of outcomes: one transaction, a fixed number of statements, fenced by the attempt."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from django.db import transaction

from messaging.config.settings import RetryPolicy, Settings
from messaging.model.message import Network, Outcome, Result
from messaging.store.models import Delivery
from messaging.store.notices.notices import Notices
from messaging.store.queue.counters import Counters
from messaging.store.queue.delivery_rows import waiting, write
from messaging.store.queue.settle import Standing, settle, undelivered
from messaging.store.receipts.opt_outs import Pair, write_opt_outs
from messaging.store.receipts.parts import AttemptResult, write_parts
from messaging.store.receipts.receipts import lost_of

IGNORED = "ignored"


class Settling:
    """Settles by the retry rules of these settings. `settle` is one transaction and harmless to repeat."""

    def __init__(
        self,
        settings: Settings,
        default_accounts: Mapping[Network, str] | None,
        now: Callable[[], datetime],
    ) -> None:
        self._settings = settings
        self._notices = Notices(settings, default_accounts)
        self._now = now
        self.tally = Counters()

    def settle(self, outcomes: Sequence[Outcome]) -> list[str]:
        """Return what became of each outcome, once that is on disk: the state of its delivery, or "ignored"."""
        now = self._now()
        with transaction.atomic(durable=True):
            found = {row.id: row for row in waiting({one.delivery_id for one in outcomes})}
            attempts = [self._one(found, outcome, now) for outcome in outcomes]
            counted = [one for one in attempts if one is not None]
            changed = [one.settled for one in counted]
            write(changed, now)
            heard = write_parts(counted, now)
            # First, so that nobody is told by a text that they asked not to get.
            write_opt_outs(_opted_out(outcomes), now)
            self._notices.owe([*undelivered(changed), *lost_of(heard)], now)
        self.tally.add((one.row.via, one.settled.ending) for one in counted)
        self.tally.add((row.via, row.state) for row in heard)
        return [one.settled.ending.value if one is not None else IGNORED for one in attempts]

    def _one(
        self, found: dict[int, Standing], outcome: Outcome, now: datetime
    ) -> AttemptResult | None:
        row = found.get(outcome.delivery_id)
        if row is None or not _counts(outcome, row):
            return None
        del found[row.id]
        policy = self._policy(row)
        return AttemptResult(row, outcome, settle(row, outcome, policy, now))

    def _policy(self, row: Standing) -> RetryPolicy:
        network = Network(row.recipient_network)
        return self._settings.retry_policy(network, is_urgent=row.is_urgent)


def _counts(outcome: Outcome, row: Standing) -> bool:
    """An outcome is about its own attempt. But what an older one sent is sent: to try on would be to send it twice.

    Where the outcome of no attempt is missing it is a repeat. What it says may have changed since: the network lost
    what it took, or a person wants it tried again.
    """
    if outcome.attempt == row.attempts:
        return row.leased or row.uncertain > 0
    is_older = outcome.attempt < row.attempts
    return is_older and outcome.result is Result.SENT and row.uncertain > 0


def _opted_out(outcomes: Sequence[Outcome]) -> dict[Pair, bool]:
    """Return the pairs that a network said want nothing from each other; true also when the outcome comes late."""
    ids = {outcome.delivery_id for outcome in outcomes if outcome.opted_out}
    if not ids:
        return {}
    pairs = Delivery.objects.filter(id__in=ids).values_list("recipient", "sender")
    return dict.fromkeys(pairs, False)
