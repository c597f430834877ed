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
from messaging.store.queue.due import Due
from messaging.store.queue.ledger import Ledger
from messaging.store.states import (
    FINAL,
    GIVEN,
    TRANSITIONS,
    TRANSITIONS_BY_HAND,
    UNDELIVERED,
    State,
    longest_seconds,
)
from tests.support.store import records as g
from tests.support.store.fixtures import TABLES
from tests.support.store.records import VIAS, Clock

ROOMS = {"hive": 4, "smtp": 4, "twilio": 4}


@dataclass
class Hand:
    """An attempt in a sender's hands; `over` once its end was reported, or it was given back."""

    delivery: values.Delivery
    future: "Future[None]"
    until: datetime
    over: bool = False


class WatchedGateway(RuleBasedStateMachine):
    """Keeps who has which attempt in hand, and compares every step with the table of states."""

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

    @invariant()
    def every_step_is_in_the_table(self) -> None:
        for row in Delivery.objects.order_by("id"):
            before, after = self.states.get(row.id), State(row.state)
            if before not in (None, after):
                by_hand = self.by_hand and (before, after) in TRANSITIONS_BY_HAND
                assert by_hand or (before, after) in TRANSITIONS, (before, after)
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
    with store_errors(), connection.cursor() as cursor:
        for table in TABLES:
            cursor.execute(f"DELETE FROM {table}")
