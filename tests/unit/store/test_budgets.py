"""Budgets: messages reserve parts of them when they are accepted, and are held where there is no room."""

import itertools
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from messaging.errors import Rejected, Unavailable
from messaging.model.message import (
    Address,
    AuthorLevel,
    Authorship,
    DeviceReport,
    Message,
    Network,
    Receipt,
    ReceiptState,
    Sos,
)
from messaging.store.accept.routing import Policy
from messaging.store.budgets.edits import top_up
from messaging.store.console.kept import KeptMessages
from messaging.store.models import (
    Budget,
    BudgetBooking,
    BudgetPeriod,
    Contact,
    ContactAddress,
    Delivery,
    Device,
    Subscriber,
    Tariff,
)
from messaging.store.queue import operator_actions
from messaging.store.queue.operator_actions import continue_held
from messaging.store.retention.sweeper import Sweeper
from tests.support.store import records as g
from tests.support.store.budgets import add_budget, check_sums, figures, report_sent, states
from tests.support.store.records import Gateway

DAY = 86_400


def mails(*keys: str) -> list[Message]:
    return [g.mail(key) for key in keys]


def test_what_does_not_fit_is_held_with_the_reason(gateway: Gateway) -> None:
    add_budget(2)
    results = gateway.router.process(mails("a", "b", "c"))
    assert [len(one) for one in results if isinstance(one, list)] == [1, 1, 0]
    held = Delivery.objects.get(state="held")
    assert (held.hold, held.reason) == (
        "budget",
        "budget subscriber:boop: 2 units of 2 units for this month are used",
    )
    assert gateway.router.status()["held"] == 1
    assert figures() == (2, 0)
    check_sums()


def test_without_a_budget_nothing_is_booked(gateway: Gateway) -> None:
    gateway.take_one()
    assert Delivery.objects.get().estimated_units is None
    assert not BudgetBooking.objects.exists()


def test_an_outcome_books_the_reported_units(gateway: Gateway) -> None:
    add_budget(10)
    for key, units in (("a", 4), ("b", None), ("c", 0)):
        report_sent(gateway, gateway.accept(g.mail(key))[0], units)
        check_sums()
    assert figures() == (0, 5)


def test_what_fails_goes_back_to_the_budget(gateway: Gateway) -> None:
    add_budget(1)
    gateway.settle(gateway.take_one(), Unavailable("no satellite"))
    assert figures() == (1, 0)
    gateway.clock.turn(3600)
    [again] = gateway.owed()
    gateway.settle(again, Rejected("no such device"))
    assert figures() == (0, 0)
    assert gateway.accept(g.mail("b")) != []
    operator_actions.cancel(Delivery.objects.all(), gateway.clock())
    assert figures() == (0, 0)
    check_sums()


def test_what_expires_goes_back_to_the_budget(gateway: Gateway) -> None:
    add_budget(1)
    gateway.accept(g.mail())
    gateway.clock.turn(4 * DAY)
    assert gateway.owed() == []
    assert states() == ["expired"]
    assert figures() == (0, 0)


def test_a_receipt_corrects_the_booking(gateway: Gateway) -> None:
    add_budget(10)
    [attempt] = gateway.accept(g.mail())
    report_sent(gateway, attempt, 2)
    receipt = Receipt(
        via="hive",
        network_id=f"id-{attempt.id}-1",
        state=ReceiptState.DELIVERED,
        billed_units=3,
    )
    gateway.router.process([receipt, g.mail("b")])
    assert states() == ["delivered", "waiting"]
    assert figures() == (1, 3)
    check_sums()


def test_a_retry_reserves_again_even_over_the_budget(gateway: Gateway) -> None:
    add_budget(1)
    gateway.settle(gateway.take_one(), Rejected("no such device"))
    gateway.accept(g.mail("b"))
    operator_actions.retry(
        Delivery.objects.filter(state="failed"), gateway.settings, gateway.clock()
    )
    assert figures() == (2, 0)
    check_sums()


def test_the_next_period_lets_held_messages_go(gateway: Gateway) -> None:
    add_budget(1, period="day")
    gateway.router.process(mails("a", "b", "c"))
    assert states() == ["waiting", "held", "held"]
    assert continue_held(0, 10, gateway.settings, gateway.clock()) == [
        row.id for row in Delivery.objects.filter(state="held").order_by("id")
    ]
    assert states() == ["waiting", "held", "held"]
    gateway.clock.turn(DAY)
    seconds = itertools.count(0, 100)
    sweeper = Sweeper(gateway.settings, gateway.clock, lambda: next(seconds))
    while sweeper.counters["budgets"] == 0:
        sweeper.turn()
    assert states() == ["waiting", "waiting", "held"]
    assert figures() == (1, 0)
    check_sums()


def test_periods_follow_the_time_zone_of_the_subscriber(gateway: Gateway) -> None:
    Subscriber.objects.update(time_zone="Pacific/Auckland")
    add_budget(1, period="day")
    gateway.accept(g.mail())
    assert BudgetPeriod.objects.get().starts_at == datetime(2026, 1, 1, 11, tzinfo=UTC)


def test_a_held_message_is_released_within_its_budget_or_over_it(gateway: Gateway) -> None:
    add_budget(1)
    gateway.router.process(mails("a", "b"))
    held = Delivery.objects.filter(state="held")
    done = operator_actions.release(held, gateway.settings, gateway.clock())
    assert (done.released, done.over_budget) == (0, 1)
    done = operator_actions.release(held, gateway.settings, gateway.clock(), over_budget=True)
    assert (done.released, done.over_budget) == (1, 0)
    assert figures() == (2, 0)
    check_sums()


def test_a_stranger_reserves_when_released(gateway: Gateway) -> None:
    Subscriber.objects.update(senders="known")
    add_budget(1)
    gateway.router.process(mails("a", "b"))
    assert states() == ["held", "held"]
    assert figures() == (0, 0)
    done = operator_actions.release(Delivery.objects.all(), gateway.settings, gateway.clock())
    assert (done.released, done.over_budget) == (1, 1)
    assert [row.hold for row in Delivery.objects.order_by("id")] == ["", "budget"]
    check_sums()


def test_emergency_contacts_alone_use_the_reserve(gateway: Gateway) -> None:
    add_budget(4, reserve_percent=50)
    owner = Subscriber.objects.get()
    Contact.objects.create(owner=owner, name="mum", address="mum@example.com", is_emergency=True)
    likely = Authorship(AuthorLevel.LIKELY)
    mum = [
        replace(g.mail(key), sender=g.email("Mum@example.com"), authorship=likely) for key in "xyz"
    ]
    # Mail in her name that proves nothing.
    pretended = replace(mum[0], id=g.mail("p").id, authorship=None)
    for one in (*mails("a", "b", "c"), pretended, *mum):
        gateway.router.process([one])
    assert states() == ["waiting", "waiting", "held", "held", "waiting", "waiting", "held"]
    assert figures() == (4, 0)
    top_up(Budget.objects.get().id, "1 units", gateway.clock())
    continue_held(0, 10, gateway.settings, gateway.clock())
    # Held as well, and proved: the reserve is for her.
    assert states()[-4:] == ["held", "waiting", "waiting", "waiting"]


def test_an_emergency_contact_that_must_be_proved_uses_no_reserve_without(gateway: Gateway) -> None:
    add_budget(1, reserve_percent=100)
    Contact.objects.create(
        owner=Subscriber.objects.get(),
        name="mum",
        address="friend@example.com",
        is_emergency=True,
        must_be_proved=True,
    )
    for level in (AuthorLevel.LIKELY, AuthorLevel.PROVED):
        gateway.accept(replace(g.mail(level), authorship=Authorship(level)))
    assert Delivery.objects.get(state="held").message.author_level == "likely"
    assert Delivery.objects.get(state="waiting").message.author_level == "proved"


def test_the_text_of_a_call_for_help_passes_an_empty_budget(gateway: Gateway) -> None:
    add_budget(0)
    text = g.uplink(g.phone(g.FRIENDS_NUMBER))
    gateway.router.process([text, replace(text, id=g.mail("sos").id, sos=Sos.DECLARED)])
    assert dict(Delivery.objects.values_list("message_id", "state")) == {
        text.id: "held",
        g.mail("sos").id: "waiting",
    }
    check_sums()


def test_a_call_for_help_passes_an_empty_budget_and_is_booked(gateway: Gateway) -> None:
    add_budget(0)
    Contact.objects.create(
        owner=Subscriber.objects.get(), name="mum", address=g.FRIENDS_NUMBER, is_emergency=True
    )
    report = DeviceReport(
        id="f" * 32, sender=Address(Network.SATELLITE, "1001"), via="hive", sos=Sos.DECLARED
    )
    gateway.router.process([report, g.uplink(g.phone(g.FRIENDS_NUMBER))])
    assert dict(Delivery.objects.values_list("is_urgent", "state")) == {
        True: "waiting",
        False: "held",
    }
    reserved, _ = figures()
    assert reserved == Delivery.objects.get(is_urgent=True).estimated_units
    check_sums()


def test_money_counts_by_the_tariff_of_the_account(gateway: Gateway) -> None:
    Tariff.objects.create(account="hive", price=Decimal("0.123456"), currency="EUR")
    Tariff.objects.create(account="twilio", price=Decimal("0.05"), currency="USD")
    add_budget("0.25", currency="EUR")
    gateway.router.process([*mails("a", "b", "c"), g.uplink(g.phone(g.FRIENDS_NUMBER))])
    # The text costs dollars, of which there is no budget.
    assert sorted(states()) == ["held", "waiting", "waiting", "waiting"]
    assert BudgetPeriod.objects.get().reserved == 246_912
    assert "0.246912 EUR of 0.25 EUR" in Delivery.objects.get(state="held").reason


@pytest.mark.parametrize("scope", ["gateway", "account", "device", "contact"])
def test_each_scope_counts_its_own_messages(gateway: Gateway, scope: str) -> None:
    owner = Subscriber.objects.get()
    friend = Contact.objects.create(owner=owner, name="friend", address=g.FRIENDS_NUMBER)
    by_scope: dict[str, dict[str, Any]] = {
        "gateway": {},
        "account": {"account": "twilio"},
        "device": {"device": Device.objects.get()},
        "contact": {"contact": friend},
    }
    add_budget(1, scope=scope, **by_scope[scope])
    text = g.uplink(g.phone(g.FRIENDS_NUMBER))
    gateway.router.process([text, replace(text, id="e" * 32), g.mail()])
    rows = {row.id: row for row in Delivery.objects.order_by("id")}
    by_network = {(row.recipient_network, row.state) for row in rows.values()}
    is_narrow = scope in ("account", "contact")
    assert ("sms", "held") in by_network
    assert ("satellite", "waiting" if is_narrow else "held") in by_network
    check_sums()


def test_warnings_are_given_once_in_a_period(
    gateway: Gateway, caplog: pytest.LogCaptureFixture
) -> None:
    add_budget(5)
    for number in range(5):
        gateway.accept(g.mail(str(number)))
    lines = [r.getMessage() for r in caplog.records if "of the budget" in r.getMessage()]
    assert lines == [
        f"{percent} % of the budget subscriber:boop for this month are used"
        for percent in (50, 80, 100)
    ]
    assert BudgetPeriod.objects.get().warned_percent == 100


def test_a_budget_goes_with_its_subscriber(gateway: Gateway) -> None:
    add_budget(5)
    gateway.accept(g.mail())
    Subscriber.objects.get().delete()
    assert not Budget.objects.exists()
    assert not BudgetBooking.objects.exists()


def test_acceptance_takes_four_statements_more_with_a_budget_and_none_without(
    gateway: Gateway,
) -> None:
    def count(key: str) -> int:
        with CaptureQueriesContext(connection) as queries:
            gateway.router.process(mails(*key))
        return len(queries)

    without = count("a")
    budget = add_budget(50)
    count("b")  # begins the period
    assert count("cd") == without + 4
    budget.delete()
    assert count("e") == without


def test_a_dead_letter_that_a_person_sends_on_is_booked(gateway: Gateway) -> None:
    add_budget(0)
    gateway.accept(g.stranded(raw=b"hello"))
    policy = Policy("example.org", g.VIAS)
    kept = KeptMessages(gateway.settings, policy, now=gateway.clock)
    kept.deliver(g.stranded().id, "boop@example.org")
    assert figures() == (1, 0)
    check_sums()


@pytest.mark.parametrize("off", ["owner", "device", "removed"])
def test_what_is_held_for_a_device_that_is_switched_off_stays_held(
    gateway: Gateway, off: str
) -> None:
    add_budget(1, scope="gateway", period="day")
    up = g.uplink(g.phone(g.FRIENDS_NUMBER), "up")
    for one in (*mails("a", "b"), up):
        gateway.accept(one)
    assert states() == ["waiting", "held", "held"]
    match off:
        case "owner":
            Subscriber.objects.update(is_active=False)
        case "device":
            Device.objects.update(is_active=False)
        case _:
            Device.objects.all().delete()
    gateway.clock.turn(DAY)
    assert continue_held(0, 10, gateway.settings, gateway.clock()) == []
    held = Delivery.objects.filter(state="held")
    done = operator_actions.release(held, gateway.settings, gateway.clock(), over_budget=True)
    assert (done.released, done.switched_off) == (0, 2)
    gateway.clock.turn(15 * DAY)
    gateway.owed()
    assert states() == ["expired"] * 3


@pytest.mark.parametrize("is_held_first", [False, True])
def test_the_budget_of_a_contact_counts_every_spelling_of_its_addresses(
    gateway: Gateway, is_held_first: bool
) -> None:
    owner = Subscriber.objects.get()
    contact = Contact.objects.create(owner=owner, name="mum", address=g.FRIENDS_NUMBER)
    ContactAddress.objects.create(contact=contact, address="mum@b\u00fccher.example")
    over_whatsapp = Address(Network.SMS, f"whatsapp:{g.FRIENDS_NUMBER}")
    senders = (over_whatsapp, g.email("Mum@xn--bcher-kva.example"))
    budget = add_budget(5, scope="contact", contact=contact)
    first = add_budget(0, scope="gateway") if is_held_first else None
    for number, sender in enumerate(senders):
        base = g.sms(f"m{number}") if sender is over_whatsapp else g.mail(f"m{number}")
        gateway.accept(replace(base, sender=sender))
    if first is not None:
        assert states() == ["held", "held"]
        first.delete()
        continue_held(0, 10, gateway.settings, gateway.clock())
    assert states() == ["waiting", "waiting"]
    assert figures(budget) == (2, 0)
