"""The next attempt is due within the lifetime of the delivery, and not before the network's Retry-After."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from messaging.config.settings import RetryPolicy
from messaging.store.queue.next_attempt import next_attempt_at

POLICY = RetryPolicy(
    first_wait_seconds=60,
    longest_wait_seconds=3600,
    max_attempts=40,
    lifetime_seconds=86400,
    max_losses=50,
)
NOW = datetime(2026, 1, 1, tzinfo=UTC)
LATE = NOW + timedelta(days=9)


@given(
    attempts=st.integers(min_value=0, max_value=10_000),
    retry_after=st.none() | st.floats(),
    left=st.integers(min_value=-1000, max_value=10**6),
    is_urgent=st.booleans(),
)
def test_the_next_attempt_lies_between_now_and_the_end_of_the_lifetime(
    attempts: int, retry_after: float | None, left: int, is_urgent: bool
) -> None:
    expires_at = NOW + timedelta(seconds=left)
    due_at = next_attempt_at(NOW, POLICY, attempts, retry_after, expires_at, is_urgent=is_urgent)
    assert NOW <= due_at <= max(expires_at, NOW)


def test_the_retry_after_of_the_network_is_respected() -> None:
    due_at = next_attempt_at(NOW, POLICY, 1, 600, LATE, is_urgent=False)
    assert due_at == NOW + timedelta(seconds=600)
    assert next_attempt_at(NOW, POLICY, 1, 6, LATE, is_urgent=False) >= NOW + timedelta(seconds=60)


def test_what_is_urgent_waits_no_longer_than_the_longest_wait() -> None:
    due_at = next_attempt_at(NOW, POLICY, 1, 36_000, LATE, is_urgent=True)
    assert due_at == NOW + timedelta(seconds=3600)
