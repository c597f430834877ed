"""Decides the records of one batch one after another, each knowing what the earlier ones did: pure."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace

from messaging.errors import Busy, GatewayError, Rejected
from messaging.message import Consent, Inbound, Inquiry, Message, Undeliverable
from messaging.users.policy import Facts, Policy, Refusal, Route

BUSY = "too many messages wait for this subscriber; try again later"


@dataclass(frozen=True, slots=True)
class Decision:
    """What is to become of one record: `kind` to count it by; `record` or `routed` is what to write."""

    kind: str
    error: GatewayError | None = None
    record: Undeliverable | Consent | None = None
    routed: tuple[Message, Route] | None = None


@dataclass(frozen=True, slots=True)
class Backlog:
    """How many deliveries wait for each subscriber on each provider, and how many may."""

    waiting: Mapping[tuple[int, str], int]
    max_waiting: int


class Plan:
    """The decisions of one batch. Repeats are accepted and write nothing; refusals are each record's own."""

    def __init__(self, policy: Policy, facts: Facts, known_ids: set[str], backlog: Backlog) -> None:
        self._policy = policy
        self._facts = facts
        self._known = set(known_ids)
        self._waiting = Counter(backlog.waiting)
        self._max_waiting = backlog.max_waiting

    def decide(self, record: Inbound | Refusal) -> Decision:
        """Decide about the next record."""
        match record:
            case Refusal():
                return _refused(record)
            case Inquiry():
                return self._answer(record)
            case Consent():
                return self._consent(record)
            case Message() | Undeliverable() if record.id in self._known:
                return Decision("repeated")
            case Undeliverable():
                self._known.add(record.id)
                return Decision("undeliverable", record=record)
            case Message():
                return self._take(record)

    def _answer(self, inquiry: Inquiry) -> Decision:
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
        self._known.add(message.id)
        self._waiting.update((route.subscriber_id, leg.via) for leg in route.legs)
        return Decision("accepted", routed=(message, route))

    def _is_too_much(self, route: Route) -> bool:
        wanted = Counter((route.subscriber_id, leg.via) for leg in route.legs)
        return any(self._waiting[key] + more > self._max_waiting for key, more in wanted.items())

    def _consent(self, consent: Consent) -> Decision:
        pair = self._policy.pair(consent)
        kept = {known for known in self._facts.opted_out if known != pair}
        opted_out = kept if consent.allowed else kept | {pair}
        self._facts = replace(self._facts, opted_out=opted_out)
        return Decision("consent", record=consent)


def _refused(refusal: Refusal) -> Decision:
    return Decision(f"rejected_{refusal.kind}", error=Rejected(refusal.reason))
