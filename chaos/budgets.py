"""The scenario of budgets that are used up while the processes that reserve and settle are killed."""

import threading
import time
from collections.abc import Callable, Collection, Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from django.db import OperationalError
from django.db.models import Case, F, Q, QuerySet, Sum, When
from django.utils import timezone

from chaos.arrivals import arrivals
from chaos.context import Context
from chaos.judge import FINAL, SHOWN_TOKENS, stored_messages
from chaos.kills import kill_one
from chaos.load import mark_taken
from chaos.record import TOKEN
from chaos.scenario import Scenario
from messaging.costs.amounts import MILLION, to_millionths
from messaging.store.budgets.edits import add_budget, change_budget, remove_budget, top_up
from messaging.store.db.connection import close_connection
from messaging.store.models import BudgetBooking, BudgetPeriod, Delivery

CONNECTIONS = 20
LIMIT, GATEWAY_LIMIT, MORE, ENOUGH = "500 units", "550 units", "60 units", "100000 units"
# The workers that reserve, settle and send; and those that reserve for held messages, which `due` lets go on.
VICTIMS = ("router", "ledger", "hive-out", "twilio-out")
LATER_VICTIMS = ("due", "router", "ledger")
MIN_KILLS, MIN_HELD, LATER_KILLS = 12, 100, 6
USE_UP_SECONDS = 120.0
# Held messages go within a minute, and `due` may be killed meanwhile.
WAIT_SECONDS = 150.0
SAMPLE_SECONDS = 0.1


def budget_scenarios() -> list[Scenario]:
    """Return the one scenario of this module."""
    return [
        Scenario(
            name="budgets",
            description=f"budgets of {LIMIT} for the Hive and {GATEWAY_LIMIT} for all are used up by {CONNECTIONS} mail"
            f" connections while routers, ledgers and senders are killed, {MIN_KILLS} times or more; later they are"
            " topped up, and raised",
            inject=_use_up,
            mail_connections=CONNECTIONS,
        )
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetSample:
    """A budget and its bookings at one moment, in millionths.

    `corrections` is by how much providers reported more than the estimates: that may go over the limit.
    """

    scope: str
    limit: int
    reserved: int
    spent: int
    booked_reserved: int
    booked_spent: int
    corrections: int = 0

    @property
    def problem(self) -> str:
        """Why these figures cannot be right; empty when they can."""
        figures, booked = (self.reserved, self.spent), (self.booked_reserved, self.booked_spent)
        if figures != booked:
            return f"{self.scope}: reserved and spent {figures}, but the bookings have {booked}"
        if (used := self.reserved + self.spent) > self.limit + self.corrections:
            return f"{self.scope}: {used} of {self.limit} are used"
        return ""


def read_samples() -> list[BudgetSample]:
    """Return the figures and bookings of each budget: one statement, so all are of one moment."""
    estimate = F("bookings__price") * F("bookings__delivery__estimated_units")
    more = Case(
        When(bookings__amount__gt=estimate, then=F("bookings__amount") - estimate), default=0
    )
    rows = BudgetPeriod.objects.annotate(
        booked_reserved=Sum("bookings__amount", filter=Q(bookings__is_spent=False), default=0),
        booked_spent=Sum("bookings__amount", filter=Q(bookings__is_spent=True), default=0),
        corrections=Sum(more, default=0),
    ).values_list(
        *("budget__scope", "budget__max_amount", "added", "reserved", "spent"),
        *("booked_reserved", "booked_spent", "corrections"),
    )
    return [
        BudgetSample(
            scope=scope,
            limit=to_millionths(limit) + added,
            reserved=reserved,
            spent=spent,
            booked_reserved=booked_reserved,
            booked_spent=booked_spent,
            corrections=corrections,
        )
        for scope, limit, added, reserved, spent, booked_reserved, booked_spent, corrections in rows
    ]


def find_booking_problems(since: datetime) -> list[str]:
    """Return what is wrong with the bookings: those that do not fit their deliveries, and deliveries without one.

    Deliveries count that were accepted after `since`, when the budgets were there.
    """
    bookings, unspent = BudgetBooking.objects, Q(is_spent=False)
    found: dict[str, QuerySet[Any]] = {
        "reserved for one that does not wait": bookings.filter(unspent).exclude(
            delivery__state="waiting"
        ),
        "spent for one that waits": bookings.filter(~unspent, delivery__state="waiting"),
        "booked for one that is held": bookings.filter(delivery__state="held"),
    }
    costly = Delivery.objects.filter(
        Q(units__isnull=True) | Q(units__gt=0),
        created_at__gt=since,
        estimated_units__gt=0,
        state__in=("waiting", "sent", "delivered"),
    )
    concerns = {"account": Q(via="hive"), "gateway": Q()}
    for scope, condition in concerns.items():
        unbooked = costly.filter(condition).exclude(bookings__period__budget__scope=scope)
        found[f"not booked on the budget of the {scope}"] = unbooked
    return [f"{count} {name}" for name, rows in found.items() if (count := rows.count())]


class BudgetWatch:
    """Samples all budgets in a thread; keeps the first problem, and the most units in use of those for the Hive."""

    def __init__(self) -> None:
        self.samples = self.most_used = 0
        self.problem = ""
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def start(self) -> None:
        """Begin to sample."""
        self._thread.start()

    def stop(self) -> None:
        """End after the current sample."""
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._stop.wait(SAMPLE_SECONDS):
            # SQLite may be locked for a moment by a process that recovers its log.
            with suppress(OperationalError):
                self._add(read_samples())
        close_connection()

    def _add(self, budgets: Iterable[BudgetSample]) -> None:
        for budget in budgets:
            self.problem = self.problem or budget.problem
            if budget.scope == "account":
                self.most_used = max(self.most_used, (budget.reserved + budget.spent) // MILLION)
        self.samples += 1


@dataclass(frozen=True, slots=True)
class _Budgets:
    """The budgets of the scenario by number, the time from which they count, and the watch over them."""

    numbers: Collection[int]
    since: datetime
    watch: BudgetWatch


def _use_up(field: Context) -> None:
    numbers = [
        add_budget("account:hive", LIMIT, per="trip").number,
        add_budget("gateway", GATEWAY_LIMIT, per="trip").number,
    ]
    budgets = _Budgets(numbers, timezone.now(), BudgetWatch())
    budgets.watch.start()
    field.after_load = partial(_conclude, field, budgets)
    routers = [name for name in field.gateway.workers() if name.startswith("router/")]
    field.note(f"{len(routers)} routers")
    deadline, kills = time.monotonic() + USE_UP_SECONDS, 0
    while kills < MIN_KILLS or len(_held(field)) < MIN_HELD:
        if time.monotonic() > deadline:
            raise AssertionError(f"only {len(_held(field))} messages are held")
        field.wait_random(0.2, 1.5)
        kill_one(field.random.choice(VICTIMS), field)
        kills += 1
    field.wait(2)


def _conclude(field: Context, budgets: _Budgets) -> None:
    """Judge the messages that went and those that are held; top the budgets up, raise them and remove them."""
    try:
        _judge_held(field, budgets)
        _top_up(field, budgets)
        _judge_held(field, budgets)
        for number in budgets.numbers:
            change_budget(number, limit=ENOUGH)
        _wait_until(partial(_has_only, field, FINAL), "a message is held although there is room")
        _judge_bookings(budgets)
        if any(budget.reserved for budget in read_samples()):
            raise AssertionError("something is reserved although nothing waits")
        field.note(f"the sums agreed with the rows in {budgets.watch.samples} samples")
    finally:
        budgets.watch.stop()
        for number in budgets.numbers:
            remove_budget(number)
        close_connection()


def _top_up(field: Context, budgets: _Budgets) -> None:
    """Top the budgets up, and kill the processes that let held messages go on; wait until some have gone."""
    before = len(_held(field))
    for number in budgets.numbers:
        top_up(number, MORE)
    for _ in range(LATER_KILLS):
        field.wait_random(0.5, 3)
        kill_one(field.random.choice(LATER_VICTIMS), field)
    _wait_until(lambda: len(_held(field)) < before, "no message goes on after a top-up")


def _judge_held(field: Context, budgets: _Budgets) -> None:
    """Wait until each message was sent or is held; compare with what arrived and with the bookings."""
    _wait_until(partial(_has_only, field, FINAL | {"held"}), "a message is not sent and not held")
    held, found = _held(field), arrivals(field.gateway)
    if early := held & found.keys():
        raise AssertionError(f"sent although they are held: {sorted(early)[:SHOWN_TOKENS]}")
    for token, units in _paid_units(field.record.run).items():
        if len(parts := {one.text for one in found.get(token, ())}) > units:
            raise AssertionError(f"{len(parts)} parts of {token} arrived, {units} are paid")
    _judge_bookings(budgets)
    figures = [f"{one.scope} {(one.reserved + one.spent) // MILLION}" for one in read_samples()]
    used = ", ".join(sorted(figures))
    field.note(f"{len(held)} held, {len(found.keys() - held)} arrived; units in use: {used}")


def _judge_bookings(budgets: _Budgets) -> None:
    problems = [budgets.watch.problem, *find_booking_problems(budgets.since)]
    problems += [budget.problem for budget in read_samples()]
    if found := "; ".join(filter(None, problems)):
        raise AssertionError(found)


def _paid_units(run: str) -> dict[str, int]:
    """Return the units of each message to a device that has a booking, by token."""
    rows = BudgetBooking.objects.filter(
        period__budget__scope="account", delivery__message__text__contains=run
    ).values_list("delivery__message__text", "price", "amount")
    tokens = ((TOKEN.search(text), amount // price) for text, price, amount in rows)
    return {match[0]: units for match, units in tokens if match}


def _held(field: Context) -> set[str]:
    stored = stored_messages(field.gateway, field.record.run)
    return {token for token, one in stored.items() if "held" in one.states}


def _has_only(field: Context, states: Collection[str]) -> bool:
    """Return whether each message with a yes is in one of these states, and no uplink waits."""
    if mark_taken(field.gateway, field.record):
        return False
    stored = stored_messages(field.gateway, field.record.run)
    agreed = [offer.token for offer in field.record.offers if offer.yes_at is not None]
    return all(one in stored and set(stored[one].states) <= set(states) for one in agreed)


def _wait_until(condition: Callable[[], bool], otherwise: str) -> None:
    """Wait; raise AssertionError with the text when it takes too long."""
    deadline = time.monotonic() + WAIT_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(otherwise)
        time.sleep(0.5)
