"""Decides the records of one batch one after another, each knowing what the earlier ones did: pure."""

import logging
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace

from messaging.errors import Busy, GatewayError, Rejected
from messaging.model.message import (
    Bounce,
    DeadLetter,
    DeviceReport,
    Message,
    Network,
    OptOutChange,
    Receipt,
    RecipientCheck,
)
from messaging.store.accept.context import BatchContext
from messaging.store.accept.device_reply import device_reply
from messaging.store.accept.device_text import ParsedDeviceText, Readable
from messaging.store.accept.emergency import NOBODY, alarm
from messaging.store.accept.places import with_place
from messaging.store.accept.policy import Policy, Refusal, Route
from messaging.store.rate_limit import Pair, RateLimiter

log = logging.getLogger(__name__)

BUSY = "too many messages wait for this subscriber; try again later"
TOO_FAST = "too many messages from this author to this subscriber within an hour; try again later"
NOT_KNOWN = "a report about a message that this gateway does not know: "


@dataclass(frozen=True, slots=True)
class Decision:
    """What is to become of one record: `kind` to count it by; the rest but `error` is what to write."""

    kind: str
    error: GatewayError | None = None
    record: DeadLetter | OptOutChange | Bounce | Receipt | None = None
    beacon: DeviceReport | None = None
    routed: tuple[Message, Route] | None = None
    has_device_reply: Pair | None = None
    """The device that is told why what it typed goes nowhere."""

    @property
    def pair(self) -> Pair | None:
        """Who wrote to whom, when that counts: what a device writes, and what its owner pays for, does not."""
        return _pair(*self.routed) if self.routed else None


@dataclass(frozen=True, slots=True)
class Backlog:
    """How many deliveries wait for each subscriber on each provider, and how many may; 0 lets any number wait."""

    waiting: Mapping[tuple[int, str], int]
    max_waiting: int


class BatchDecider:
    """The decisions of one batch. Repeats are accepted and write nothing; refusals are each record's own."""

    def __init__(
        self,
        policy: Policy,
        facts: BatchContext,
        known_ids: set[str],
        backlog: Backlog,
        pace: RateLimiter,
        hints: RateLimiter,
    ) -> None:
        self._policy = policy
        self._facts = facts
        self._stored = set(known_ids)
        self._waiting: Counter[tuple[int | None, str]] = Counter(backlog.waiting)
        self._max_waiting = backlog.max_waiting
        self._pace = pace
        self._hints = hints
        self._taken: Counter[Pair] = Counter()
        self._hinted: Counter[Pair] = Counter()

    def decide(self, record: Readable) -> Decision:
        """Decide about the next record."""
        match record:
            case Refusal():
                return _refused(record)
            case RecipientCheck():
                return self._answer(record)
            case OptOutChange():
                return self._consent(record)
            case Message() | ParsedDeviceText() | DeadLetter() | Bounce() | DeviceReport() if (
                record.id in self._stored
            ):
                return Decision("repeated")
            case Bounce():
                return self._bounce(record)
            case DeadLetter():
                self._stored.add(record.id)
                return Decision("undeliverable", record=record)
            case Message() | ParsedDeviceText():
                return self._route(record)
            case Receipt():
                return Decision("receipt", record=record)
            case DeviceReport():
                return self._beacon(record)

    def _answer(self, inquiry: RecipientCheck) -> Decision:
        if inquiry.is_report:
            unknown = self._policy.unknown(inquiry.recipient, self._facts)
            return _refused(unknown) if unknown else Decision("inquiry")
        route = self._policy.answer(inquiry.recipient, self._facts)
        if isinstance(route, Refusal):
            return _refused(route)
        if self._is_too_much(route):
            return Decision("busy", error=Busy(BUSY))
        return Decision("inquiry")

    def _take(self, message: Message) -> Decision:
        route = self._policy.route(message, self._facts)
        if isinstance(route, Refusal):
            return _refused(route)
        if self._is_too_much(route):
            return Decision("busy", error=Busy(BUSY))
        pair = _pair(message, route)
        if pair and self._pace.room(pair) <= self._taken[pair]:
            return Decision("too_fast", error=Busy(TOO_FAST))
        self._taken.update([pair] if pair else [])
        return self._accepted(message, route)

    def _accepted(self, message: Message, route: Route) -> Decision:
        self._stored.add(message.id)
        self._waiting.update((route.subscriber_id, leg.via) for leg in route.deliveries)
        author = self._facts.sender_device(message.sender, message.via)
        if author is not None and author.adds_position:
            message = with_place(message, route, self._policy.map_url)
        return Decision("accepted", routed=(message, route))

    def _route(self, record: Message | ParsedDeviceText) -> Decision:
        """Take a message; of what was typed also what goes nowhere, and then its author is told."""
        if isinstance(record, Message):
            return self._take(record)
        typed = record.typed
        unheard = self._policy.unheard(typed.sender, typed.via, self._facts)
        if unheard is not None:
            return _refused(unheard)
        if record.message is None:
            return self._hint(record, record.reason)
        decision = self._take(record.message)
        refused = isinstance(decision.error, Rejected)
        return self._hint(record, str(decision.error)) if refused else decision

    def _hint(self, read: ParsedDeviceText, reason: str) -> Decision:
        """Keep what goes nowhere, and tell its device unless that has been told enough."""
        self._stored.add(read.id)
        kept = read.kept(reason)
        author = self._facts.sender_device(kept.sender, kept.via)
        told = device_reply(read.typed, reason, author, self._policy) if author else None
        device = (kept.sender.value, author.device_id if author else 0)
        enough = self._hints.room(device) <= self._hinted[device]
        if told is None or enough or self._is_too_much(told[1]):
            return Decision("undeliverable", record=kept)
        self._hinted.update([device])
        self._waiting.update((told[1].subscriber_id, leg.via) for leg in told[1].deliveries)
        return Decision("not_understood", record=kept, routed=told, has_device_reply=device)

    def _is_too_much(self, route: Route) -> bool:
        if not self._max_waiting:
            return False
        wanted = Counter((route.subscriber_id, leg.via) for leg in route.deliveries)
        return any(self._waiting[key] + more > self._max_waiting for key, more in wanted.items())

    def _bounce(self, bounce: Bounce) -> Decision:
        if (bounce.delivery_id, bounce.message_id) in self._facts.deliveries:
            return Decision("bounce", record=bounce)
        self._stored.add(bounce.id)
        kept = DeadLetter(
            id=bounce.id,
            sender=bounce.sender,
            recipient=bounce.recipient,
            via=bounce.via,
            raw=bounce.raw,
            reason=NOT_KNOWN + bounce.reason,
        )
        return Decision("undeliverable", record=kept)

    def _beacon(self, beacon: DeviceReport) -> Decision:
        if beacon.sos is not None:
            return self._alarm(beacon)
        refusal = self._policy.unheard(beacon.sender, beacon.via, self._facts)
        return _refused(refusal) if refusal else Decision("beacon", beacon=beacon)

    def _alarm(self, beacon: DeviceReport) -> Decision:
        """Whatever else holds for a device, its owner or a queue: an emergency is always taken."""
        self._stored.add(beacon.id)
        found = alarm(beacon, self._policy, self._facts)
        if found.route.deliveries:
            return Decision("sos", beacon=beacon, routed=(found.message, found.route))
        log.critical(NOBODY, extra={"message_id": beacon.id})
        kept = DeadLetter(
            id=beacon.id,
            sender=beacon.sender,
            via=beacon.via,
            raw=f"{found.message.subject}\n{found.message.text}".encode(),
            reason=NOBODY,
        )
        return Decision("sos", beacon=beacon, record=kept)

    def _consent(self, consent: OptOutChange) -> Decision:
        pair = self._policy.pair(consent)
        kept = {known for known in self._facts.opted_out if known != pair}
        opted_out = kept if consent.allowed else kept | {pair}
        self._facts = replace(self._facts, opted_out=opted_out)
        return Decision("consent", record=consent)


def _refused(refusal: Refusal) -> Decision:
    return Decision(f"rejected_{refusal.kind}", error=Rejected(refusal.reason))


def _pair(message: Message, route: Route) -> Pair | None:
    nobody = not message.sender.value
    if message.sender.network is Network.SATELLITE or nobody or route.subscriber_id is None:
        return None
    return message.sender.value.lower(), route.subscriber_id
