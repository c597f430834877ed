"""Computes the next state of a delivery from an outcome, a receipt or a bounce. Pure."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from messaging.config.settings import RetryPolicy, Settings
from messaging.model.message import Bounce, Network, Outcome, Receipt, ReceiptState, Result
from messaging.sending.backoff import doubled
from messaging.store.accept.validate import short_reason, storable
from messaging.store.admission.terms import Hold
from messaging.store.queue.delivery_state import NO_REASON, DeliveryState
from messaging.store.queue.next_attempt import next_attempt_at
from messaging.store.states import State

MAX_NETWORK_ID_CHARACTERS = 2000
SLOW_AFTER: Final = timedelta(hours=1)
"""After this time an urgent delivery that its network loses again and again is sent slower and slower.

The other recipients of the emergency are told then.
"""
NO_DECISION = "it was held, and no decision came in time"
NO_BUDGET = "it was held, and its budget had no room in time"
NO_REASON_FOR_LOSS = "the network could not deliver it and gave no reason"


def after_outcome(
    row: DeliveryState, outcome: Outcome, policy: RetryPolicy, now: datetime
) -> DeliveryState:
    """Return the next state of a waiting delivery after this outcome of its current attempt.

    Sent and rejected are final. What was not begun is due at once. After any other outcome the delivery waits for the
    next attempt, unless its attempts are used up or its lifetime is over; the reason then quotes the last attempt. An
    urgent delivery has no limit of attempts but of losses, and an attempt by a blocked account, or without time, does
    not count.
    """
    # The outcome of an attempt that never began says nothing of the one before.
    is_in_doubt = row.leased and outcome.attempt > row.attempts
    is_lost = _is_charged(row) and outcome.result is Result.UNCERTAIN
    losses = row.losses + is_lost + (_is_charged(row) and is_in_doubt)
    row = replace(row, losses=losses, leased=False)
    if outcome.action or outcome.result is Result.NOT_BEGUN:
        row = replace(row, attempts_forgiven=min(row.attempts_forgiven + 1, row.attempts))
    state, reason, due_at = _judge_outcome(row, outcome, policy, now)
    units = outcome.billed_units
    return replace(
        row,
        state=state,
        due_at=due_at,
        reason=short_reason(reason),
        network_id=_merge_ids(row.network_id, outcome.network_id),
        parts_sent=max(row.parts_sent, outcome.parts_sent),
        uncertain=row.uncertain + (outcome.result is Result.UNCERTAIN) + is_in_doubt,
        units=row.units if units is None else (row.units or 0) + units,
        updated_at=now,
        settled_at=None if state is State.WAITING else now,
    )


def _judge_outcome(
    row: DeliveryState, outcome: Outcome, policy: RetryPolicy, now: datetime
) -> tuple[State, str, datetime | None]:
    """Return the next state, its reason, and the time of the next attempt, None if there is none."""
    reason = short_reason(outcome.reason) or NO_REASON
    match outcome.result:
        case Result.SENT:
            return State.SENT, "", None
        case Result.REJECTED:
            return State.FAILED, reason, None
        case Result.NOT_BEGUN:
            return State.WAITING, reason, now
        case _ if is_spent(row, policy):
            return State.FAILED, _spent_reason(row, reason), None
        case _ if now >= row.expires_at:
            return State.EXPIRED, _late_reason(row, reason), None
        case _:
            due_at = _next_attempt_at(row, policy, outcome.retry_after_seconds, now)
            if _is_charged(row) and outcome.result is Result.UNCERTAIN:
                due_at = _slow_down(row, due_at, now)
            return State.WAITING, reason, due_at


def is_spent(row: DeliveryState, policy: RetryPolicy) -> bool:
    """Return whether its attempts are used up; of an urgent delivery, whether it was lost too often.

    Each loss may be charged, so a person decides whether it goes on. An attempt that never reported counts as lost.
    """
    if row.is_urgent:
        return row.losses + (_is_charged(row) and row.leased) >= policy.max_losses
    return row.attempts_of_round >= policy.max_attempts


def is_late(row: DeliveryState, now: datetime) -> bool:
    """Return whether an urgent delivery still waits after an hour."""
    return row.is_urgent and row.state is State.WAITING and now - row.created_at >= SLOW_AFTER


def give_up(row: DeliveryState, now: datetime) -> DeliveryState:
    """Return the state of a delivery whose attempts are used up, with an attempt that never reported counted."""
    return _end_without_attempt(row, State.FAILED, _spent_reason(row, row.last_reason), now)


def expire(row: DeliveryState, now: datetime) -> DeliveryState:
    """Return the state of a delivery whose lifetime is over, with an attempt that never reported counted."""
    return _end_without_attempt(row, State.EXPIRED, _late_reason(row, row.last_reason), now)


def expire_held(row: DeliveryState, now: datetime) -> DeliveryState:
    """Return the state of a held delivery without a decision in time. It keeps its `hold`: no retry sends it."""
    return replace(
        row,
        state=State.EXPIRED,
        held_until=None,
        reason=NO_BUDGET if row.hold == Hold.BUDGET else NO_DECISION,
        updated_at=now,
        settled_at=now,
    )


def after_bounce(row: DeliveryState, bounce: Bounce, now: datetime) -> DeliveryState:
    """Return the state after a bounce: a sent or waiting delivery fails, a report of a delay only leaves its reason.

    Any other bounce changes nothing: only a mail that was sent, or may have been, can come back.
    """
    reason = short_reason(bounce.reason)
    if bounce.is_final and row.state in (State.SENT, State.WAITING):
        # `leased` stays: an attempt that is under way may still report, and a retry has to know.
        return replace(
            row, state=State.FAILED, due_at=None, reason=reason, updated_at=now, settled_at=now
        )
    return replace(row, reason=reason, updated_at=now) if row.state is State.SENT else row


def after_loss(
    row: DeliveryState, lost: Receipt, settings: Settings, now: datetime
) -> DeliveryState | None:
    """Return the state of a sent delivery that its network lost for now: it waits again, as a whole.

    The wait that the network asks for doubles with each attempt. None if it was tried `late_attempts` times, or if
    its lifetime is over. An urgent delivery has no such limits, but becomes slower after an hour, and fails when it was
    lost too often.
    """
    network = row.recipient_network
    policy = settings.retry_policy(network, is_urgent=row.is_urgent)
    limit = min(settings.late_attempts, settings.retry_policy(network).max_attempts)
    has_attempt_left = row.attempts_of_round < limit and now < row.expires_at
    if row.state is not State.SENT or not (row.is_urgent or has_attempt_left):
        return None
    row = replace(row, losses=row.losses + _is_charged(row))
    if is_spent(row, policy):
        reason = short_reason(_spent_reason(row, short_reason(lost.reason) or NO_REASON_FOR_LOSS))
        return replace(row, state=State.FAILED, reason=reason, updated_at=now, settled_at=now)
    wish = doubled(lost.retry_after_seconds or 0, row.attempts_of_round)
    due_at = _next_attempt_at(row, policy, wish, now)
    if row.is_urgent:
        due_at = _slow_down(row, due_at, now)
    return replace(
        row,
        state=State.WAITING,
        reason=short_reason(lost.reason),
        due_at=due_at,
        parts_sent=0,
        updated_at=now,
        settled_at=None,
    )


def after_receipts(
    row: DeliveryState, parts: Sequence[tuple[ReceiptState, str]], now: datetime
) -> DeliveryState | None:
    """Return the state of a sent delivery by the state and reason of each of its parts.

    It fails with the first part that was lost, and is delivered when all parts arrived. None while parts are missing.
    """
    if row.state is not State.SENT:
        return None
    lost = next((reason for state, reason in parts if state is ReceiptState.FAILED), None)
    if lost is not None:
        reason = lost or NO_REASON_FOR_LOSS
        return replace(row, state=State.FAILED, reason=reason, updated_at=now, settled_at=now)
    arrived = sum(state is ReceiptState.DELIVERED for state, _ in parts)
    if arrived == len(parts) >= max(row.parts_sent, 1):
        return replace(row, state=State.DELIVERED, updated_at=now, settled_at=now)
    return None


def _end_without_attempt(
    row: DeliveryState, state: State, reason: str, now: datetime
) -> DeliveryState:
    return replace(
        row,
        state=state,
        leased=False,
        due_at=None,
        reason=short_reason(reason),
        uncertain=row.uncertain + row.leased,
        losses=row.losses + (_is_charged(row) and row.leased),
        updated_at=now,
        settled_at=now,
    )


def _next_attempt_at(
    row: DeliveryState, policy: RetryPolicy, wish_seconds: float | None, now: datetime
) -> datetime:
    return next_attempt_at(
        now,
        policy,
        row.attempts_of_round,
        wish_seconds,
        row.expires_at,
        is_urgent=row.is_urgent,
    )


def _slow_down(row: DeliveryState, due_at: datetime, now: datetime) -> datetime:
    # Each of these attempts may be charged: slower and slower, by a quarter of the time since the first hour.
    return max(due_at, now + (now - row.created_at - SLOW_AFTER) / 4)


def _is_charged(row: DeliveryState) -> bool:
    # A mail costs nothing, so no number of mails needs a person.
    return row.is_urgent and row.recipient_network is not Network.EMAIL


def _spent_reason(row: DeliveryState, last: str) -> str:
    if row.is_urgent:
        times = _count(row.losses + row.leased, "time")
        return f"lost {times}, a person is needed; last: {last}"
    return f"gave up after {_count(row.attempts_of_round, 'attempt')}; the last one said: {last}"


def _late_reason(row: DeliveryState, last: str) -> str:
    hours = max(round((row.expires_at - row.created_at).total_seconds() / 3600), 1)
    tries = _count(row.attempts_of_round, "attempt")
    return f"not delivered within {_count(hours, 'hour')} ({tries}); last: {last}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _merge_ids(before: str, now: str) -> str:
    """Return the ids that the network gave to all parts, each once, in order, as many as fit."""
    ids = dict.fromkeys(one for text in (before, now) for one in storable(text).split(",") if one)
    while len(merged := ",".join(ids)) > MAX_NETWORK_ID_CHARACTERS:
        ids.popitem()
    return merged
