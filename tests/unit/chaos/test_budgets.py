"""The judge of budgets in the fault harness: figures, bookings and deliveries that disagree must not pass."""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial

import pytest
from django.db.models import F

from chaos.budgets import BudgetSample, find_booking_problems, read_samples
from messaging.store.models import BudgetBooking, BudgetPeriod, Delivery
from tests.support.store import records as g
from tests.support.store.budgets import add_budget, report_sent
from tests.support.store.records import Gateway

LONG_AGO, NOW = datetime(2000, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC)


def test_sums_that_agree_below_the_limit_are_no_problem() -> None:
    sample = BudgetSample(
        scope="account", limit=10, reserved=4, spent=6, booked_reserved=4, booked_spent=6
    )
    assert sample.problem == ""


@pytest.mark.parametrize(
    ("limit", "booked_spent", "corrections", "problem"),
    [
        (10, 5, 0, "account: reserved and spent (4, 6), but the bookings have (4, 5)"),
        (9, 6, 0, "account: 10 of 9 are used"),
        (9, 6, 1, ""),
    ],
)
def test_a_sample_shows_sums_that_differ_and_more_than_the_limit(
    limit: int, booked_spent: int, corrections: int, problem: str
) -> None:
    sample = BudgetSample(
        scope="account",
        limit=limit,
        reserved=4,
        spent=6,
        booked_reserved=4,
        booked_spent=booked_spent,
        corrections=corrections,
    )
    assert sample.problem == problem


@pytest.fixture
def used(sqlite_gateway: Gateway) -> Gateway:
    """A gateway with two budgets of two units: one is spent, one is reserved, and a third message is held."""
    add_budget(2, scope="account", account="hive")
    add_budget(2, scope="gateway")
    first, *_ = (sqlite_gateway.accept(g.mail(str(number))) for number in range(3))
    report_sent(sqlite_gateway, first[0])
    return sqlite_gateway


def problems() -> list[str]:
    found = [sample.problem for sample in read_samples()] + find_booking_problems(LONG_AGO)
    return [problem for problem in found if problem]


def test_a_gateway_that_counts_right_passes(used: Gateway) -> None:
    assert sorted(Delivery.objects.values_list("state", flat=True)) == ["held", "sent", "waiting"]
    assert [(one.reserved, one.spent) for one in read_samples()] == [(1_000_000, 1_000_000)] * 2
    assert problems() == []


def move(before: str, after: str) -> None:
    """Change the state of deliveries as a faulty gateway could, past its own code."""
    Delivery.objects.filter(state=before).update(
        state=after,
        due_at=NOW if after == "waiting" else None,
        held_until=NOW if after == "held" else None,
    )


def double_everything() -> None:
    BudgetBooking.objects.update(amount=F("amount") * 2, price=F("price") * 2)
    BudgetPeriod.objects.update(reserved=F("reserved") * 2, spent=F("spent") * 2)


def forget_reservations() -> None:
    BudgetPeriod.objects.update(reserved=0)


def remove_bookings() -> None:
    BudgetBooking.objects.filter(is_spent=True).delete()


@pytest.mark.parametrize(
    ("break_it", "problem"),
    [
        (forget_reservations, "account: reserved and spent (0, 1000000), but the bookings have"),
        (remove_bookings, "1 not booked on the budget of the account"),
        (partial(move, "held", "sent"), "1 not booked on the budget of the gateway"),
        (partial(move, "waiting", "failed"), "2 reserved for one that does not wait"),
        (partial(move, "sent", "waiting"), "2 spent for one that waits"),
        (partial(move, "waiting", "held"), "2 booked for one that is held"),
        (double_everything, "gateway: 4000000 of 2000000 are used"),
    ],
)
def test_a_gateway_that_counts_wrong_does_not_pass(
    used: Gateway, break_it: Callable[[], None], problem: str
) -> None:
    break_it()
    assert any(one.startswith(problem) for one in problems())
