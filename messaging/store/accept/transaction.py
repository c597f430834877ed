"""Takes a batch into the store: one transaction, a fixed number of statements, idempotent on the message id."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from messaging.config.env import read
from messaging.config.settings import Settings, StoreLimits
from messaging.errors import GatewayError
from messaging.model.message import (
    Bounce,
    DeadLetter,
    Delivery,
    Inbound,
    Network,
    OptOutChange,
    Receipt,
    RecipientCheck,
)
from messaging.store.accept import lookup, write
from messaging.store.accept.context import BatchContext
from messaging.store.accept.decide import Backlog, BatchDecider, Decision
from messaging.store.accept.device_text import ParsedDeviceText, name_senders, parse_device_text
from messaging.store.accept.policy import Policy, Refusal
from messaging.store.accept.positions import write_positions
from messaging.store.accept.validate import validate
from messaging.store.notices.notices import Notices
from messaging.store.queue.counters import Counters
from messaging.store.queue.delivery_state import DeliveryState
from messaging.store.queue.lease import Lease
from messaging.store.queue.next_state import ids_to_report
from messaging.store.queue.reports import bounce
from messaging.store.rate_limit import RateLimiter
from messaging.store.receipts.opt_outs import write_opt_outs
from messaging.store.receipts.receipts import write_receipts


@dataclass(frozen=True, slots=True)
class RecordResult:
    """What became of one record: `kind` to count it by, and the deliveries to make or the error to answer with."""

    kind: str
    deliveries: tuple[Delivery, ...] = ()
    error: GatewayError | None = None


class AcceptTransaction:
    """Decides about records and writes what it takes. `accept` is one transaction and harmless to repeat."""

    def __init__(self, settings: Settings, policy: Policy, now: Callable[[], datetime]) -> None:
        self._settings = settings
        self._policy = policy
        self._now = now
        self._limits = read(StoreLimits)
        self._notices = Notices(settings, policy.default_accounts)
        self._pace = RateLimiter(settings.max_hourly_per_pair)
        self.tally = Counters()
        self._hints = RateLimiter(settings.max_hourly_hints_per_device)

    def accept(
        self, records: Sequence[Inbound], crowded: Collection[str] = frozenset()
    ) -> list[RecordResult]:
        """Return what became of each record, once that is on disk. Raises what the store raises; then nothing is.

        What is for a crowded provider is owed, and not among the deliveries to make.
        """
        admitted = [validate(record, self._limits) for record in records]
        if all(isinstance(one, RecipientCheck | Refusal) for one in admitted):
            decisions, _ = self._decide(admitted)
            return [RecordResult(decision.kind, error=decision.error) for decision in decisions]
        with transaction.atomic(durable=True):
            decisions, facts = self._decide(admitted)
            verdicts, settled = self._write(decisions, facts, crowded)
        self.tally.add((row.via, row.state) for row in settled)
        self._pace.note(pair for decision in decisions if (pair := decision.pair))
        self._hints.note(device for decision in decisions if (device := decision.has_device_reply))
        return verdicts

    def _decide(self, admitted: Sequence[Inbound | Refusal]) -> tuple[list[Decision], BatchContext]:
        read = parse_device_text(admitted, self._policy)
        mentioned = lookup.mentions(
            [
                one.record if isinstance(one, ParsedDeviceText) else one
                for one in read
                if not isinstance(one, Refusal)
            ],
            self._policy,
        )
        known = lookup.stored_ids(mentioned)
        facts = lookup.look_up(mentioned)
        most = self._settings.max_waiting_per_subscriber
        waiting = lookup.waiting_for(facts.subscriber_ids()) if most else {}
        backlog = Backlog(waiting, most)
        plan = BatchDecider(self._policy, facts, known, backlog, self._pace, self._hints)
        return [plan.decide(one) for one in read], facts

    def _write(
        self, decisions: Sequence[Decision], facts: BatchContext, crowded: Collection[str]
    ) -> tuple[list[RecordResult], list[DeliveryState]]:
        now = self._now()
        routed = name_senders(
            [write.RoutedMessage(*pair) for d in decisions if (pair := d.routed)], self._policy
        )
        stranded = [
            self._stranded(d.record, facts) for d in decisions if isinstance(d.record, DeadLetter)
        ]
        write.write_messages(routed, stranded, now)
        lease = Lease.starting(now, self._settings.lease_seconds)
        made = write.write_first_attempts(routed, now, lease, self._lifetime, crowded)
        consents = (d.record for d in decisions if isinstance(d.record, OptOutChange))
        write_opt_outs({self._policy.pair(c): c.allowed for c in consents}, now)
        bounced = bounce([d.record for d in decisions if isinstance(d.record, Bounce)], now)
        receipts = [d.record for d in decisions if isinstance(d.record, Receipt)]
        heard = write_receipts(receipts, self._settings, now)
        self._notices.enqueue(ids_to_report(heard), now)
        write_positions([d.beacon for d in decisions if d.beacon], facts, now)
        return [_verdict(decision, made) for decision in decisions], [*bounced, *heard]

    def _stranded(self, record: DeadLetter, facts: BatchContext) -> write.DeadLetterEntry:
        author = facts.sender_device(record.sender, record.via)
        return write.DeadLetterEntry(
            record, author, self._policy.subscriber_id(record.recipient, facts)
        )

    def _lifetime(self, network: Network) -> timedelta:
        return timedelta(seconds=self._settings.retry_policy(network).lifetime_seconds)


def _verdict(decision: Decision, made: dict[str, list[Delivery]]) -> RecordResult:
    deliveries = made.get(decision.routed[0].id, ()) if decision.routed else ()
    return RecordResult(decision.kind, tuple(deliveries), decision.error)
