"""Decides about the records of one batch, one after another: each decision counts the earlier ones. Pure."""

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from messaging.config.settings import Settings
from messaging.errors import AuthorRefused, Busy, GatewayError, Rejected, Unavailable
from messaging.model.message import (
    Address,
    AuthorLevel,
    Bounce,
    DeadLetter,
    DeviceReport,
    Inbound,
    Message,
    Network,
    OptOutChange,
    Receipt,
    RecipientCheck,
)
from messaging.store.accept.context import BatchContext
from messaging.store.accept.device_reply import add_position, device_echo, device_reply
from messaging.store.accept.device_text import ParsedDeviceText, ParsedRecord
from messaging.store.accept.emergency import NO_RECIPIENT, compose_alarm
from messaging.store.accept.operator_mail import forward, keep
from messaging.store.accept.refusals import AUTHOR_FORGED, AUTHOR_REFUSALS, CLOSED, Refusal
from messaging.store.accept.routing import Policy, Route, RoutedMessage
from messaging.store.admission.bursts import BurstBreaker, CountedMessage
from messaging.store.admission.gate import Gate
from messaging.store.admission.terms import TOO_MANY_HELD, Hold
from messaging.store.outgoing.limits import DeviceLimits, estimate_units
from messaging.store.queue.delivery_state import NewHold
from messaging.store.rate_limit import Pair, RateLimiter
from messaging.store.retention.quota import KeptBatch

log = logging.getLogger(__name__)

BUSY = "too many messages wait for this subscriber; try again later"
TOO_FAST = "too many messages from this author to this subscriber within an hour; try again later"
UNDECIDED = "DNS did not answer, so the author is not known; try again later"
NO_ROOM = "the gateway has no room for messages now; try again later"
NOT_KNOWN = "a report about a message that this gateway does not know: "
AcceptedRecord = Message | ParsedDeviceText | DeadLetter | Bounce | DeviceReport
NO_SENDER = Address(Network.EMAIL, "")
OPERATORS: Pair = ("", 0)
"""Limits the mail to the operators of all authors together."""
UNPROVED: Final = "unproved "
"""Before an address: limits the delivered messages that may be by another author."""
HELD: Final = "held "
"""Before an address: limits the held messages of an author."""
REFUSED: Final = "refused "
"""Limits the messages of all refused authors together that are kept for a subscriber."""
MAX_DAILY_UNKNOWN: Final = 5
"""How many packets of unknown devices are kept for people in 24 hours, for each shared account."""
MAX_UNKNOWN_BYTES: Final = 4096
"""How much is kept of a packet of an unknown device of a shared account."""


@dataclass(frozen=True, slots=True)
class Limiters:
    """The limits of messages by author and subscriber, of replies by device, and of unknown devices by account."""

    messages: RateLimiter
    replies: RateLimiter
    unknown_devices: RateLimiter

    @classmethod
    def of(cls, settings: Settings) -> "Limiters":
        """Return the limits that these settings ask for."""
        return cls(
            RateLimiter(settings.max_hourly_per_pair),
            RateLimiter(settings.max_hourly_hints_per_device),
            RateLimiter(MAX_DAILY_UNKNOWN, period_seconds=24 * 3600.0),
        )

    def note(self, decisions: Sequence["Decision"]) -> None:
        """Count the decisions, after the commit."""
        self.messages.note(one.pair for one in decisions if one.pair)
        self.replies.note(one.replied_device for one in decisions if one.replied_device)
        self.unknown_devices.note(one.unknown_device for one in decisions if one.unknown_device)


@dataclass(frozen=True, slots=True)
class Decision:
    """The decision about one record. `kind` counts it, `error` answers it, and the rest is written.

    `pair` is the author and the subscriber that the hourly limit counts; `replied_device` the device that gets a reply.
    `alarm` is the message about the emergency that the record declares, besides the record's own; `echo` tells a device
    whom its text went to. `unknown_device` is set on a packet that is kept of an unknown device of a shared account.
    `counted` has the bounds that an accepted message to a device counts in.
    """

    kind: str
    error: GatewayError | None = None
    record: DeadLetter | OptOutChange | Bounce | Receipt | None = None
    report: DeviceReport | None = None
    routed: RoutedMessage | None = None
    alarm: RoutedMessage | None = None
    echo: RoutedMessage | None = None
    pair: Pair | None = None
    replied_device: Pair | None = None
    unknown_device: Pair | None = None
    counted: CountedMessage | None = None

    @property
    def messages(self) -> tuple[RoutedMessage, ...]:
        """The messages to write: an alarm first."""
        if self.alarm is None and self.echo is None:
            return (self.routed,) if self.routed else ()
        return tuple(one for one in (self.alarm, self.routed, self.echo) if one)


class BatchDecider:
    """Decides about the records of one batch. A repeated record is accepted and writes nothing.

    `max_waiting` bounds the waiting deliveries of a subscriber on each account; 0 is no bound. Without `has_room` only
    emergencies are accepted, and the reports that settle deliveries or stop them. `emergencies` has the reports of the
    records that are typed calls for help, by the ids of the records. `operator_routes` has the routes of messages that
    an operator sends, by their ids. `tells_devices` says whether a device is told that its text was refused.
    `gate` decides who may write.
    """

    def __init__(
        self,
        policy: Policy,
        context: BatchContext,
        max_waiting: int,
        limiters: Limiters,
        device_limits: DeviceLimits,
        kept: KeptBatch,
        gate: Gate,
        *,
        has_room: bool = True,
        emergencies: Mapping[str, DeviceReport] | None = None,
        operator_routes: Mapping[str, Route | None] | None = None,
        tells_devices: bool = False,
    ) -> None:
        self._policy = policy
        self._context = context
        self._stored_ids = set(context.stored_ids)
        self._waiting: Counter[tuple[int | None, str]] = Counter(context.admission.waiting)
        self._max_waiting = max_waiting
        self._message_rate = limiters.messages
        self._reply_rate = limiters.replies
        self._unknown_rate = limiters.unknown_devices
        self._device_limits = device_limits
        self._emergencies = emergencies or {}
        self._operator_routes = operator_routes or {}
        self._tells_devices = tells_devices
        self._new_by_pair: Counter[Pair] = Counter()
        self._new_replies: Counter[Pair] = Counter()
        self._new_unknown: Counter[Pair] = Counter()
        self._kept = kept
        self._gate = gate
        self._has_disk_room = has_room

    def decide(self, record: ParsedRecord) -> Decision:
        """Decide about the next record."""
        match record:
            case Refusal():
                return _refuse(record)
            case RecipientCheck():
                return self._check_recipient(record)
            case Receipt():
                return Decision("receipt", record=record)
            case OptOutChange():
                return self._change_opt_out(record)
        if record.id in self._stored_ids:
            return Decision("repeated")
        is_emergency_text = record.id in self._emergencies
        source = record.source if isinstance(record, ParsedDeviceText) else record
        is_emergency = is_emergency_text or getattr(source, "sos", None) is not None
        # A bounce changes a row that is there.
        if not (self._has_disk_room or is_emergency or isinstance(record, Bounce)):
            return Decision("no_room", error=Busy(NO_ROOM))
        if not is_emergency_text and self._is_of_unknown_device(record):
            return self._accept_of_unknown_device(record)
        return self._accept(record)

    def _accept(self, record: AcceptedRecord) -> Decision:
        emergency = self._emergencies.get(record.id)
        match record:
            case Message() | ParsedDeviceText() if emergency is not None:
                return self._accept_text_alarm(record, emergency)
            case Message():
                return self._accept_message(record)
            case ParsedDeviceText():
                return self._accept_text(record)
            case DeadLetter():
                return self._accept_dead_letter(record)
            case Bounce():
                return self._accept_bounce(record)
            case DeviceReport() if record.sos is not None:
                return self._accept_alarm(record)
            case DeviceReport():
                refusal = self._policy.refuse_device(record.sender, record.via, self._context)
                return _refuse(refusal) if refusal else Decision("beacon", report=record)

    def _is_of_unknown_device(self, record: AcceptedRecord) -> bool:
        """Return whether the record may come from a device of another customer of the provider; never an emergency."""
        source = record.source if isinstance(record, ParsedDeviceText) else record
        return (
            source.via in self._policy.shared_accounts
            and source.sender.network is Network.SATELLITE
            and getattr(source, "sos", None) is None
            and self._context.sender_device(source.sender, source.via) is None
        )

    def _accept_of_unknown_device(self, record: AcceptedRecord) -> Decision:
        """Keep a few packets for people, such as those of a device of ours that is not registered yet; drop the rest.

        The same proof comes with the packets of all customers of the provider, so their number has no other bound.
        """
        source = record.source if isinstance(record, ParsedDeviceText) else record
        key = (source.via, 0)
        if self._unknown_rate.room(key) <= self._new_unknown[key]:
            return Decision("unknown_device")
        if not isinstance(record, DeadLetter):
            return self._accept(record)  # is refused, and comes again as a dead letter
        self._new_unknown[key] += 1
        self._stored_ids.add(record.id)
        kept = self._keep(replace(record, raw=record.raw[:MAX_UNKNOWN_BYTES]))
        return replace(kept, unknown_device=key)

    def _check_recipient(self, check: RecipientCheck) -> Decision:
        if self._policy.is_for_operators(check.recipient, self._context):
            return Decision("inquiry")
        if check.is_report:
            found = self._policy.find_subscriber(check.recipient, self._context)
            return _refuse(found) if isinstance(found, Refusal) else Decision("inquiry")
        route = self._policy.route_to_subscriber(NO_SENDER, check.recipient, self._context)
        if isinstance(route, Refusal):
            return _refuse(route)
        if self._gate.is_closed(check.recipient):
            return _refuse(CLOSED)
        if not self._has_disk_room:
            return Decision("no_room", error=Busy(NO_ROOM))
        if not self._has_room(route):
            return Decision("busy", error=Busy(BUSY))
        return Decision("inquiry")

    def _accept_message(self, message: Message) -> Decision:
        sender = message.sender
        if sender.network is Network.SATELLITE:
            return self._accept_from_device(message)
        if self._policy.is_for_operators(message.recipient, self._context):
            return self._accept_for_operators(message)
        route = self._operator_routes.get(message.id) or self._policy.route(message, self._context)
        if isinstance(route, Refusal):
            return _refuse(route)
        if message.id not in self._operator_routes:
            admission = self._gate.admit(message)
            if admission is not None:
                return self._stop(message, route, admission)
            if self._gate.is_full(message, route):
                return Decision("busy", error=Busy(TOO_MANY_HELD))
        if not self._has_room(route):
            return Decision("busy", error=Busy(BUSY))
        pair = None
        if sender.value and route.subscriber_id is not None:
            # Mail that only pretends to be an author's must not use up the room of the author.
            kind = "" if message.level.names_author else UNPROVED
            pair = (kind + sender.value.lower(), route.subscriber_id)
            if self._is_too_fast(pair):
                return Decision("too_fast", error=Busy(TOO_FAST))
        self._count(message.id, route)
        is_of_operator = message.id in self._operator_routes
        counted = None if is_of_operator else self._gate.count(message, route)
        routed = RoutedMessage(message, route)
        return Decision("accepted", routed=routed, pair=pair, counted=counted)

    def _stop(self, message: Message, route: Route, admission: Hold | Refusal) -> Decision:
        """Hold a message, or refuse it: with an error, or in the history where its source asks for that."""
        if isinstance(admission, Refusal):
            if admission not in AUTHOR_REFUSALS:
                return _refuse(admission)
            kind = f"rejected_{admission.kind}"
            if not message.keeps_refusal:
                return Decision(kind, error=AuthorRefused(admission.reason))
            pair = (REFUSED, route.subscriber_id or 0)
            if self._is_too_fast(pair):
                return Decision("too_fast", error=Busy(TOO_FAST))
            hold: NewHold | None = NewHold("", admission.reason, None)
        elif admission is Hold.UNPROVED and message.authorship and message.authorship.is_undecided:
            # The author's server tries again, when DNS may answer.
            return Decision("undecided", error=Unavailable(UNDECIDED))
        else:
            kind, pair = "held", (HELD + message.sender.value.lower(), route.subscriber_id or 0)
            if self._is_too_fast(pair):
                return Decision("too_fast", error=Busy(TOO_FAST))
            hold = self._gate.hold(message, route, admission)
        if hold is None:
            self._new_by_pair[pair] -= 1
            return Decision("busy", error=Busy(TOO_MANY_HELD))
        self._stored_ids.add(message.id)
        wants_note = isinstance(admission, Hold) and self._gate.wants_note(message, admission)
        stopped = RoutedMessage(replace(message, wants_notice=False), route, hold, wants_note)
        return Decision(kind, routed=stopped, pair=pair)

    def _is_too_fast(self, pair: Pair) -> bool:
        """Return whether the hourly limit of a pair is reached, and count one more message of it if not."""
        if self._message_rate.room(pair) <= self._new_by_pair[pair]:
            return True
        self._new_by_pair[pair] += 1
        return False

    def _accept_from_device(self, message: Message) -> Decision:
        """Accept a message within the limits of its device. A call for help passes them, up to a bound of its own."""
        device = self._context.sender_device(message.sender, message.via)
        is_emergency = message.sos is not None or message.id in self._emergencies
        limits, device_id = self._device_limits, device.device_id if device else 0
        has_no_limit = is_emergency and limits.has_room_for_emergency(device_id)
        route = self._policy.route(message, self._context, to_any_country=has_no_limit)
        if isinstance(route, Refusal):
            return _refuse(route)
        admission = None if is_emergency else self._gate.admit(message)
        if admission is not None:
            return self._stop(message, route, admission)
        to = self._policy.number_of(message.recipient) or message.recipient.value
        if (
            device is not None
            and device.adds_position
            and self._context.admission.sees_positions(device.owner.id, to)
        ):
            message = add_position(message, route, self._policy.map_url)
        texts = sum(one.recipient.network is Network.SMS for one in route.deliveries)
        units = texts * estimate_units(message.text)
        refusal = None if has_no_limit else limits.refuse(device_id, units)
        if refusal is not None:
            return _refuse(refusal)
        if not is_emergency and not self._has_room(route):
            return Decision("busy", error=Busy(BUSY))
        is_urgent = has_no_limit and message.id in self._emergencies
        self._count(message.id, route)
        limits.count(device_id, units, is_urgent=is_urgent)
        route = replace(route, is_urgent=is_urgent)
        return Decision("accepted", routed=RoutedMessage(message, route))

    def _accept_for_operators(self, message: Message) -> Decision:
        """Forward a mail to the operators, at most the hourly limit of all authors together, else keep it.

        Refuses a forged one.
        """
        if message.level is AuthorLevel.FORGED:
            # Forwarded, it would reach the operators with a signature of this gateway.
            if not message.keeps_refusal:
                return Decision("rejected_forged", error=AuthorRefused(AUTHOR_FORGED.reason))
            self._stored_ids.add(message.id)
            return self._keep(replace(keep(message), reason=AUTHOR_FORGED.reason))
        route = self._policy.route_to_operators(message.sender, message.recipient)
        if self._is_too_fast(OPERATORS):
            return Decision("too_fast", error=Busy(TOO_FAST))
        self._count(message.id, route)
        if not route.deliveries:
            return Decision("undeliverable", record=keep(message), pair=OPERATORS)
        return Decision("accepted", routed=RoutedMessage(forward(message), route), pair=OPERATORS)

    def _accept_text(self, text: ParsedDeviceText) -> Decision:
        source = text.source
        refusal = self._policy.refuse_device(source.sender, source.via, self._context)
        if refusal is not None:
            return _refuse(refusal)
        if text.message is None:
            return self._reply_to_device(text, text.reason)
        decision = self._accept_message(text.message)
        if isinstance(decision.error, Rejected):
            return self._reply_to_device(text, decision.error.reason)
        return self._add_echo(text, decision) if text.echo and decision.routed else decision

    def _add_echo(self, text: ParsedDeviceText, decision: Decision) -> Decision:
        """Add the message that tells the device whom its text went to, within the hourly limit of replies."""
        source, message = text.source, text.message
        device = self._context.sender_device(source.sender, source.via)
        if device is None or message is None:
            return decision
        echo = device_echo(source, text.echo, message.recipient, device, self._policy)
        key = (source.sender.value, device.device_id)
        if echo is None or self._reply_rate.room(key) <= self._new_replies[key]:
            return decision
        self._new_replies[key] += 1
        self._count(echo.message.id, echo.route)
        return replace(decision, echo=echo, replied_device=key)

    def _accept_dead_letter(self, dead: DeadLetter) -> Decision:
        """Keep a dead letter; where it is a text to a recipient that was refused, tell its device."""
        self._stored_ids.add(dead.id)
        is_refused_text = dead.recipient is not None and bool(dead.text)
        refusal = self._policy.refuse_device(dead.sender, dead.via, self._context)
        if not (self._tells_devices and is_refused_text) or refusal is not None:
            return self._keep(dead)
        return self._keep_and_reply(dead, f"{dead.recipient}: {dead.reason}")

    def _reply_to_device(self, text: ParsedDeviceText, reason: str) -> Decision:
        """Keep a text that goes nowhere, and tell its device."""
        self._stored_ids.add(text.id)
        return self._keep_and_reply(text.dead_letter(reason), reason)

    def _keep_and_reply(self, dead: DeadLetter, reason: str) -> Decision:
        """Keep a text of a device, and tell the device why, within the hourly limit of replies."""
        device = self._context.sender_device(dead.sender, dead.via)
        reply = device_reply(dead, reason, device, self._policy) if device else None
        key = (dead.sender.value, device.device_id if device else 0)
        is_limited = self._reply_rate.room(key) <= self._new_replies[key]
        if reply is None or is_limited or not self._has_room(reply.route):
            return self._keep(dead)
        self._new_replies[key] += 1
        self._count(reply.message.id, reply.route)
        kept = self._keep(dead).record
        return Decision("not_understood", record=kept, routed=reply, replied_device=key)

    def _accept_bounce(self, bounce: Bounce) -> Decision:
        if (bounce.delivery_id, bounce.message_id) in self._context.deliveries:
            return Decision("bounce", record=bounce)
        if not self._has_disk_room:
            return Decision("no_room", error=Busy(NO_ROOM))
        self._stored_ids.add(bounce.id)
        dead = DeadLetter(
            id=bounce.id,
            sender=bounce.sender,
            recipient=bounce.recipient,
            via=bounce.via,
            raw=bounce.raw,
            reason=NOT_KNOWN + bounce.reason,
        )
        return self._keep(dead)

    def _keep(self, dead: DeadLetter) -> Decision:
        """Keep a dead letter while there is room for it among those of its subscriber and of all."""
        owner = self._policy.find_owner(dead, self._context)
        if self._kept.admit(owner.id if owner else None, len(dead.raw)):
            return Decision("undeliverable", record=dead)
        return Decision("not_kept")

    def _accept_alarm(self, report: DeviceReport) -> Decision:
        """Accept an emergency: neither the state of the device nor a limit refuses it."""
        self._stored_ids.add(report.id)
        alarm = compose_alarm(report, self._policy, self._context)
        if alarm.route.deliveries:
            return Decision("sos", report=report, routed=alarm)
        log.critical(NO_RECIPIENT, extra={"message_id": report.id})
        text = f"{alarm.message.subject}\n{alarm.message.text}"
        dead = DeadLetter(
            id=report.id,
            sender=report.sender,
            via=report.via,
            raw=text.encode(),
            reason=NO_RECIPIENT,
            text=text,
        )
        owner = self._policy.find_owner(dead, self._context)
        self._kept.admit(owner.id if owner else None, len(dead.raw), is_emergency=True)
        return Decision("sos", report=report, record=dead)

    def _accept_text_alarm(
        self, record: Message | ParsedDeviceText, report: DeviceReport
    ) -> Decision:
        """Accept a typed call for help: as an emergency, and as a message to the recipient that it names, if any."""
        message = record.message if isinstance(record, ParsedDeviceText) else record
        own = self._accept_message(message) if message is not None else None
        if own is None or own.routed is None:
            # Under the id of the record, which is recognised by it when it comes again.
            return self._accept_alarm(replace(report, id=record.id))
        alarm = self._accept_alarm(report)
        return replace(alarm, routed=own.routed, alarm=alarm.routed)

    def _change_opt_out(self, change: OptOutChange) -> Decision:
        # An old STOP that comes again must not undo the START after it.
        if change.id in self._stored_ids:
            return Decision("repeated")
        self._stored_ids.add(change.id)
        pair = self._policy.opt_out_pair(change)
        others = {known for known in self._context.opted_out if known != pair}
        opted_out = others if change.allowed else others | {pair}
        self._context = replace(self._context, opted_out=opted_out)
        return Decision("consent", record=change)

    def _count(self, message_id: str, route: Route) -> None:
        self._stored_ids.add(message_id)
        queues = [(route.subscriber_id, one.via) for one in route.deliveries]
        self._waiting.update(queues)

    def _has_room(self, route: Route) -> bool:
        if not self._max_waiting:
            return True
        new = Counter((route.subscriber_id, one.via) for one in route.deliveries)
        return all(self._waiting[key] + more <= self._max_waiting for key, more in new.items())


def _refuse(refusal: Refusal) -> Decision:
    if refusal.is_temporary:
        return Decision(refusal.kind, error=Unavailable(refusal.reason))
    return Decision(f"rejected_{refusal.kind}", error=Rejected(refusal.reason))


def hold_bursts(
    decisions: list[Decision],
    records: Sequence[Inbound | Refusal],
    breaker: BurstBreaker,
    now: datetime,
) -> list[Decision]:
    """Return the decisions with a hold for each accepted message that exceeds a bound. Call it within a transaction.

    A repeat of a record whose message is not written is not accepted either.
    """
    counted = [one.counted for one in decisions if one.counted]
    found = breaker.admit(counted, now)
    if not any(found):
        return decisions
    stops, ids = iter(found), [getattr(one, "id", "") for one in records]
    stopped = [_stop_burst(one, next(stops)) if one.counted else one for one in decisions]
    busy = {id: one for id, one in zip(ids, stopped, strict=True) if one.kind == "busy"}
    return [
        busy.get(id, one) if one.kind == "repeated" else one
        for id, one in zip(ids, stopped, strict=True)
    ]


def _stop_burst(decision: Decision, stop: NewHold | Busy | None) -> Decision:
    routed = decision.routed
    if stop is None or routed is None:
        return decision
    if isinstance(stop, Busy):
        return Decision("busy", error=stop)
    message = replace(routed.message, wants_notice=False)
    return replace(decision, kind="held", routed=replace(routed, message=message, hold=stop))
