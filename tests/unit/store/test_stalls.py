"""An account by which nothing is settled although something could go is stalled; a provider that is away is not."""

import pytest

from messaging.errors import Unavailable
from messaging.service.stalls import StallWatch
from messaging.store.console.queues import sendable
from messaging.store.models import Delivery
from tests.support.store.due_deliveries import owe
from tests.support.store.records import Gateway

ACCOUNTS = ("hive", "smtp", "twilio")
LIMIT_SECONDS = 600.0
LOOK_SECONDS = 20.0


class Watched:
    """A watch of a gateway, on the gateway's clock."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway
        self.is_away = False
        self.monotonic = 5000.0
        self.watch = StallWatch(LIMIT_SECONDS, self._find, lambda: self.monotonic)

    def _find(self) -> set[str]:
        if self.is_away:
            raise Unavailable("the store is away")
        lease = self.gateway.settings.lease_seconds
        return sendable(ACCOUNTS, lease, self.gateway.clock())

    def pass_time(self, seconds: float, step: float = LOOK_SECONDS) -> str:
        """Look again and again for so many seconds; return the problem at the end."""
        ends = self.monotonic + seconds
        while self.monotonic < ends:
            self.monotonic += step
            self.gateway.clock.turn(step)
            self.watch.look([self.gateway.ledger.status(), {"name": "hive-out/0", "lost": True}])
        return self.watch.problem


@pytest.fixture
def watched(gateway: Gateway) -> Watched:
    return Watched(gateway)


def test_nothing_that_waits_is_no_stall(watched: Watched) -> None:
    assert watched.pass_time(2 * LIMIT_SECONDS) == ""


def test_what_could_go_and_does_not_is_a_stall_after_the_limit(
    watched: Watched, caplog: pytest.LogCaptureFixture
) -> None:
    owe(watched.gateway, 3)
    assert watched.pass_time(LIMIT_SECONDS - LOOK_SECONDS) == ""
    problem = watched.pass_time(3 * LOOK_SECONDS)
    assert problem.startswith("hive: nothing was settled for 1")
    assert [record.levelname for record in caplog.records if "hive" in record.message] == ["ERROR"]


def test_an_attempt_that_never_ends_is_a_stall_too(watched: Watched) -> None:
    watched.gateway.take_one()
    # The lease ends and the next attempt begins, with nothing settled between them.
    for _ in range(6):
        watched.pass_time(130)
        watched.gateway.owed()
    assert watched.watch.problem.startswith("hive: ")


def test_a_provider_that_is_away_is_no_stall(watched: Watched) -> None:
    attempts = [watched.gateway.take_one()]
    for _ in range(12):
        for attempt in attempts:
            watched.gateway.settle(attempt, Unavailable("away"))
        assert watched.pass_time(LIMIT_SECONDS / 2) == ""
        attempts = watched.gateway.owed()
    assert Delivery.objects.get().attempts > 3


def test_what_waits_for_its_next_attempt_is_no_stall(watched: Watched) -> None:
    attempt = watched.gateway.take_one()
    watched.gateway.settle(attempt, Unavailable("away", retry_after_seconds=3000))
    assert watched.pass_time(2000) == ""


def test_a_stall_ends_with_the_first_outcome(
    watched: Watched, caplog: pytest.LogCaptureFixture
) -> None:
    attempt = watched.gateway.take_one()
    owe(watched.gateway, 3)
    assert watched.pass_time(2 * LIMIT_SECONDS)
    [attempt, *_] = watched.gateway.owed()
    watched.gateway.settle(attempt, Unavailable("away"))
    assert watched.pass_time(LOOK_SECONDS) == ""
    assert "hive goes on" in caplog.text


def test_a_store_that_is_away_and_a_machine_that_was_suspended_are_no_stall(
    watched: Watched,
) -> None:
    owe(watched.gateway, 1)
    watched.pass_time(LIMIT_SECONDS / 2)
    assert watched.pass_time(3600, step=3600) == ""
    watched.is_away = True
    assert watched.pass_time(2 * LIMIT_SECONDS) == ""
    watched.is_away = False
    assert watched.pass_time(LIMIT_SECONDS / 2) == ""
