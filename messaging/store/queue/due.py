"""The source of due attempts: first attempts that were lost, and attempts whose time has come."""

import logging
import time
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from queue import SimpleQueue
from threading import Event
from typing import Final

from django.utils import timezone

from messaging.config.settings import Settings
from messaging.errors import GatewayError
from messaging.model.message import Delivery, Network
from messaging.store.db.connection import BatchRunner, close_connection, open_store
from messaging.store.notices.budget_note import BudgetNotes
from messaging.store.notices.digest import Digests
from messaging.store.queue.claims import (
    Claims,
    ClockWatch,
    NextTimes,
    give_back,
    read_next_times,
)
from messaging.store.queue.lease import hand_out_end
from messaging.store.retention.sweeper import Sweeper

log = logging.getLogger(__name__)

EmitDelivery = Callable[[Delivery], "Future[None]"]
"""Hands a delivery to a sender. The future is done when the sender has it, or has refused it.

Cancelling the future takes the delivery back, if no sender has it yet.
"""

REFILL_SECONDS: Final = 0.1
"""How soon `due` looks again at an account of which it has handed deliveries out: senders begin many in that time."""
REFILL_FACTOR: Final = 2
"""The pause is so many times the time that the last look took, if that is more: a long queue costs little.

Without a change the pause becomes so many times longer until the next poll.
"""


@dataclass(slots=True)
class _HandOut:
    """A delivery that was handed to a sender, which has not begun it as far as is known."""

    delivery: Delivery
    until: datetime
    future: "Future[None] | None" = None


class Due:
    """Claims due attempts and emits them; of each account at most its `capacity` is handed out and not begun.

    Urgent attempts have the same capacity again, and a provider that hangs fills only its own. The lanes of an account
    take turns, and each has few deliveries handed out: however many wait in one lane, the others do not wait for them.
    When the store is away the claims stop until it is back. A delivery that could not be emitted is due again at once
    if a `GatewayError` refused it, and otherwise when its hand-out ends. The notices of deliveries that end here leave
    by `default_accounts`.
    """

    def __init__(
        self,
        settings: Settings,
        capacity: Mapping[str, int],
        default_accounts: Mapping[Network, str] | None = None,
        now: Callable[[], datetime] = timezone.now,
    ) -> None:
        open_store(settings)
        self._claims = Claims(settings, default_accounts)
        self._capacity = dict(capacity)
        self._accounts = tuple(capacity)
        self._next_due_seconds: float | None = None
        self._poll_seconds = settings.due_poll_seconds
        self._now = now
        self._clock = ClockWatch()
        self._is_recalling = False
        self._runner = BatchRunner("due")
        self._digests = Digests(settings, default_accounts, now)
        self._budget_notes = BudgetNotes(settings, default_accounts, now)
        self._sweeper = Sweeper(settings, now)
        self._hand_outs: dict[str, dict[tuple[int, int], _HandOut]] = {via: {} for via in capacity}
        self._has_more = False
        self._refused: SimpleQueue[Delivery] = SimpleQueue()
        self._stopping = Event()
        self._draining = Event()
        self._counters: Counter[str] = Counter()

    def run(self, emit: EmitDelivery) -> None:
        """Claim and emit until `close` is called."""
        try:
            while not self._stopping.is_set():
                began = time.monotonic()
                self.turn(emit)
                pause = self._poll_seconds
                if self._next_due_seconds is not None:
                    pause = min(pause, self._next_due_seconds)
                self._refill_until(began + pause, emit)
        finally:
            close_connection()

    def close(self) -> None:
        """Make `run` return soon. Senders go on with what they have."""
        self._stopping.set()

    def drain(self) -> None:
        """Claim nothing from now on."""
        self._draining.set()

    def status(self) -> dict[str, object]:
        """Return the counts of claims, releases and expiries since the start, and the hand-outs by account.

        `unreached` counts the recipients of emergencies whose delivery has failed.
        """
        counts = {f"in_flight_{via}": len(those) for via, those in self._hand_outs.items()}
        settled = self._claims.counters.snapshot()
        return {
            **self._counters,
            **counts,
            **self._digests.counters,
            "unreached": self._claims.counters.unreached,
            "swept": dict(self._sweeper.counters),
            "settled": settled,
        }

    def turn(self, emit: EmitDelivery) -> None:
        """Do once what `run` repeats: give back, expire, claim, emit."""
        self._next_due_seconds = None
        self._give_back_refused()
        if self._draining.is_set():
            return
        self._recall()
        times = self._runner.run_one(lambda: read_next_times(self._accounts))
        if isinstance(times, GatewayError) or not self._expire(times):
            return
        self._digests.turn()
        self._budget_notes.turn()
        # Again: the notices of what expired are due now.
        times = self._runner.run_one(lambda: read_next_times(self._accounts))
        if isinstance(times, GatewayError):
            return
        self._has_more = False
        for via, hand_outs in self._hand_outs.items():
            if hand_outs or times.is_due(via, self._now()):
                self._refill(via, emit)
        if not self._has_more:
            self._sweeper.turn()
        if not any(self._hand_outs.values()):
            self._next_due_seconds = times.seconds_to_next_due(self._now())

    def _expire(self, times: NextTimes) -> bool:
        """Expire what has waited or was held for its whole time; return whether the store took it."""
        now = self._now()
        for moment, expire in (
            (times.expiry, self._claims.expire),
            (times.held_expiry, self._claims.expire_held),
        ):
            if moment is None or moment > now:
                continue
            number = self._runner.run_one(partial(expire, now))
            if isinstance(number, GatewayError):
                return False
            self._counters["expired"] += number
        return True

    def _recall(self) -> None:
        """After the clock was set back, make due what the wrong clock had postponed too far."""
        self._is_recalling |= self._clock.was_set_back(self._now())
        if not self._is_recalling:
            return
        number = self._runner.run_one(lambda: self._claims.recall(self._now()))
        if isinstance(number, GatewayError):
            return
        self._is_recalling = False
        if number:
            log.warning("the clock was set back; %d deliveries are due anew", number)

    def _forget_begun(self, via: str) -> None:
        """Forget what senders have begun, and what is due again because its hand-out has ended."""
        hand_outs = self._hand_outs[via]
        now = self._now()
        latest = hand_out_end(now)
        # Also those of a clock that has been set back since.
        for key in [key for key, one in hand_outs.items() if not now < one.until <= latest]:
            future = hand_outs.pop(key).future
            if future is not None:
                future.cancel()
        if not hand_outs:
            return
        deliveries = [one.delivery for one in hand_outs.values()]
        waiting = self._runner.run_one(lambda: self._claims.not_begun(deliveries))
        if not isinstance(waiting, GatewayError):
            for key in hand_outs.keys() - waiting:
                del hand_outs[key]

    def _refill_until(self, poll_at: float, emit: EmitDelivery) -> None:
        """Wait until then, and claim more for the accounts whose senders begin what was handed out."""
        pause = REFILL_SECONDS
        while (left := poll_at - time.monotonic()) > 0:
            busy = [via for via, hand_outs in self._hand_outs.items() if hand_outs]
            if self._stopping.wait(min(left, pause) if busy else left):
                return
            began = time.monotonic()
            self._give_back_refused()
            changes = [not self._draining.is_set() and self._refill(via, emit) for via in busy]
            # Beside a provider that hangs nothing changes, and the router needs the store.
            longer = 0.0 if any(changes) else REFILL_FACTOR * pause
            pause = max(REFILL_SECONDS, REFILL_FACTOR * (time.monotonic() - began), longer)

    def _refill(self, via: str, emit: EmitDelivery) -> bool:
        """Claim and emit as much as there is room; return whether anything began, ended or was claimed."""
        hand_outs = self._hand_outs[via]
        before = len(hand_outs)
        self._forget_begun(via)
        has_begun = len(hand_outs) < before
        urgent = sum(one.delivery.is_urgent for one in hand_outs.values())
        capacity = self._capacity[via]
        room, urgent_room = max(capacity - len(hand_outs) + urgent, 0), max(capacity - urgent, 0)
        in_hand = Counter(one.delivery.lane for one in hand_outs.values())
        claimed = self._runner.run_one(
            lambda: self._claims.claim(via, room, self._now(), urgent_room, in_hand)
        )
        if isinstance(claimed, GatewayError):
            return has_begun
        self._counters["claimed"] += len(claimed)
        self._has_more |= sum(not delivery.is_urgent for delivery in claimed) == room
        for delivery in claimed:
            self._emit(delivery, emit)
        return has_begun or bool(claimed)

    def _emit(self, delivery: Delivery, emit: EmitDelivery) -> None:
        hand_out = _HandOut(delivery, hand_out_end(self._now()))
        self._hand_outs[delivery.via][_key(delivery)] = hand_out
        try:
            hand_out.future = emit(delivery)
            hand_out.future.add_done_callback(partial(self._end, delivery))
        except Exception as error:
            log.warning(
                "emit failed with %s",
                type(error).__name__,
                extra={"message_id": delivery.message.id},
            )
            if isinstance(error, GatewayError):
                self._refused.put(delivery)

    def _end(self, delivery: Delivery, future: "Future[None]") -> None:
        # Runs in the thread that ended the future; the store belongs to the thread of `run`.
        if not future.cancelled() and isinstance(future.exception(), GatewayError):
            self._refused.put(delivery)

    def _give_back_refused(self) -> None:
        refused: list[Delivery] = []
        while not self._refused.empty():
            delivery = self._refused.get()
            self._hand_outs[delivery.via].pop(_key(delivery), None)
            refused.append(delivery)
        if not refused:
            return
        error = self._runner.run_one(lambda: give_back(refused, self._now()))
        # If that fails, they are due when their hand-outs end.
        if error is None:
            self._counters["released"] += len(refused)


def _key(delivery: Delivery) -> tuple[int, int]:
    return delivery.id, delivery.attempt
