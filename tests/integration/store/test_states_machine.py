"""The life of messages, driven at random: whatever happens, each ends by the table, and no state is a trap."""

import tempfile
from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    precondition,
    rule,
    run_state_machine_as_test,
)

from messaging.config.settings import Settings
from messaging.errors import GatewayError, OptedOut, Rejected, Unavailable, Uncertain
from messaging.model import message as values
from messaging.model.message import (
    Bounce,
    Outcome,
    Receipt,
    ReceiptState,
    SubmittedPart,
    message_id,
)
from messaging.store.db.connection import close_connection, migrate_store, open_store
from messaging.store.models import Delivery
from messaging.store.queue import operator_actions
from messaging.store.states import State
from tests.support.store import records as g
from tests.support.store.fixtures import settings_for
from tests.support.store.watched_gateway import WatchedGateway

FATES: dict[str, GatewayError | None] = {
    "sent": None,
    "rejected": Rejected("there is no such mailbox"),
    "opted out": OptedOut("the recipient said STOP"),
    "unavailable": Unavailable("no satellite in view"),
    "asked to wait": Unavailable("too many", retry_after_seconds=5000),
    "uncertain": Uncertain("no answer in time"),
}

WHICH = st.integers(0, 50)


class Life(WatchedGateway):
    """A gateway whose senders, peers, operator and clock do as they please."""

    @rule(
        kinds=st.lists(
            st.sampled_from(["mail", "robot", "stranger", "sms", "up", "text"]), max_size=4
        ),
        fate=st.sampled_from(["handed on", "lost", "released"]),
    )
    def offer(self, kinds: list[str], fate: str) -> None:
        batch = [self._new(kind, f"{len(self.accepted)} {n}") for n, kind in enumerate(kinds)]
        for message, result in zip(batch, self.router.process(batch), strict=True):
            if isinstance(result, Exception):
                assert isinstance(result, GatewayError)
                continue
            self.accepted[message.id] = message
            for delivery in result:
                self._hand(delivery, Future(), lost=fate != "handed on")
            if fate == "released":
                self.router.take_back(result)

    @precondition(lambda self: self.accepted)
    @rule(which=WHICH)
    def offer_again(self, which: int) -> None:
        messages = list(self.accepted.values())
        again = [messages[which % len(messages)]] * 2
        assert self.router.process(again) == [[], []]

    @precondition(lambda self: self.hands)
    @rule(which=WHICH)
    def begin_one(self, which: int) -> None:
        """Any copy asks whether it may be sent, also one that is old."""
        self.begin(self.hands[-1 - which % len(self.hands)])

    @precondition(lambda self: self.hands)
    @rule(which=WHICH, fate=st.sampled_from(list(FATES)), times=st.integers(0, 2))
    def report(self, which: int, fate: str, times: int) -> None:
        """An outcome of any attempt that began, old or new, comes once, twice, or not at all."""
        hand = self.hands[-1 - which % len(self.hands)]
        if not self.begin(hand) and not hand.begun:
            return
        if fate in ("rejected", "sent") and which % 2:
            # Else most lives would be short.
            fate = "unavailable"
        error = FATES[fate]
        self.stopped = self.stopped or (fate == "opted out" and times > 0)
        handed = SubmittedPart(f"{hand.delivery.id}-{hand.delivery.attempt}", 1)
        outcome = (
            Outcome.failed(hand.delivery, error) if error else Outcome.sent(hand.delivery, handed)
        )
        before = self._row(hand.delivery.id)
        for _ in range(times):
            assert self.ledger.process([outcome]) == [[]]
        if times and before.attempts == hand.delivery.attempt:
            hand.over = True
            hand.known = hand.known or (before.leased and fate != "uncertain")
        elif times and fate != "opted out" and not (fate == "sent" and before.due_at):
            # What an older attempt sent is sent; news of its parts that came before may then settle it further.
            after = self._row(hand.delivery.id)
            assert (after.state, after.attempts) == (before.state, before.attempts)
        if not hand.future.done():
            hand.future.set_result(None)

    @rule(
        seconds=st.sampled_from([1, 5, 121, 121, 1800, 5000, 7 * 3600, 30 * 3600, -3600]),
        then=st.sampled_from(["nothing", "due", "due", "due", "nobody sends", "restart"]),
    )
    def time_passes(self, seconds: int, then: str) -> None:
        self.clock.turn(seconds)
        self.end_leases()
        if seconds < 0:
            self.seconds_back -= seconds
            # A sender bounds an attempt by seconds that do not step, so none lasts longer than a lease from now.
            end = self.clock.now + timedelta(seconds=self.settings.lease_seconds)
            for hand in self.hands:
                hand.until = min(hand.until, end)
        if then == "restart":
            self.restart()
        if then != "nothing":
            self.look_for_what_is_due(refuse=then == "nobody sends")

    @precondition(lambda self: self.hands)
    @rule(which=st.integers(0, 8), wishes=st.sampled_from(["r", "c", "cr"]))
    def a_person_steps_in(self, which: int, wishes: str) -> None:
        """Retries, cancels, or both in turn; then the gateway looks what is due."""
        hand = self.hands[-1 - which % len(self.hands)]
        chosen = Delivery.objects.filter(id=hand.delivery.id)
        self.touched.add(chosen.get().message_id)
        for wish in wishes:
            if wish == "r":
                operator_actions.retry(chosen, self.settings, self.clock.now)
            else:
                operator_actions.cancel(chosen, self.clock.now)
            self.by_hand = True
            self.every_step_is_in_the_table()
        self.look_for_what_is_due(refuse=False)

    @precondition(lambda self: State.HELD in self.states.values())
    @rule(which=WHICH, is_released=st.booleans())
    def a_person_decides(self, which: int, is_released: bool) -> None:
        held = sorted(number for number, state in self.states.items() if state is State.HELD)
        row = self._row(held[which % len(held)])
        chosen = Delivery.objects.filter(id=row.id)
        self.touched.add(row.message_id)
        if is_released:
            done = operator_actions.release(chosen, self.settings, self.clock.now, over_budget=True)
            assert done.released == 1
        else:
            assert operator_actions.refuse(chosen, self.clock.now) == 1
        self.by_hand = True
        self.every_step_is_in_the_table()
        self.look_for_what_is_due(refuse=False)

    @precondition(lambda self: self.states)
    @rule(which=WHICH, is_final=st.booleans())
    def something_comes_back(self, which: int, is_final: bool) -> None:
        row = self._row(self._any_delivery(which))
        if row.via != "smtp":
            return
        bounce = Bounce(
            id=message_id("bounce", str(row.id), str(is_final)),
            sender=g.email("mailer-daemon@example.com"),
            recipient=g.email("boop@example.org"),
            delivery_id=row.id,
            message_id=row.message_id,
            is_final=is_final,
            reason="the mail came back: there is no such mailbox",
            via="smtp",
            raw=b"",
        )
        assert self.router.process([bounce, bounce]) == [[], []]

    @precondition(lambda self: self.hands)
    @rule(which=WHICH, states=st.lists(st.sampled_from(list(ReceiptState)), max_size=3))
    def a_network_tells(self, which: int, states: list[ReceiptState]) -> None:
        """News of any attempt, whether it was reported or not, in any order."""
        delivery = self.hands[-1 - which % len(self.hands)].delivery
        for state in states:
            news = Receipt(
                via=delivery.via,
                network_id=f"{delivery.id}-{delivery.attempt}",
                state=state,
                billed_units=which,
                retry_after_seconds=3600 if which % 2 else None,
            )
            assert self.router.process([news, news]) == [[], []]

    @rule(allowed=st.booleans())
    def a_phone_says_stop_or_start(self, allowed: bool) -> None:
        self.wishes += 1
        assert self.router.process([g.consent(allowed, str(self.wishes))]) == [[]]
        self.stopped = self.stopped or not allowed

    def _new(self, kind: str, key: str) -> values.Message:
        match kind:
            case "mail":
                return replace(g.mail(key), wants_notice=True, reference=f"<{key}@example.com>")
            case "robot":
                return g.mail(key)
            case "stranger":
                return g.mail(key, "ann@example.org")
            case "sms":
                return replace(g.sms(key), wants_notice=True)
            case "up":
                return g.uplink(g.email("mum@example.com"), key, "1000")
        return g.uplink(g.phone(g.FRIENDS_NUMBER), key, "1000")


@pytest.fixture
def short_lives() -> Iterator[Settings]:
    """A store of its own, and few attempts, so that they are used up too."""
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/life.sqlite3"
        short = {f"{name}_max_attempts": 3 for name in ("mail", "satellite", "sms")}
        lives = {f"{name}_lifetime_hours": 24 for name in ("mail", "satellite", "sms")}
        given = settings_for(url, Path(folder), sms_failure_notices=True, **short, **lives)
        open_store(given)
        migrate_store()
        yield given
        close_connection()


# It computes for ten seconds, and a busy machine leaves a process a tenth of it.
@pytest.mark.timeout(600)
def test_every_message_ends_and_no_state_is_a_trap(short_lives: Settings) -> None:
    class LifeHere(Life):
        settings = short_lives

    fixed = settings(
        max_examples=60,
        stateful_step_count=30,
        deadline=None,
        derandomize=True,
        database=None,
        # Nothing is made smaller: that would take minutes, and the steps of a failure are printed as they were.
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(LifeHere, settings=fixed)
