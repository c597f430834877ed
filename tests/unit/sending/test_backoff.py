"""Waits double up to the longest, are never all the same, and respect the peer's Retry-After."""

import math

from hypothesis import given
from hypothesis import strategies as st

from messaging.sending.backoff import doubled, wait_seconds


@given(tries=st.integers(min_value=0, max_value=10_000))
def test_a_wait_lies_between_the_doubled_first_one_and_one_first_wait_more(tries: int) -> None:
    shortest = min(60 * 2.0 ** min(max(tries, 1) - 1, 60), 3600)
    assert shortest <= wait_seconds(tries, 60, 3600) <= shortest + 60


def test_waits_are_spread() -> None:
    assert len({wait_seconds(20, 60, 3600) for _ in range(20)}) > 10


def test_retry_after_is_a_lower_bound() -> None:
    assert wait_seconds(1, 60, 3600, 7200) == 7200
    assert 60 <= wait_seconds(1, 60, 3600, 6) <= 120


@given(retry_after=st.floats() | st.none())
def test_a_wait_is_finite_whatever_the_peer_says(retry_after: float | None) -> None:
    wait = wait_seconds(3, 60, 3600, retry_after)
    assert math.isfinite(wait)
    assert wait >= 240


def test_doubling_has_no_bound_of_its_own() -> None:
    assert [doubled(10, tries) for tries in (0, 1, 2, 5)] == [10, 10, 20, 160]
    assert math.isfinite(doubled(10, 10_000))
