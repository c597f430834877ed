"""A phone that says STOP gets nothing more from that number until it says START."""

from django.db import connection
from django.test.utils import CaptureQueriesContext

from messaging.errors import Rejected, Unavailable
from messaging.store.models import Delivery, OptOut
from messaging.store.queue.operator_actions import continue_held
from messaging.store.states import State
from tests.support.store import records as g
from tests.support.store.budgets import add_budget, check_sums, figures, states
from tests.support.store.records import Gateway

DAY = 86_400


def test_stop_keeps_a_device_from_texting_that_phone_until_start(gateway: Gateway) -> None:
    up = g.uplink(g.phone(g.FRIENDS_NUMBER))
    assert gateway.router.process([g.consent(False), g.consent(False)]) == [[], []]
    assert OptOut.objects.count() == 1
    assert isinstance(gateway.router.process([up])[0], Rejected)
    assert gateway.router.process([g.consent(True), g.consent(True)]) == [[], []]
    assert OptOut.objects.count() == 0
    assert gateway.take_one(up).message.sender == g.phone(g.BOOPS_NUMBER)


def test_stop_calls_off_what_still_waits_for_that_phone_only(gateway: Gateway) -> None:
    for number in (g.FRIENDS_NUMBER, "+15554445555"):
        delivery = gateway.take_one(g.uplink(g.phone(number), number))
        gateway.settle(delivery, Unavailable("busy"))
    gateway.router.process([g.consent(False)])
    states = dict(Delivery.objects.values_list("recipient", "state"))
    assert states == {g.FRIENDS_NUMBER: State.CANCELLED, "+15554445555": State.WAITING}
    assert "(STOP)" in Delivery.objects.get(recipient=g.FRIENDS_NUMBER).reason


def test_stop_counts_for_what_comes_after_it_in_the_same_batch(gateway: Gateway) -> None:
    before, stopped, after = gateway.router.process(
        [
            g.uplink(g.phone(g.FRIENDS_NUMBER), "1"),
            g.consent(False),
            g.uplink(g.phone(g.FRIENDS_NUMBER), "2"),
        ]
    )
    assert isinstance(before, list)
    assert stopped == []
    assert isinstance(after, Rejected)


def test_stop_ends_what_a_budget_holds_for_that_phone(gateway: Gateway) -> None:
    add_budget(1, period="day")
    for key in ("a", "b"):
        gateway.accept(g.uplink(g.phone(g.FRIENDS_NUMBER), key))
    assert states() == ["waiting", "held"]
    gateway.router.process([g.consent(False)])
    assert states() == ["cancelled", "refused"]
    assert figures() == (0, 0)
    gateway.clock.turn(DAY)
    assert continue_held(0, 10, gateway.settings, gateway.clock()) == []


def test_budgets_are_locked_after_all_else_where_a_phone_said_stop(gateway: Gateway) -> None:
    add_budget(9)
    gateway.accept(g.uplink(g.phone(g.FRIENDS_NUMBER)))
    with CaptureQueriesContext(connection) as queries:
        gateway.router.process([g.consent(False), *(g.mail(key) for key in "ab")])
    statements = [one["sql"] for one in queries.captured_queries]
    budgets = [number for number, one in enumerate(statements) if "users_budgetperiod" in one]
    ids = next(
        number for number, one in enumerate(statements) if 'INTO "users_removedmessage' in one
    )
    assert budgets[0] > ids, "two transactions that lock in two orders may lock up"
    assert figures() == (2, 0)
    check_sums()
