"""Accepts a batch of records: one transaction, a fixed number of statements, idempotent on the message id."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction

from messaging.config.settings import Settings
from messaging.errors import GatewayError
from messaging.model.message import (
    Address,
    Bounce,
    Codec,
    DeadLetter,
    Delivery,
    DeviceReport,
    DeviceText,
    Inbound,
    Message,
    Network,
    OptOutChange,
    Receipt,
    RecipientCheck,
)
from messaging.store.accept.context import BatchContext
from messaging.store.accept.decide import BatchDecider, Decision, Limiters, hold_bursts
from messaging.store.accept.device_text import (
    ParsedDeviceText,
    ParsedRecord,
    localise_invitation,
    name_senders,
    parse_device_texts,
)
from messaging.store.accept.emergency_text import emergency_of
from messaging.store.accept.lookup import look_up, references_of
from messaging.store.accept.positions import note_heard, write_positions
from messaging.store.accept.refusals import Refusal
from messaging.store.accept.routing import PlannedDelivery, Policy, Route, RoutedMessage
from messaging.store.accept.validate import validate
from messaging.store.admission.bursts import BurstBreaker
from messaging.store.admission.gate import Gate
from messaging.store.admission.lookup import note_correspondents
from messaging.store.audit import record as audit
from messaging.store.audit.log_line import log_after_commit
from messaging.store.budgets.batch import (
    DeliveryName,
    delivery_name,
    leaving_message,
    reserve_batch,
)
from messaging.store.budgets.reserve import write_bookings
from messaging.store.budgets.settle import booked_ids, settle_bookings
from messaging.store.counters import Counters
from messaging.store.db.encryption import encrypt_bytes, encrypt_text
from messaging.store.db.sql import Row, insert, storable_time
from messaging.store.notices.digest import unconfirm_bounced
from messaging.store.notices.held_note import HeldNotes
from messaging.store.notices.notices import Notices
from messaging.store.notices.unreached import enqueue_unreached
from messaging.store.outgoing.limits import DeviceLimits
from messaging.store.queue.delivery_state import NEVER, DeliveryState, NewDelivery, NewHold
from messaging.store.queue.enqueue import enqueue, hold
from messaging.store.queue.lanes import take_places
from messaging.store.queue.lease import Lease, hand_out_end
from messaging.store.queue.reports import bounce
from messaging.store.receipts.opt_outs import write_opt_outs
from messaging.store.receipts.receipts import write_receipts
from messaging.store.retention.quota import KeptBatch, KeptQuota
from messaging.store.retention.removal import keep_ids
from messaging.store.states import UNDELIVERED, State

_MESSAGE_COLUMNS: Final = (
    "id",
    "sender_network",
    "sender",
    "via",
    "recipient_network",
    "recipient",
    "subject",
    "text",
    "whole_text",
    "raw",
    "reason",
    "wants_notice",
    "reference",
    "return_path",
    "answer_address",
    "takes_answers",
    "author_level",
    "author_reason",
    "subscriber_id",
    "device_id",
    "created_at",
)

WrittenRecord = DeadLetter | OptOutChange | Bounce | Receipt


@dataclass(frozen=True, slots=True)
class RecordResult:
    """The result of one record: `kind` for the counters, and the deliveries to make or the error to answer with."""

    kind: str
    deliveries: tuple[Delivery, ...] = ()
    error: GatewayError | None = None


@dataclass(frozen=True, slots=True)
class _Written:
    """The first attempts of a batch by message id, the deliveries that its reports settled, and the unreached ones.

    `held` has the messages of which nothing is sent yet.
    """

    attempts: Mapping[str, list[Delivery]]
    settled: Sequence[DeliveryState]
    unreached: int
    held: Collection[str]


class AcceptTransaction:
    """Decides about records and writes what is accepted. `accept` is one transaction and harmless to repeat.

    `counters` counts the deliveries that the records settled.
    """

    def __init__(
        self, settings: Settings, policy: Policy, now: Callable[[], datetime], counters: Counters
    ) -> None:
        self._settings = settings
        self._policy = policy
        self._now = now
        self._limits = settings.store_limits
        self._words = settings.emergency_words_list
        self._lifetimes = {
            network: timedelta(seconds=settings.retry_policy(network).lifetime_seconds)
            for network in Network
        }
        self._notices = Notices(settings, policy.default_accounts)
        self._held_notes = HeldNotes(settings, policy.default_accounts)
        self._limiters = Limiters.of(settings)
        self._breaker = BurstBreaker(settings)
        self._quota = KeptQuota(settings)
        self._counters = counters

    def accept(
        self,
        records: Sequence[Inbound],
        full_providers: Collection[str] = frozenset(),
        *,
        has_room: bool = True,
        operator_routes: Mapping[str, Route | None] | None = None,
    ) -> list[RecordResult]:
        """Return the result of each record once it is on disk. After an exception of the store nothing is.

        Deliveries for full providers are stored as due and not returned. Without room, new messages are deferred.
        `operator_routes` has the routes of messages that an operator sends, by their ids, None for the route of every
        message to that recipient. All limits hold for them.
        """
        now = self._now()
        routes = operator_routes or {}
        validated = [validate(self._choose_text(one), self._limits, now) for one in records]
        kept = self._quota.batch()
        if all(isinstance(record, RecipientCheck | Refusal) for record in validated):
            decisions, _ = self._decide(validated, kept, has_room, routes)
            return [RecordResult(one.kind, error=one.error) for one in decisions]
        with transaction.atomic(durable=True):
            decisions, context = self._decide(validated, kept, has_room, routes)
            decisions = hold_bursts(decisions, validated, self._breaker, now)
            written = self._write(decisions, context, full_providers)
            if routes:
                _record_sends(decisions, routes)
            kept.write()
        kept.note()
        self._counters.note(written.settled)
        self._counters.unreached += written.unreached
        self._limiters.note(decisions)
        return [_result(one, written) for one in decisions]

    def _choose_text(self, record: Inbound) -> Inbound:
        """Return a message with the text that devices are shown."""
        if (
            isinstance(record, Message)
            and record.whole_text
            and self._settings.mail_text == "whole"
        ):
            return replace(record, text=record.whole_text, whole_text="")
        return record

    def _decide(
        self,
        records: Sequence[Inbound | Refusal],
        kept: KeptBatch,
        has_room: bool,
        operator_routes: Mapping[str, Route | None],
    ) -> tuple[list[Decision], BatchContext]:
        parsed = self._parse(records)
        references = references_of(
            (
                one.record if isinstance(one, ParsedDeviceText) else one
                for one in parsed
                if not isinstance(one, Refusal)
            ),
            self._policy,
        )
        emergencies = self._find_emergencies(parsed)
        references.emergency_devices |= {
            (one.via, one.sender.value) for one in emergencies.values()
        }
        references.devices |= references.emergency_devices
        max_waiting = self._settings.max_waiting_per_subscriber
        now = self._now()
        context = look_up(references, self._policy, now, counts_waiting=max_waiting > 0)
        decider = BatchDecider(
            self._policy,
            context,
            max_waiting,
            self._limiters,
            DeviceLimits(self._settings, context.sent),
            kept,
            Gate(self._settings, self._policy, context, now),
            has_room=has_room,
            emergencies=emergencies,
            operator_routes=operator_routes,
            tells_devices=self._settings.device_failure_notices,
        )
        return [decider.decide(one) for one in parsed], context

    def _parse(self, records: Sequence[Inbound | Refusal]) -> list[ParsedRecord]:
        """Return the records with parsed device texts. Emergencies are never refused here."""
        texts = [record for record in records if isinstance(record, DeviceText)]
        parsed_texts = parse_device_texts(texts, self._policy) if texts else {}
        parsed: list[ParsedRecord] = []
        for record in records:
            one = parsed_texts[record] if isinstance(record, DeviceText) else record
            # No codec and no registration refuses a call for help.
            if (
                isinstance(one, Refusal)
                and isinstance(record, DeviceText)
                and emergency_of(record, record.text, self._words)
            ):
                one = ParsedDeviceText(record, None, one.reason)
            parsed.append(one)
        return parsed

    def _find_emergencies(self, parsed: Sequence[ParsedRecord]) -> dict[str, DeviceReport]:
        """Return the reports of the typed calls for help, by the ids of their records."""
        found: dict[str, DeviceReport] = {}
        for one in parsed:
            source = one.source if isinstance(one, ParsedDeviceText) else one
            if isinstance(source, Message | DeviceText):
                message = one.message if isinstance(one, ParsedDeviceText) else None
                text = message.text if message else source.text
                if report := emergency_of(source, text, self._words):
                    found[source.id] = report
        return found

    def _write(
        self, decisions: Sequence[Decision], context: BatchContext, full_providers: Collection[str]
    ) -> _Written:
        """Write the decisions, in the transaction that is open."""
        now = self._now()
        routed = [localise_invitation(made) for one in decisions for made in one.messages]
        codec_of = self._policy.codec
        if any(
            delivery.device_id and codec_of(delivery.via, delivery.codec) == Codec.TEXT
            for one in routed
            for delivery in one.route.deliveries
        ):
            routed = name_senders(routed, self._policy)
        records = [one.record for one in decisions if one.record]
        self._write_messages(routed, records, context, now)
        note_correspondents(_correspondents(routed, self._policy, context), now)
        changed, touched = self._write_reports(records, now)
        if reports := [one.report for one in decisions if one.report]:
            write_positions(reports, context, now)
        note_heard(decisions, context, now)
        unreached = enqueue_unreached(changed, now)
        self._held_notes.enqueue(routed, now)
        held_until = now + timedelta(days=self._settings.held_days)
        # Last, because the budgets stay locked until the commit.
        changes = settle_bookings(touched)
        batch = reserve_batch(routed, self._policy, context, now, held_until, changes)
        lease = Lease.starting(now, self._settings.lease_seconds)
        expires_at = {network: now + lifetime for network, lifetime in self._lifetimes.items()}
        attempts, ids = _enqueue_deliveries(batch.admitted, now, lease, expires_at, full_providers)
        hold(_hold_deliveries(batch.held), now)
        write_bookings((ids[name], one) for name, one in batch.reservations.items() if name in ids)
        settled = [row for row in changed if row.state is not State.WAITING]
        held = {one.message.id for one in batch.held} - {one.message.id for one in batch.admitted}
        return _Written(attempts, settled, unreached, held)

    def _write_messages(
        self,
        routed: Sequence[RoutedMessage],
        records: Sequence[WrittenRecord],
        context: BatchContext,
        now: datetime,
    ) -> None:
        """Insert the messages and dead letters: one statement."""
        made = storable_time(now)
        rows: list[Row] = [
            (
                *_address_columns(one.message, one.message.recipient),
                *(encrypt_text(one.message.subject), encrypt_text(one.message.text)),
                *(encrypt_text(one.message.whole_text), None, ""),
                *(one.message.wants_notice, one.message.reference),
                *(one.message.return_path, one.message.answer_address, one.message.takes_answers),
                one.message.level.value if one.message.sender.value else "",
                one.message.authorship.reason if one.message.authorship else "",
                *(one.route.subscriber_id, one.route.sender_device_id, made),
            )
            for one in routed
        ]
        for record in records:
            if isinstance(record, DeadLetter):
                device = context.sender_device(record.sender, record.via)
                owner = self._policy.find_owner(record, context)
                rows.append(
                    (
                        *_address_columns(record, record.recipient),
                        *("", encrypt_text(record.text), "", encrypt_bytes(record.raw)),
                        *(record.reason, False, "", "", "", True, "", ""),
                        owner.id if owner else None,
                        device.device_id if device else None,
                        made,
                    )
                )
        # In one order everywhere: two batches that share ids wait for each other instead of locking up.
        insert("users_message", _MESSAGE_COLUMNS, sorted(rows, key=lambda row: str(row[0])))

    def _write_reports(
        self, records: Sequence[WrittenRecord], now: datetime
    ) -> tuple[list[DeliveryState], set[int]]:
        """Write opt-outs, bounces and receipts; return the deliveries that they settled, or let wait again.

        Returns also the ids of all deliveries whose bookings have to follow.
        """
        settled: list[DeliveryState] = []
        charged: list[DeliveryState] = []
        stopped: list[int] = []
        if changes := [one for one in records if isinstance(one, OptOutChange)]:
            wishes = {self._policy.opt_out_pair(one): one.allowed for one in changes}
            stopped = write_opt_outs(wishes, now)
            self._notices.enqueue(stopped, now)
            keep_ids(one.id for one in changes)
        if bounces := [one for one in records if isinstance(one, Bounce)]:
            bounced = bounce(bounces, now)
            self._notices.enqueue([row.id for row in bounced], now)
            unconfirm_bounced(bounced)
            settled += bounced
        if receipts := [one for one in records if isinstance(one, Receipt)]:
            by_receipts = write_receipts(receipts, self._settings, now)
            failed = [row.id for row in by_receipts.settled if row.state in UNDELIVERED]
            self._notices.enqueue(failed, now)
            settled += by_receipts.settled
            charged += by_receipts.charged
        return settled, booked_ids((*settled, *charged)).union(stopped)


def _result(decision: Decision, written: _Written) -> RecordResult:
    """Return the result of a record; an accepted message that a budget holds counts as held."""
    first = tuple(
        attempt
        for routed in decision.messages
        for attempt in written.attempts.get(routed.message.id, ())
    )
    is_held = decision.routed is not None and decision.routed.message.id in written.held
    kind = "held" if decision.kind == "accepted" and is_held else decision.kind
    return RecordResult(kind, first, decision.error)


def _record_sends(
    decisions: Sequence[Decision], operator_routes: Mapping[str, Route | None]
) -> None:
    """Record the messages of an operator in the audit, in the transaction that is open, and log them behind it."""
    for one in decisions:
        routed = one.routed
        if routed is not None and routed.message.id in operator_routes:
            audit.record(audit.Action.SEND, "message", routed.message.id)
            number = len(routed.route.deliveries)
            log_after_commit(audit.Action.SEND, number, routed.message.id)


def _address_columns(record: Message | DeadLetter, recipient: Address | None) -> Row:
    return (
        record.id,
        record.sender.network.value,
        record.sender.value,
        record.via,
        recipient.network.value if recipient else "",
        recipient.value if recipient else "",
    )


def _enqueue_deliveries(
    routed: Sequence[RoutedMessage],
    now: datetime,
    lease: Lease,
    expires_at: Mapping[Network, datetime],
    full_providers: Collection[str],
) -> tuple[dict[str, list[Delivery]], dict[DeliveryName, int]]:
    """Enqueue the deliveries of a batch: two statements. Return those that are handed to the caller, by message id.

    Returns also the ids of all of them.
    Deliveries for full providers, and those in lanes that others wait in, are due at once instead.
    """
    planned = {
        delivery_name(one, delivery): (one, delivery)
        for one in routed
        for delivery in one.route.deliveries
    }
    new = [
        new_delivery(one.message.id, one.route, delivery, expires_at)
        for one, delivery in planned.values()
    ]
    takes = iter(take_places([one for one in new if one.via not in full_providers], now))
    has_places = [one.via not in full_providers and next(takes) for one in new]
    until = hand_out_end(now)
    ids = enqueue(new, now, [until if has_place else now for has_place in has_places])
    attempts: dict[str, list[Delivery]] = {}
    for row_id, has_place, (one, delivery) in zip(ids, has_places, planned.values(), strict=True):
        if has_place:
            attempt = _first_attempt(row_id, one, delivery, lease)
            attempts.setdefault(one.message.id, []).append(attempt)
    return attempts, dict(zip(planned, ids, strict=True))


def _hold_deliveries(routed: Sequence[RoutedMessage]) -> list[tuple[NewDelivery, NewHold]]:
    """Return the rows of deliveries that are held or refused. Their lifetime begins when they are released."""
    never = dict.fromkeys(Network, NEVER)
    return [
        (new_delivery(one.message.id, one.route, planned, never), one.hold)
        for one in routed
        for planned in one.route.deliveries
        if one.hold is not None
    ]


def _correspondents(
    routed: Sequence[RoutedMessage], policy: Policy, context: BatchContext
) -> Iterator[tuple[int, str]]:
    """Yield the owners of sending devices with the addresses that their messages go to."""
    for one in routed:
        device = context.sender_device(one.message.sender, one.message.via)
        if device is None or one.hold is not None:
            continue
        for planned in one.route.deliveries:
            is_for_device = planned.recipient.network is Network.SATELLITE
            to = one.message.recipient if is_for_device else planned.recipient
            yield device.owner.id, (policy.number_of(to) or to.value).lower()


def new_delivery(
    message_id: str,
    route: Route,
    planned: PlannedDelivery,
    expires_at: Mapping[Network, datetime],
) -> NewDelivery:
    """Return the row of a planned delivery; `expires_at` is the end of its lifetime by network."""
    return NewDelivery(
        message_id=message_id,
        via=planned.via,
        sender_network=planned.sender.network,
        sender=planned.sender.value,
        recipient_network=planned.recipient.network,
        recipient=planned.recipient.value,
        subscriber_id=route.subscriber_id,
        device_id=planned.device_id,
        is_urgent=route.is_urgent,
        sender_name=planned.sender_name,
        display_name=planned.display_name,
        estimated_units=planned.estimated_units,
        expires_at=NEVER if route.is_urgent else expires_at[planned.recipient.network],
        rest_characters=0,
    )


def _first_attempt(
    row_id: int, routed: RoutedMessage, planned: PlannedDelivery, lease: Lease
) -> Delivery:
    leaving = leaving_message(routed.message, planned)
    return Delivery(
        id=row_id,
        message=leaving,
        attempt=1,
        lease_until=lease.lease_until,
        codec=planned.codec,
        alphabet=planned.alphabet,
        is_urgent=routed.route.is_urgent,
    )
