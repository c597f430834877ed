"""Turns the outcome of an attempt into the next state of its delivery: pure."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from messaging.config.settings import RetryPolicy
from messaging.model.message import Outcome, Result
from messaging.store.accept.validate import short_reason, storable
from messaging.store.queue.backoff import next_attempt_at

MAX_NETWORK_ID_CHARACTERS = 2000
NO_REASON = "the network gave no reason"
NO_ANSWER = "the attempt ended without an answer"
NO_ATTEMPT = "no attempt was made"


class Ending(StrEnum):
    """Where a delivery stands after an attempt; the names are those of the states in the store."""

    WAITING = "waiting"
    SENT = "sent"
    FAILED = "failed"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Standing:
    """A waiting delivery as it stands in the store; the fields are named as there."""

    id: int
    via: str
    attempts: int
    attempts_forgiven: int
    leased: bool
    is_urgent: bool
    recipient_network: str
    created_at: datetime
    expires_at: datetime
    parts_sent: int
    uncertain: int
    reason: str
    network_id: str
    units: int | None

    @property
    def counted_attempts(self) -> int:
        """The attempts of this round."""
        return self.attempts - self.attempts_forgiven

    @property
    def last_said(self) -> str:
        """What is known of the last attempt, in words."""
        if self.leased:
            return NO_ANSWER
        return self.reason or (NO_REASON if self.counted_attempts else NO_ATTEMPT)


@dataclass(frozen=True, slots=True)
class Settled:
    """What to write: valid for the attempt that it names only. `due_at` is set while it waits."""

    id: int
    attempt: int
    ending: Ending
    due_at: datetime | None
    reason: str
    network_id: str
    parts_sent: int
    uncertain: int
    units: int | None


def settle(row: Standing, outcome: Outcome, policy: RetryPolicy, now: datetime) -> Settled:
    """Return the next state of a delivery after this outcome of its current attempt.

    Sent and rejected are final. Everything else waits for the next attempt, unless the attempts are used up or the
    delivery's life has ended; the reason then quotes what the last attempt said. What is urgent is never given up, and
    waits no longer than the policy's longest wait, whatever the network wishes.
    """
    said = short_reason(outcome.reason) or NO_REASON
    match outcome.result:
        case Result.SENT:
            return _settled(row, outcome, Ending.SENT, None, "")
        case Result.REJECTED:
            return _settled(row, outcome, Ending.FAILED, None, said)
    if is_spent(row, policy):
        return _settled(row, outcome, Ending.FAILED, None, gave_up(row, said))
    if now >= row.expires_at:
        return _settled(row, outcome, Ending.EXPIRED, None, too_late(row, said))
    due_at = next_attempt_at(
        now,
        policy,
        row.counted_attempts,
        outcome.retry_after_seconds,
        row.expires_at,
        is_urgent=row.is_urgent,
    )
    return _settled(row, outcome, Ending.WAITING, due_at, said)


def _settled(
    row: Standing, outcome: Outcome, ending: Ending, due_at: datetime | None, reason: str
) -> Settled:
    return Settled(
        id=row.id,
        attempt=row.attempts,
        ending=ending,
        due_at=due_at,
        reason=short_reason(reason),
        network_id=_joined(row.network_id, outcome.network_id),
        parts_sent=max(row.parts_sent, outcome.parts_sent),
        uncertain=row.uncertain + (outcome.result is Result.UNCERTAIN),
        units=_sum(row.units, outcome.billed_units),
    )


def is_spent(row: Standing, policy: RetryPolicy) -> bool:
    """Whether its attempts are used up."""
    return row.counted_attempts >= policy.max_attempts and not row.is_urgent


def undelivered(settled: Iterable[Settled]) -> list[int]:
    """Return which of these have ended without reaching anybody."""
    return [one.id for one in settled if one.ending in (Ending.FAILED, Ending.EXPIRED)]


def without_attempt(row: Standing, ending: Ending, reason: str) -> Settled:
    """Return the state of a delivery that ends between attempts; a lost outcome of the last one is counted."""
    return Settled(
        id=row.id,
        attempt=row.attempts,
        ending=ending,
        due_at=None,
        reason=short_reason(reason),
        network_id=row.network_id,
        parts_sent=row.parts_sent,
        uncertain=row.uncertain + row.leased,
        units=row.units,
    )


def gave_up(row: Standing, said: str) -> str:
    """The reason of a delivery whose attempts are used up."""
    return f"gave up after {_counted(row.counted_attempts, 'attempt')}; the last one said: {said}"


def too_late(row: Standing, said: str) -> str:
    """The reason of a delivery whose life has ended."""
    hours = max(round((row.expires_at - row.created_at).total_seconds() / 3600), 1)
    tries = _counted(row.counted_attempts, "attempt")
    return f"not delivered within {_counted(hours, 'hour')} ({tries}); last: {said}"


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _sum(before: int | None, now: int | None) -> int | None:
    return before if now is None else (before or 0) + now


def _joined(before: str, now: str) -> str:
    """The ids that the network gave to all parts, each once, in order, as many as fit."""
    ids = dict.fromkeys(_ids(before, now))
    while len(joined := ",".join(ids)) > MAX_NETWORK_ID_CHARACTERS:
        ids.popitem()
    return joined


def _ids(*lists: str) -> Iterator[str]:
    return (one for text in lists for one in storable(text).split(",") if one)
