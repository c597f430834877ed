"""Budgets change while messages are held: top-ups, other limits, trips, and warnings."""

from datetime import UTC, datetime

import pytest

from messaging.store.budgets.edits import (
    add_budget,
    change_budget,
    list_budgets,
    remove_budget,
    reset_trip,
    set_tariff,
    top_up,
)
from messaging.store.budgets.warnings import budget_warnings, count_reached
from messaging.store.console.save import InvalidInput
from messaging.store.models import AuditEntry
from messaging.store.queue.operator_actions import continue_held
from tests.support.store import records as g
from tests.support.store.budgets import check_sums, figures, states
from tests.support.store.records import Gateway


@pytest.fixture
def used_up(sqlite_gateway: Gateway) -> Gateway:
    """A gateway whose budget of one unit is used, and which holds two more messages."""
    add_budget("subscriber:boop", "1 units", "trip", now=sqlite_gateway.clock())
    for key in "abc":
        sqlite_gateway.router.process([g.mail(key)])
    assert states() == ["waiting", "held", "held"]
    return sqlite_gateway


def go_on(gateway: Gateway) -> list[str]:
    continue_held(0, 10, gateway.settings, gateway.clock())
    check_sums()
    return states()


def number() -> int:
    [row] = list_budgets()
    return row.number


def test_a_top_up_lets_held_messages_go(used_up: Gateway) -> None:
    row = top_up(number(), "1 units", used_up.clock())
    assert (row.added, row.left) == ("1", "1")
    assert go_on(used_up) == ["waiting", "waiting", "held"]
    assert go_on(used_up) == ["waiting", "waiting", "held"]


def test_a_higher_limit_lets_held_messages_go(used_up: Gateway) -> None:
    assert change_budget(number(), "3 units", now=used_up.clock()).left == "2"
    assert go_on(used_up) == ["waiting"] * 3
    with pytest.raises(InvalidInput, match="this budget is in units"):
        change_budget(number(), "3 EUR")


def test_the_next_trip_starts_at_nothing(used_up: Gateway) -> None:
    used_up.clock.turn(3600)
    assert reset_trip(number(), used_up.clock()).spent == "0"
    assert go_on(used_up) == ["waiting", "waiting", "held"]
    assert figures() == (1, 0)


def test_without_its_budget_a_held_message_goes(used_up: Gateway) -> None:
    remove_budget(number(), used_up.clock())
    assert go_on(used_up) == ["waiting"] * 3


def test_warnings_name_the_budget_and_its_owner(used_up: Gateway) -> None:
    [warning] = budget_warnings(used_up.clock())
    assert (warning.name, warning.percent, warning.used) == ("subscriber:boop", 100, "1 units")
    assert warning.reached_at == used_up.clock()
    assert budget_warnings(used_up.clock(), since=used_up.clock()) == []
    assert count_reached(used_up.clock()) == {50: 1, 80: 1, 100: 1}
    top_up(number(), "1 units", used_up.clock())
    assert count_reached(used_up.clock()) == {50: 1, 80: 0, 100: 0}


def test_a_used_up_budget_lets_held_messages_expire(used_up: Gateway) -> None:
    used_up.clock.turn(15 * 86_400)
    used_up.hand_out()
    assert states() == ["expired"] * 3
    assert figures() == (0, 0)


def test_budgets_and_tariffs_are_in_the_audit(sqlite_gateway: Gateway) -> None:
    add_budget("gateway", "5 EUR", now=datetime(2026, 1, 1, tzinfo=UTC))
    set_tariff("hive", "0.1 EUR")
    assert set(AuditEntry.objects.values_list("kind", "action")) >= {
        ("budget", "add"),
        ("tariff", "add"),
    }
