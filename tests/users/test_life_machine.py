"""The life of messages, driven at random: whatever happens, each ends by the table, and no state is a trap."""

import tempfile
from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.db import connection
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from messaging import message as values
from messaging.errors import GatewayError, OptedOut, Rejected, Unavailable, Uncertain
from messaging.message import (
    Bounce,
    Handed,
    Network,
    Outcome,
    Receipt,
    ReceiptState,
    message_id,
)
from messaging.settings import Settings
from messaging.users import directory, interventions
from messaging.users.due import Due
from messaging.users.ledger import Ledger
from messaging.users.life import FINAL, GIVEN, UNDELIVERED, State, longest_seconds, may_become
from messaging.users.models import Delivery, Message
from messaging.users.notices import VIA, notice_id
from messaging.users.router import Router
from messaging.users.store import close_connection, guarded, migrate_store, open_store
from tests.users import given as g
from tests.users.conftest import TABLES, settings_for
from tests.users.given import VIAS, Clock

ROOMS = {"hive": 4, "smtp": 4, "twilio": 4}
FATES: dict[str, GatewayError | None] = {
    "sent": None,
    "rejected": Rejected("there is no such mailbox"),
    "opted out": OptedOut("the recipient said STOP"),
    "unavailable": Unavailable("no satellite in view"),
    "asked to wait": Unavailable("too many", retry_after_seconds=5000),
    "uncertain": Uncertain("no answer in time"),
}

WHICH = st.integers(0, 50)


@dataclass
class Hand:
    """An attempt in a sender's hands; `over` once its end was reported, or it was given back."""

    delivery: values.Delivery
    future: "Future[None]"
    until: datetime
    over: bool = False


class Life(RuleBasedStateMachine):
    """A gateway whose senders, peers, operator and clock do as they please."""

    settings: Settings

    @initialize(devices=st.sampled_from([1, 2]))
    def start(self, devices: int) -> None:
        open_store(self.settings)
        self.clock = Clock()
        self.router = Router(self.settings, VIAS, now=self.clock)
        directory.add_subscriber("boop", g.BOOPS_NUMBER)
        for number in range(devices):
            directory.add_device(f"100{number}", owner="boop", network="hive", networks=["hive"])
        self.hands: list[Hand] = []
        self.accepted: dict[str, values.Message] = {}
        self.states: dict[int, State] = {}
        self.touched: set[str] = set()
        self.stopped = False
        self.seconds_back = 0
        self.by_hand = False
        self.restart()

    def restart(self) -> None:
        """Every actor dies; what senders held is heard of no more, or late."""
        self.router = Router(self.settings, VIAS, now=self.clock)
        self.ledger = Ledger(self.settings, VIAS, now=self.clock)
        self.due = Due(self.settings, ROOMS, VIAS, now=self.clock)

    @rule(
        kinds=st.lists(st.sampled_from(["mail", "robot", "sms", "up", "text"]), max_size=4),
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
                self.router.released(result)
                self._given_back(result)

    @precondition(lambda self: self.accepted)
    @rule(which=WHICH)
    def offer_again(self, which: int) -> None:
        messages = list(self.accepted.values())
        again = [messages[which % len(messages)]] * 2
        assert self.router.process(again) == [[], []]

    def look_for_what_is_due(self, refuse: bool) -> None:
        def emit(delivery: values.Delivery) -> "Future[None]":
            future: Future[None] = Future()
            if refuse:
                future.set_exception(Unavailable("no sender"))
            emitted.append((delivery, future))
            return future

        # Looked at afterwards: what `emit` raises is taken for the trouble of a sender.
        emitted: list[tuple[values.Delivery, Future[None]]] = []
        self.due.turn(emit)
        for delivery, future in emitted:
            self._hand(delivery, future, over=refuse)

    @precondition(lambda self: self.hands)
    @rule(which=WHICH, fate=st.sampled_from(list(FATES)), times=st.integers(0, 2))
    def report(self, which: int, fate: str, times: int) -> None:
        """An outcome of any attempt, old or new, comes once, twice, or not at all."""
        hand = self.hands[-1 - which % len(self.hands)]
        if fate in ("rejected", "sent") and which % 2:
            # Else most lives would be short.
            fate = "unavailable"
        error = FATES[fate]
        self.stopped = self.stopped or (fate == "opted out" and times > 0)
        handed = Handed(f"{hand.delivery.id}-{hand.delivery.attempt}", 1)
        outcome = (
            Outcome.failed(hand.delivery, error) if error else Outcome.sent(hand.delivery, handed)
        )
        before = self._row(hand.delivery.id)
        for _ in range(times):
            assert self.ledger.process([outcome]) == [[]]
        if times and before.attempts == hand.delivery.attempt:
            hand.over = True
        elif times and fate != "opted out":
            after = self._row(hand.delivery.id)
            assert (after.state, after.attempts) == (before.state, before.attempts)
        if not hand.future.done():
            hand.future.set_result(None)

    @rule(
        seconds=st.sampled_from([1, 121, 121, 1800, 5000, 7 * 3600, 30 * 3600, -3600]),
        then=st.sampled_from(["nothing", "due", "due", "due", "nobody sends", "restart"]),
    )
    def time_passes(self, seconds: int, then: str) -> None:
        self.clock.turn(seconds)
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
                interventions.retry(chosen, self.settings, self.clock.now)
            else:
                interventions.cancel(chosen, self.clock.now)
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
                units=which,
                retry_after_seconds=3600 if which % 2 else None,
            )
            assert self.router.process([news, news]) == [[], []]

    @rule(allowed=st.booleans())
    def a_phone_says_stop_or_start(self, allowed: bool) -> None:
        assert self.router.process([g.consent(allowed, str(allowed))]) == [[]]
        self.stopped = self.stopped or not allowed

    @invariant()
    def every_step_is_in_the_table(self) -> None:
        for row in Delivery.objects.order_by("id"):
            before, after = self.states.get(row.id), State(row.state)
            if before not in (None, after):
                by_hand = self.by_hand and may_become(before, after, by_hand=True)
                assert by_hand or may_become(before, after), (before, after)
            assert (row.due_at is None) == (after in FINAL)
            assert (row.settled_at is None) == (after is State.WAITING)
            assert after not in UNDELIVERED or row.reason
            self.states[row.id] = after
        self.by_hand = False

    @invariant()
    def nothing_accepted_disappears(self) -> None:
        kept = set(Message.objects.values_list("id", flat=True))
        assert set(self.accepted) <= kept
        assert len(self.states) == Delivery.objects.count()

    def teardown(self) -> None:
        if hasattr(self, "due"):
            try:
                self._all_ends()
            finally:
                empty()

    def _all_ends(self) -> None:
        """The clock passes the bounds twice: once for the messages, once for the notices that they cause."""
        longest = max(longest_seconds(self.settings, network) for network in Network)
        for _ in range(2):
            self.clock.turn(longest + self.seconds_back)
            self.due.turn(lambda delivery: Future())
        assert not Delivery.objects.filter(state=State.WAITING).exists()
        self.every_step_is_in_the_table()
        self._authors_were_told()

    def _authors_were_told(self) -> None:
        told = set(Message.objects.filter(via=VIA).values_list("id", flat=True))
        ends: dict[str, set[str]] = {}
        for id, state in Delivery.objects.values_list("message_id", "state"):
            ends.setdefault(id, set()).add(state)
        expected = {
            notice_id(id)
            for id, message in self.accepted.items()
            if message.wants_notice and id not in self.touched and not ends[id] & set(GIVEN)
        }
        # What a person did to a message, and a phone that said STOP, leave open whether somebody was to be told.
        open_ = {notice_id(id) for id in self.touched} | {
            notice_id(id)
            for id, message in self.accepted.items()
            if self.stopped and message.sender.network is Network.SMS
        }
        assert told - open_ == expected - open_
        assert all(Delivery.objects.filter(message_id=id).count() == 1 for id in told), (
            "one notice, one delivery"
        )

    def _new(self, kind: str, key: str) -> values.Message:
        match kind:
            case "mail":
                return replace(g.mail(key), wants_notice=True, reference=f"<{key}@example.com>")
            case "robot":
                return g.mail(key)
            case "sms":
                return replace(g.sms(key), wants_notice=True)
            case "up":
                return g.uplink(g.email("mum@example.com"), key, "1000")
        return g.uplink(g.phone(g.FRIENDS_NUMBER), key, "1000")

    def _hand(
        self,
        delivery: values.Delivery,
        future: "Future[None]",
        *,
        over: bool = False,
        lost: bool = False,
    ) -> None:
        for hand in self.hands:
            if hand.delivery.id == delivery.id:
                assert hand.over or self._has_ended(hand, self.clock.now), "two valid leases"
                assert hand.over or delivery.attempt > hand.delivery.attempt
        if not lost:
            self.hands.append(Hand(delivery, future, delivery.lease_until, over))

    @staticmethod
    def _has_ended(hand: Hand, now: datetime) -> bool:
        return hand.until <= now

    def _given_back(self, deliveries: list[values.Delivery]) -> None:
        keys = {(delivery.id, delivery.attempt) for delivery in deliveries}
        for hand in self.hands:
            if (hand.delivery.id, hand.delivery.attempt) in keys:
                hand.over = True

    def _any_delivery(self, which: int) -> int:
        return sorted(self.states)[which % len(self.states)]

    @staticmethod
    def _row(number: int) -> Delivery:
        return Delivery.objects.get(id=number)


def empty() -> None:
    with guarded(), connection.cursor() as cursor:
        for table in TABLES:
            cursor.execute(f"DELETE FROM {table}")


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
