"""A gateway whose actors are driven by hand, and what must hold of it after every step and at the end."""

from concurrent.futures import Future
from dataclasses import dataclass
from datetime import datetime

from django.db import connection
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
)

from messaging.config.settings import Settings
from messaging.errors import Unavailable
from messaging.model import message as values
from messaging.model.message import (
    Network,
)
from messaging.store.accept.router import Router
from messaging.store.console import directory
from messaging.store.db.connection import open_store, store_errors
from messaging.store.models import Delivery, Message
from messaging.store.notices.notices import VIA, notice_id
from messaging.store.queue.begin import StoreBegins
from messaging.store.queue.due import Due
from messaging.store.queue.ledger import Ledger
from messaging.store.states import (
    FINAL,
    GIVEN,
    PENDING,
    TRANSITIONS,
    TRANSITIONS_BY_HAND,
    UNDELIVERED,
    State,
    longest_seconds,
)
from tests.support.store import records as g
from tests.support.store.budgets import add_budget, check_sums
from tests.support.store.fixtures import TABLES
from tests.support.store.records import VIAS, Clock

ROOMS = {"hive": 4, "smtp": 4, "twilio": 4}


@dataclass
class Hand:
    """A delivery in a sender's hands, of which copies may exist.

    Its attempt has `begun` or not. It is `over` once its end was reported or its lease ended, and `known` if the ledger
    had a clear outcome before that.
    """

    delivery: values.Delivery
    future: "Future[None]"
    until: datetime
    begun: bool = False
    over: bool = False
    known: bool = False


class WatchedGateway(RuleBasedStateMachine):
    """Keeps who has which attempt in hand, and compares every step with the table of states."""

    settings: Settings

    @initialize(devices=st.sampled_from([1, 2]))
    def start(self, devices: int) -> None:
        open_store(self.settings)
        self.clock = Clock()
        to_all = self.settings.model_copy(update={"devices_per_message": "all"})
        self.router = Router(to_all, VIAS, now=self.clock)
        directory.add_subscriber("boop", g.BOOPS_NUMBER)
        for number in range(devices):
            directory.add_device(f"100{number}", owner="boop", network="hive", networks=["hive"])
        directory.add_subscriber("ann", senders="known")
        directory.add_device("2000", owner="ann", network="hive", networks=["hive"])
        add_budget(20, scope="gateway", period="day")
        self.hands: list[Hand] = []
        self.accepted: dict[str, values.Message] = {}
        self.states: dict[int, State] = {}
        self.touched: set[str] = set()
        self.stopped = False
        self.wishes = 0
        self.seconds_back = 0
        self.by_hand = False
        self.restart()

    def restart(self) -> None:
        """Every actor dies; what senders held is heard of no more, or late."""
        self.router = Router(self.settings, VIAS, now=self.clock)
        self.ledger = Ledger(self.settings, VIAS, now=self.clock)
        self.due = Due(self.settings, ROOMS, VIAS, now=self.clock)
        self.begins = StoreBegins(self.settings, now=self.clock)

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
            self._hand(delivery, future)

    def begin(self, hand: Hand) -> bool:
        """Let the sender begin the attempt; return whether it may send."""
        if hand.begun:
            return not hand.over
        [result] = self.begins.process([hand.delivery])
        assert isinstance(result, list)
        for delivery in result:
            for other in self.hands:
                if other.begun and other.delivery.id == delivery.id:
                    assert other.over, "two valid leases"
                    assert other.delivery.attempt < delivery.attempt
            hand.begun, hand.until = True, delivery.lease_until
        return hand.begun

    @invariant()
    def every_step_is_in_the_table(self) -> None:
        for row in Delivery.objects.order_by("id"):
            before, after = self.states.get(row.id), State(row.state)
            if before not in (None, after):
                by_hand = self.by_hand and (before, after) in TRANSITIONS_BY_HAND
                assert by_hand or (before, after) in TRANSITIONS, (before, after)
            assert (row.due_at is None) == (after is not State.WAITING)
            assert (row.held_until is None) == (after is not State.HELD)
            assert (row.settled_at is None) == (after not in FINAL)
            assert after not in UNDELIVERED or row.reason
            self.states[row.id] = after
        self.by_hand = False

    @invariant()
    def attempts_and_doubts_come_from_requests(self) -> None:
        for row in Delivery.objects.all():
            begun = [h for h in self.hands if h.begun and h.delivery.id == row.id]
            assert row.attempts == len(begun)
            assert row.uncertain <= sum(not hand.known for hand in begun)

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
        longest = max(longest, self.settings.held_days * 86_400)
        check_sums()
        for _ in range(2):
            self.clock.turn(longest + self.seconds_back)
            self.due.turn(lambda delivery: Future())
        assert not Delivery.objects.filter(state__in=PENDING).exists()
        check_sums()
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

    def _hand(
        self,
        delivery: values.Delivery,
        future: "Future[None]",
        *,
        lost: bool = False,
    ) -> None:
        for hand in self.hands:
            if hand.begun and hand.delivery.id == delivery.id:
                assert hand.over, "two valid leases"
                assert delivery.attempt > hand.delivery.attempt
        if not lost:
            self.hands.append(Hand(delivery, future, delivery.lease_until))

    def end_leases(self) -> None:
        """Note which attempts are over by now: the clock may be set back later."""
        for hand in self.hands:
            hand.over = hand.over or (hand.begun and hand.until <= self.clock.now)

    def _any_delivery(self, which: int) -> int:
        return sorted(self.states)[which % len(self.states)]

    @staticmethod
    def _row(number: int) -> Delivery:
        return Delivery.objects.get(id=number)


def empty() -> None:
    with store_errors(), connection.cursor() as cursor:
        for table in TABLES:
            cursor.execute(f"DELETE FROM {table}")
