"""Says when to try again: pure."""

import math
from datetime import datetime, timedelta
from typing import Any

from tenacity import RetryCallState, wait_exponential, wait_random

from messaging.config.settings import RetryPolicy


def wait_seconds(policy: RetryPolicy, attempts: int) -> float:
    """Return how long to wait after this many attempts: doubling up to the longest, plus up to one first wait."""
    strategy = wait_exponential(
        multiplier=policy.first_wait_seconds, max=policy.longest_wait_seconds
    ) + wait_random(0, policy.first_wait_seconds)
    # The strategies are made for tenacity's own loop; ours runs through the store, so it tells them the count.
    nothing: Any = None
    call = RetryCallState(nothing, None, (), {})
    call.attempt_number = max(attempts, 1)
    return strategy(call)


def next_attempt_at(
    now: datetime, wait: float, wish_seconds: float | None, expires_at: datetime
) -> datetime:
    """Return when the next attempt is due: not before the network's own wish, not after the end of its life."""
    seconds = wait
    if wish_seconds is not None and math.isfinite(wish_seconds):
        seconds = max(seconds, wish_seconds)
    left = (expires_at - now).total_seconds()
    return now + timedelta(seconds=max(min(seconds, left), 0))


def cap_retry_after(
    wish_seconds: float | None, policy: RetryPolicy, *, is_urgent: bool
) -> float | None:
    """Return how long a network's wish may keep an attempt waiting: what is urgent, no longer than the policy."""
    if wish_seconds is None or not is_urgent:
        return wish_seconds
    return min(wish_seconds, policy.longest_wait_seconds)
