"""Computes when the next attempt at a delivery is due. Pure."""

from datetime import datetime, timedelta

from messaging.config.settings import RetryPolicy
from messaging.sending.backoff import wait_seconds


def next_attempt_at(
    now: datetime,
    policy: RetryPolicy,
    attempts: int,
    retry_after_seconds: float | None,
    expires_at: datetime,
    *,
    is_urgent: bool,
) -> datetime:
    """Return when the attempt after these `attempts` is due: never after `expires_at`, never before `now`.

    The network's Retry-After delays it, but what is urgent by no more than the policy's longest wait.
    """
    if retry_after_seconds is not None and is_urgent:
        retry_after_seconds = min(retry_after_seconds, policy.longest_wait_seconds)
    seconds = wait_seconds(
        attempts, policy.first_wait_seconds, policy.longest_wait_seconds, retry_after_seconds
    )
    left = (expires_at - now).total_seconds()
    return now + timedelta(seconds=max(min(seconds, left), 0))
