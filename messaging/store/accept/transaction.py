"""Accepts a batch of records: one transaction, a fixed number of statements, idempotent on the message id."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from messaging.config.settings import Settings
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
from messaging.store.accept.context import BatchContext
from messaging.store.accept.decide import BatchDecider, Decision
from messaging.store.accept.device_text import (
    ParsedDeviceText,
    ParsedRecord,
    name_senders,
    parse_device_texts,
)
from messaging.store.accept.lookup import look_up, references_of
from messaging.store.accept.policy import Policy, Refusal
from messaging.store.accept.positions import write_positions
from messaging.store.accept.validate import validate
from messaging.store.accept.write import DeadLetterEntry, enqueue_deliveries, write_messages
from messaging.store.notices.notices import Notices
from messaging.store.queue.counters import Counters
from messaging.store.queue.delivery_state import DeliveryState
from messaging.store.queue.enqueue import Lease
from messaging.store.queue.reports import bounce
from messaging.store.rate_limit import RateLimiter
from messaging.store.receipts.opt_outs import write_opt_outs
from messaging.store.receipts.receipts import write_receipts
from messaging.store.states import UNDELIVERED


@dataclass(frozen=True, slots=True)
class RecordResult:
    """The result of one record: `kind` for the counters, and the deliveries to make or the error to answer with."""

    kind: str
    deliveries: tuple[Delivery, ...] = ()
    error: GatewayError | None = None


class AcceptTransaction:
    """Decides about records and writes what is accepted. `accept` is one transaction and harmless to repeat."""

    def __init__(self, settings: Settings, policy: Policy, now: Callable[[], datetime]) -> None:
        self._settings = settings
        self._policy = policy
        self._now = now
        self._limits = settings.store_limits
        self._lifetimes = {
            network: timedelta(seconds=settings.retry_policy(network).lifetime_seconds)
            for network in Network
        }
        self._notices = Notices(settings, policy.default_accounts)
        self._message_rate = RateLimiter(settings.max_hourly_per_pair)
        self._reply_rate = RateLimiter(settings.max_hourly_hints_per_device)
        self.counters = Counters()

    def accept(
        self, records: Sequence[Inbound], full_providers: Collection[str] = frozenset()
    ) -> list[RecordResult]:
        """Return the result of each record once it is on disk. After an exception of the store nothing is.

        Deliveries for full providers are stored as due and not returned.
        """
        validated = [validate(record, self._limits) for record in records]
        if all(isinstance(record, RecipientCheck | Refusal) for record in validated):
            decisions, _ = self._decide(validated)
            return [RecordResult(one.kind, error=one.error) for one in decisions]
        with transaction.atomic(durable=True):
            decisions, context = self._decide(validated)
            attempts, settled = self._write(decisions, context, full_providers)
        self.counters.update((row.via, row.state) for row in settled)
        self._message_rate.note(one.pair for one in decisions if one.pair)
        self._reply_rate.note(one.replied_device for one in decisions if one.replied_device)
        return [
            RecordResult(
                one.kind,
                tuple(attempts.get(one.routed.message.id, ())) if one.routed else (),
                one.error,
            )
            for one in decisions
        ]

    def _decide(self, records: Sequence[Inbound | Refusal]) -> tuple[list[Decision], BatchContext]:
        parsed: Sequence[ParsedRecord] = parse_device_texts(records, self._policy)
        references = references_of(
            (
                one.record if isinstance(one, ParsedDeviceText) else one
                for one in parsed
                if not isinstance(one, Refusal)
            ),
            self._policy,
        )
        max_waiting = self._settings.max_waiting_per_subscriber
        context = look_up(references, counts_waiting=max_waiting > 0)
        decider = BatchDecider(
            self._policy, context, max_waiting, self._message_rate, self._reply_rate
        )
        return [decider.decide(one) for one in parsed], context

    def _write(
        self, decisions: Sequence[Decision], context: BatchContext, full_providers: Collection[str]
    ) -> tuple[dict[str, list[Delivery]], list[DeliveryState]]:
        """Write the decisions; return the first attempts by message id and the deliveries that reports settled."""
        now = self._now()
        written = [one.record for one in decisions if one.record]
        dead_letters = [
            self._dead_letter_entry(one, context) for one in written if isinstance(one, DeadLetter)
        ]
        routed = name_senders([one.routed for one in decisions if one.routed], self._policy)
        write_messages(routed, dead_letters, now)
        lease = Lease.starting(now, self._settings.lease_seconds)
        expires_at = {network: now + lifetime for network, lifetime in self._lifetimes.items()}
        attempts = enqueue_deliveries(routed, now, lease, expires_at, full_providers)
        if changes := [one for one in written if isinstance(one, OptOutChange)]:
            write_opt_outs({self._policy.opt_out_pair(one): one.allowed for one in changes}, now)
        settled: list[DeliveryState] = []
        if bounces := [one for one in written if isinstance(one, Bounce)]:
            settled += bounce(bounces, now)
        if receipts := [one for one in written if isinstance(one, Receipt)]:
            by_receipts = write_receipts(receipts, self._settings, now)
            failed = [row.id for row in by_receipts if row.state in UNDELIVERED]
            self._notices.enqueue(failed, now)
            settled += by_receipts
        if reports := [one.report for one in decisions if one.report]:
            write_positions(reports, context, now)
        return attempts, settled

    def _dead_letter_entry(self, record: DeadLetter, context: BatchContext) -> DeadLetterEntry:
        device = context.sender_device(record.sender, record.via)
        subscriber = self._policy.find_subscriber(record.recipient, context)
        known = None if isinstance(subscriber, Refusal) else subscriber.id
        return DeadLetterEntry(record, device, known)
