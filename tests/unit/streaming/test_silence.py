"""An instance that is silent for too long is named; a slow start and a machine that stood still are not."""

from typing import Any

import pytest

from messaging.streaming.ops.silence import SILENT_SECONDS, START_SECONDS, SilenceJudge

NAMES = ("mail-in/0", "router/0", "due/0", "ledger/0", "hive-out/0")
ROUND_SECONDS = 7.0


class Rounds:
    """Rounds of a judge on a clock that the test moves."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.judge = SilenceJudge(clock=lambda: self.now)

    def round(
        self, *silent: str, error: str = "GetTimeoutError", seconds: float = ROUND_SECONDS
    ) -> list[str]:
        self.now += seconds
        lost = {"lost": True, "last_error": error}
        rows: list[dict[str, Any]] = [
            {"name": name, **(lost if name in silent else {})} for name in NAMES
        ]
        return self.judge.overdue(rows)

    def seconds_until_overdue(self, *silent: str, error: str = "GetTimeoutError") -> float:
        began = self.now
        while not self.round(*silent, error=error):
            assert self.now < began + 3600
        return self.now - began


@pytest.fixture
def rounds() -> Rounds:
    rounds = Rounds()
    assert rounds.round() == []
    return rounds


@pytest.mark.parametrize("name", NAMES)
def test_one_that_is_silent_is_overdue_after_so_many_seconds(rounds: Rounds, name: str) -> None:
    taken = rounds.seconds_until_overdue(name)
    assert SILENT_SECONDS < taken <= SILENT_SECONDS + 2 * ROUND_SECONDS


def test_two_of_five_are_overdue_at_the_same_time(rounds: Rounds) -> None:
    silent = NAMES[1], NAMES[4]
    found = [rounds.round(*silent) for _ in range(4)]
    assert found == [[], [], [], list(silent)]


def test_one_that_answers_now_and_then_is_never_overdue(rounds: Rounds) -> None:
    for _ in range(100):
        assert [rounds.round("due/0"), rounds.round("due/0"), rounds.round()] == [[], [], []]


def test_one_that_was_named_gets_the_patience_of_a_start(rounds: Rounds) -> None:
    rounds.seconds_until_overdue("due/0")
    assert rounds.seconds_until_overdue("due/0") > START_SECONDS


def test_one_that_ray_starts_again_gets_the_patience_of_a_start(rounds: Rounds) -> None:
    rounds.round("due/0", error="ActorUnavailableError")
    assert rounds.seconds_until_overdue("due/0") > START_SECONDS - ROUND_SECONDS


def test_most_of_them_get_the_patience_of_a_start(rounds: Rounds) -> None:
    assert rounds.seconds_until_overdue(*NAMES) > START_SECONDS
    rounds.round()
    assert rounds.seconds_until_overdue(*NAMES[:3]) > START_SECONDS


def test_time_in_which_the_judge_itself_stood_still_counts_for_little(rounds: Rounds) -> None:
    for _ in range(10):
        rounds.round("due/0")
        assert rounds.round("due/0", seconds=3600) == []  # the machine was suspended
        assert rounds.round() == []


def test_the_first_rounds_of_a_start_name_none() -> None:
    rounds = Rounds()
    found = [rounds.round(*NAMES, error="GetTimeoutError") for _ in range(17)]
    assert not any(found)
