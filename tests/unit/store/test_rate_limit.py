"""One author cannot flood one subscriber, however their mail comes round; no other author is slowed down."""

import pytest
from hypothesis import given as drawn
from hypothesis import strategies as st

from messaging.config.settings import Settings
from messaging.errors import Busy
from messaging.store.accept.router import Router
from messaging.store.console import directory
from messaging.store.rate_limit import RateLimiter
from tests.support.store import records as g
from tests.support.store.records import VIAS, Gateway

PAIR = ("ann@x.example", 1)


class Seconds:
    """A clock that stands still until it is turned."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_so_many_go_through_at_once_and_then_one_for_each_share_of_an_hour() -> None:
    seconds = Seconds()
    pace = RateLimiter(60, seconds)
    assert pace.room(PAIR) == 60
    pace.note([PAIR] * 60)
    assert pace.room(PAIR) == 0
    assert pace.room(("bob@x.example", 1)) == 60
    seconds.now += 59
    assert pace.room(PAIR) == 0
    seconds.now += 1
    assert pace.room(PAIR) == 1
    seconds.now += 3600
    assert pace.room(PAIR) == 60


def test_nothing_is_counted_when_it_is_switched_off() -> None:
    pace = RateLimiter(0)
    pace.note([PAIR] * 1000)
    assert pace.room(PAIR) > 1000


@drawn(st.integers(1, 500), st.lists(st.tuples(st.floats(0, 4000), st.integers(0, 50))))
def test_within_an_hour_never_more_than_twice_as_many(
    hourly: int, story: list[tuple[float, int]]
) -> None:
    seconds = Seconds()
    pace = RateLimiter(hourly, seconds)
    taken: list[tuple[float, int]] = []
    for wait, wanted in story:
        seconds.now += wait
        number = min(wanted, pace.room(PAIR))
        pace.note([PAIR] * number)
        taken.append((seconds.now, number))
        last_hour = sum(count for at, count in taken if at > seconds.now - 3600)
        assert last_hour <= 2 * hourly
        assert 0 <= pace.room(PAIR) <= hourly


@pytest.fixture
def slow(gateway: Gateway) -> Router:
    """A router that takes three messages an hour of a pair."""
    given: Settings = gateway.settings.model_copy(
        update={"max_hourly_per_pair": 3, "max_waiting_per_subscriber": 100}
    )
    return Router(given, VIAS, now=gateway.clock)


def test_too_many_from_one_author_to_one_subscriber_are_busy(slow: Router) -> None:
    directory.add_subscriber("ann")
    directory.add_device("2001", owner="ann", network="hive", networks=["hive"])
    slow.process([g.mail("0")])
    results = slow.process([g.mail(str(n)) for n in range(5)])
    assert [isinstance(result, Busy) for result in results] == [False, False, False, True, True]
    assert slow.status()["too_fast"] == 2
    assert isinstance(slow.process([g.mail("ann", to="ann@example.org")])[0], list)
    assert isinstance(slow.process([g.sms()])[0], list)


def test_a_repeat_is_not_counted(slow: Router) -> None:
    for _ in range(10):
        assert isinstance(slow.process([g.mail("same")])[0], list)
    assert isinstance(slow.process([g.mail("other")])[0], list)


def test_a_device_writes_as_much_as_its_owner_likes(slow: Router) -> None:
    ups = [g.uplink(g.email("mum@example.com"), str(n)) for n in range(10)]
    assert all(isinstance(result, list) for result in slow.process(ups))
