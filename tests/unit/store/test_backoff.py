"""Waits double up to the longest, never all at the same moment, and never past the end of a life."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from messaging.config.settings import RetryPolicy
from messaging.store.queue.backoff import next_attempt_at, wait_seconds

POLICY = RetryPolicy(
    first_wait_seconds=60, longest_wait_seconds=3600, max_attempts=40, lifetime_seconds=86400
)
NOW = datetime(2026, 1, 1, tzinfo=UTC)


@given(attempts=st.integers(min_value=0, max_value=10_000))
def test_a_wait_lies_between_the_doubled_first_one_and_one_first_wait_more(attempts: int) -> None:
    shortest = min(60 * 2.0 ** min(max(attempts, 1) - 1, 60), 3600)
    assert shortest <= wait_seconds(POLICY, attempts) <= shortest + 60


def test_waits_are_spread() -> None:
    assert len({wait_seconds(POLICY, 20) for _ in range(20)}) > 10


@given(
    wait=st.floats(min_value=0, max_value=1e6),
    wish=st.none() | st.floats(),
    left=st.integers(min_value=-1000, max_value=10**6),
)
def test_the_next_attempt_lies_between_now_and_the_end_of_the_life(
    wait: float, wish: float | None, left: int
) -> None:
    expires_at = NOW + timedelta(seconds=left)
    due_at = next_attempt_at(NOW, wait, wish, expires_at)
    assert NOW <= due_at <= max(expires_at, NOW)


def test_the_wish_of_the_network_is_respected() -> None:
    late = NOW + timedelta(days=9)
    assert next_attempt_at(NOW, 60, 600, late) == NOW + timedelta(seconds=600)
    assert next_attempt_at(NOW, 60, 6, late) == NOW + timedelta(seconds=60)
