"""Decides the records of one batch one after another, each knowing what the earlier ones did: pure."""

import logging
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace

from messaging.errors import Busy, GatewayError, Rejected
from messaging.message import (
    Beacon,
    Bounce,
    Consent,
    Inbound,
    Inquiry,
    Message,
    Network,
    Receipt,
    Undeliverable,
)
from messaging.users.emergency import NOBODY, alarm
from messaging.users.pace import Pace, Pair
from messaging.users.policy import Facts, Policy, Refusal, Route

log = logging.getLogger(__name__)

BUSY = "too many messages wait for this subscriber; try again later"
TOO_FAST = "too many messages from this author to this subscriber within an hour; try again later"
NOT_KNOWN = "a report about a message that this gateway does not know: "


@dataclass(frozen=True, slots=True)
class Decision:
    """What is to become of one record: `kind` to count it by; the rest but `error` is what to write."""

    kind: str
    error: GatewayError | None = None
    record: Undeliverable | Consent | Bounce | Receipt | None = None
    beacon: Beacon | None = None
    routed: tuple[Message, Route] | None = None

    @property
    def pair(self) -> Pair | None:
        """Who wrote to whom, when that counts: what a device writes, and what its owner pays for, does not."""
        return _pair(*self.routed) if self.routed else None


@dataclass(frozen=True, slots=True)
class Backlog:
    """How many deliveries wait for each subscriber on each provider, and how many may; 0 lets any number wait."""

    waiting: Mapping[tuple[int, str], int]
    max_waiting: int


class Plan:
    """The decisions of one batch. Repeats are accepted and write nothing; refusals are each record's own."""

    def __init__(
        self, policy: Policy, facts: Facts, known_ids: set[str], backlog: Backlog, pace: Pace
    ) -> None:
        self._policy = policy
        self._facts = facts
        self._known = set(known_ids)
        self._waiting: Counter[tuple[int | None, str]] = Counter(backlog.waiting)
        self._max_waiting = backlog.max_waiting
        self._pace = pace
        self._taken: Counter[Pair] = Counter()

    def decide(self, record: Inbound | Refusal) -> Decision:
        """Decide about the next record."""
        match record:
            case Refusal():
                return _refused(record)
            case Inquiry():
                return self._answer(record)
            case Consent():
                return self._consent(record)
            case Message() | Undeliverable() | Bounce() | Beacon() if record.id in self._known:
                return Decision("repeated")
            case Bounce():
                return self._bounce(record)
            case Undeliverable():
                self._known.add(record.id)
                return Decision("undeliverable", record=record)
            case Message():
                return self._take(record)
            case Receipt():
                return Decision("receipt", record=record)
            case Beacon():
                return self._beacon(record)

    def _answer(self, inquiry: Inquiry) -> Decision:
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
        self._known.add(message.id)
        self._taken.update([pair] if pair else [])
        self._waiting.update((route.subscriber_id, leg.via) for leg in route.legs)
        return Decision("accepted", routed=(message, route))

    def _is_too_much(self, route: Route) -> bool:
        if not self._max_waiting:
            return False
        wanted = Counter((route.subscriber_id, leg.via) for leg in route.legs)
        return any(self._waiting[key] + more > self._max_waiting for key, more in wanted.items())

    def _bounce(self, bounce: Bounce) -> Decision:
        if (bounce.delivery_id, bounce.message_id) in self._facts.deliveries:
            return Decision("bounce", record=bounce)
        self._known.add(bounce.id)
        kept = Undeliverable(
            id=bounce.id,
            sender=bounce.sender,
            recipient=bounce.recipient,
            via=bounce.via,
            raw=bounce.raw,
            reason=NOT_KNOWN + bounce.reason,
        )
        return Decision("undeliverable", record=kept)

    def _beacon(self, beacon: Beacon) -> Decision:
        if beacon.sos is not None:
            return self._alarm(beacon)
        refusal = self._policy.unheard(beacon.sender, beacon.via, self._facts)
        return _refused(refusal) if refusal else Decision("beacon", beacon=beacon)

    def _alarm(self, beacon: Beacon) -> Decision:
        """Whatever else holds for a device, its owner or a queue: an emergency is always taken."""
        self._known.add(beacon.id)
        found = alarm(beacon, self._policy, self._facts)
        if found.route.legs:
            return Decision("sos", beacon=beacon, routed=(found.message, found.route))
        log.critical(NOBODY, extra={"message_id": beacon.id})
        kept = Undeliverable(
            id=beacon.id,
            sender=beacon.sender,
            via=beacon.via,
            raw=f"{found.message.subject}\n{found.message.text}".encode(),
            reason=NOBODY,
        )
        return Decision("sos", beacon=beacon, record=kept)

    def _consent(self, consent: Consent) -> Decision:
        pair = self._policy.pair(consent)
        kept = {known for known in self._facts.opted_out if known != pair}
        opted_out = kept if consent.allowed else kept | {pair}
        self._facts = replace(self._facts, opted_out=opted_out)
        return Decision("consent", record=consent)


def _refused(refusal: Refusal) -> Decision:
    return Decision(f"rejected_{refusal.kind}", error=Rejected(refusal.reason))


def _pair(message: Message, route: Route) -> Pair | None:
    if message.sender.network is Network.SATELLITE or route.subscriber_id is None:
        return None
    return message.sender.value.lower(), route.subscriber_id
