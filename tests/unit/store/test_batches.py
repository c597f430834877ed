"""One poisoned record is refused alone, and a store that is away is not asked again and again."""

from collections.abc import Sequence

import pytest
from django.db import DataError, IntegrityError, OperationalError

from messaging.config.settings import Settings
from messaging.errors import Rejected, Unavailable
from messaging.store.db.connection import CONFLICT_TRIES, BatchRunner

SECRET = "the body of a message"


class Work:
    """Doubles numbers, and fails as told when a number is in its batch; counts its calls."""

    def __init__(self, failures: dict[int, Exception]) -> None:
        self.failures = failures
        self.calls = 0

    def __call__(self, numbers: Sequence[int]) -> list[int]:
        self.calls += 1
        for number in numbers:
            if number in self.failures:
                raise self.failures[number]
        return [2 * number for number in numbers]


def test_a_batch_without_trouble_is_one_call(sqlite_settings: Settings) -> None:
    work = Work({})
    assert BatchRunner("test").run(work, [1, 2, 3]) == [2, 4, 6]
    assert work.calls == 1


@pytest.mark.parametrize(
    ("failure", "kind"),
    [
        (DataError(SECRET), Rejected),
        (UnicodeEncodeError("utf-8", SECRET, 0, 1, SECRET), Rejected),
        (IntegrityError(SECRET), Unavailable),
        (RuntimeError(SECRET), Unavailable),
        (Rejected("no"), Rejected),
    ],
)
def test_a_poisoned_record_is_refused_alone_and_silently(
    sqlite_settings: Settings,
    caplog: pytest.LogCaptureFixture,
    failure: Exception,
    kind: type[Exception],
) -> None:
    first, second, third = BatchRunner("test").run(Work({2: failure}), [1, 2, 3])
    assert (first, third) == (2, 6)
    assert isinstance(second, kind)
    assert SECRET not in str(second)
    assert SECRET not in caplog.text
    assert "one record failed with" in caplog.text


def test_a_store_that_is_away_refuses_the_batch_at_once(sqlite_settings: Settings) -> None:
    work = Work({2: OperationalError("gone")})
    results = BatchRunner("test").run(work, [1, 2, 3])
    assert [str(result) for result in results] == ["the store is away"] * 3
    assert work.calls == 1


def test_a_store_that_goes_away_between_single_records_is_not_asked_for_the_rest(
    sqlite_settings: Settings,
) -> None:
    work = Work({1: DataError(), 2: OperationalError("gone")})
    results = BatchRunner("test").run(work, list(range(1, 50)))
    assert isinstance(results[0], Rejected)
    assert all(isinstance(result, Unavailable) for result in results[1:])
    assert work.calls == 3


def test_a_lost_race_is_run_again(sqlite_settings: Settings) -> None:
    work = Work({2: IntegrityError()})

    def once_lost(numbers: Sequence[int]) -> list[int]:
        if work.calls == CONFLICT_TRIES - 1:
            work.failures.clear()
        return work(numbers)

    assert BatchRunner("test").run(once_lost, [1, 2]) == [2, 4]
