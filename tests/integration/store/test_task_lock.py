"""One service at a time has a task: taking, keeping, following, giving up; on both stores."""

from collections.abc import Callable
from datetime import timedelta
from threading import Barrier, Thread
from typing import Any

import pytest

from messaging.config.settings import Settings
from messaging.errors import Unavailable
from messaging.store.db.connection import close_connection
from messaging.store.models import Task
from messaging.store.task_lock import TaskLease
from tests.support.store.records import Clock

TASK = "poll hive"


class Services:
    """Makes claims of several services that share a store and a clock."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._seconds = 0.0

    def claim(self, holder: str) -> TaskLease:
        clock = self._clock
        return TaskLease(self._settings, TASK, holder, lambda: clock.now, lambda: self._seconds)

    def wait(self, seconds: float) -> None:
        self._seconds += seconds
        self._clock.now += timedelta(seconds=seconds)


@pytest.fixture
def services(settings: Settings, clock: Clock) -> Services:
    return Services(settings, clock)


def number() -> int:
    return int(Task.objects.get(name=TASK).number)


def test_the_first_has_it_and_keeps_it(services: Services) -> None:
    old, new = services.claim("old"), services.claim("new")
    for _ in range(5):
        assert old.acquire()
        assert old.is_valid
        assert not new.acquire()
        services.wait(20)
    assert number() == 1


def test_one_that_died_is_followed_when_its_lease_ends(services: Services) -> None:
    old, new = services.claim("old"), services.claim("new")
    assert old.acquire()
    services.wait(29)
    assert not new.acquire()
    services.wait(2)
    assert not old.is_valid
    assert new.acquire()
    assert not old.acquire()
    assert number() == 2


def test_one_that_leaves_is_followed_at_once(services: Services) -> None:
    old, new = services.claim("old"), services.claim("new")
    assert old.acquire()
    old.release()
    assert not old.is_valid
    assert new.acquire()


def test_a_holder_gives_up_no_lease_of_another(services: Services) -> None:
    old, new = services.claim("old"), services.claim("new")
    assert old.acquire()
    services.wait(31)
    assert new.acquire()
    old.release()
    services.wait(11)
    assert new.acquire()
    assert number() == 2


def test_a_holder_that_was_restarted_goes_on(services: Services) -> None:
    assert services.claim("old").acquire()
    assert services.claim("old").acquire()
    assert number() == 1


def test_a_lease_from_a_clock_that_was_set_back_does_not_last_for_ever(
    services: Services, clock: Clock
) -> None:
    clock.now += timedelta(hours=1)
    assert services.claim("old").acquire()
    clock.now -= timedelta(hours=1)
    assert services.claim("new").acquire()


def test_the_store_is_asked_only_now_and_then(services: Services, settings: Settings) -> None:
    old = services.claim("old")
    assert old.acquire()
    Task.objects.all().delete()
    services.wait(9)
    assert old.acquire()
    assert not Task.objects.exists()
    services.wait(2)
    assert old.acquire()
    assert Task.objects.exists()


@pytest.mark.postgres
def test_of_many_that_ask_at_once_one_has_it(postgres_settings: Settings) -> None:
    barrier, answers = Barrier(8), list[object]()

    def ask(holder: str) -> None:
        claim = TaskLease(postgres_settings, TASK, holder)
        barrier.wait()
        answers.append(_answer(claim.acquire))
        close_connection()

    threads = [Thread(target=ask, args=(f"service {n}",)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(map(str, answers)) == ["False"] * 7 + ["True"]


def _answer(mine: Callable[[], bool]) -> object:
    try:
        return mine()
    except Unavailable as error:
        return error


@pytest.mark.postgres
def test_while_the_store_is_away_the_holder_is_unknown(
    postgres_settings: Settings, postgres_server: Any
) -> None:
    claim = TaskLease(postgres_settings, TASK, "old")
    postgres_server.stop()
    try:
        with pytest.raises(Unavailable):
            claim.acquire()
    finally:
        postgres_server.start()
    assert claim.acquire()
