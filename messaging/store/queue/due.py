"""The source of due attempts: first attempts that were lost, and attempts whose time has come."""

import logging
import time
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from queue import Empty, SimpleQueue
from threading import Event

from django.utils import timezone

from messaging.config.settings import Settings
from messaging.errors import GatewayError
from messaging.model.message import Delivery, Network
from messaging.store.db.connection import BatchRunner, close_connection, open_store
from messaging.store.queue.claims import Claims, ClockWatch, give_back
from messaging.store.retention.sweeper import Sweeper

log = logging.getLogger(__name__)

EmitDelivery = Callable[[Delivery], "Future[None]"]
"""Hands an attempt to a sender. The future is done when the sender has finished with it, or refused it.

Cancelling the future takes the attempt back, if no sender has it yet.
"""


@dataclass(slots=True)
class _Flight:
    """An attempt that a sender has, and the future that ends with it."""

    delivery: Delivery
    future: "Future[None] | None" = None


@dataclass(frozen=True, slots=True)
class _End:
    """The end of a flight; `is_refused` if no sender took the attempt."""

    delivery: Delivery
    is_refused: bool


class Due:
    """Claims due attempts and emits them, for each account at most its `capacity` at any one time.

    Urgent attempts have the same capacity again, and a provider that hangs fills only its own. When the store is away
    the claims stop until it is back. A delivery that could not be emitted is due again at once if a `GatewayError`
    refused it, and otherwise when its hand-out ends. The notices of deliveries that end here leave by
    `default_accounts`.
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
        self._poll_seconds = settings.due_poll_seconds
        self._now = now
        self._clock = ClockWatch()
        self._is_recalling = False
        self._runner = BatchRunner("due")
        self._sweeper = Sweeper(settings, now)
        self._in_flight: dict[str, dict[tuple[int, int], _Flight]] = {via: {} for via in capacity}
        self._has_more: set[str] = set()
        self._refused: list[Delivery] = []
        self._ends: SimpleQueue[_End | None] = SimpleQueue()
        self._stopping = Event()
        self._draining = Event()
        self._counters: Counter[str] = Counter()

    def run(self, emit: EmitDelivery) -> None:
        """Claim and emit until `stop` is called."""
        try:
            while not self._stopping.is_set():
                self.turn(emit)
                self._wait()
        finally:
            close_connection()

    def stop(self) -> None:
        """Make `run` return soon. Attempts in flight go on."""
        self._stopping.set()
        self._ends.put(None)

    def drain(self) -> None:
        """Claim nothing from now on."""
        self._draining.set()

    def status(self) -> dict[str, object]:
        """Return the counts of claims, releases and expiries since the start, and the attempts in flight by account."""
        flights = {f"in_flight_{via}": len(flights) for via, flights in self._in_flight.items()}
        settled = self._claims.counters.snapshot()
        return {
            **self._counters,
            **flights,
            "swept": dict(self._sweeper.counters),
            "settled": settled,
        }

    def turn(self, emit: EmitDelivery) -> None:
        """Do once what `run` repeats: give back, expire, claim, emit."""
        while not self._ends.empty():
            self._note(self._ends.get())
        self._give_back_refused()
        if self._draining.is_set():
            return
        self._recall()
        number = self._runner.run_one(lambda: self._claims.expire(self._now()))
        if isinstance(number, GatewayError):
            return
        self._counters["expired"] += number
        for via in self._capacity:
            self._claim_and_emit(via, emit)
        if not self._has_more:
            self._sweeper.turn()

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

    def _claim_and_emit(self, via: str, emit: EmitDelivery) -> None:
        room, urgent_room = self._room(via)
        claimed = self._runner.run_one(
            lambda: self._claims.claim(via, room, self._now(), urgent_room)
        )
        if isinstance(claimed, GatewayError):
            return
        self._counters["claimed"] += len(claimed)
        if sum(not delivery.is_urgent for delivery in claimed) == room:
            self._has_more.add(via)
        else:
            self._has_more.discard(via)
        for delivery in claimed:
            self._emit(delivery, emit)

    def _emit(self, delivery: Delivery, emit: EmitDelivery) -> None:
        flight = self._in_flight[delivery.via][_key(delivery)] = _Flight(delivery)
        try:
            flight.future = emit(delivery)
            flight.future.add_done_callback(partial(self._end, delivery))
        except Exception as error:
            log.warning(
                "emit failed with %s",
                type(error).__name__,
                extra={"message_id": delivery.message.id},
            )
            self._ends.put(_End(delivery, isinstance(error, GatewayError)))

    def _end(self, delivery: Delivery, future: "Future[None]") -> None:
        # Runs in the thread that ended the future; the store belongs to the thread of `run`.
        error = None if future.cancelled() else future.exception()
        self._ends.put(_End(delivery, isinstance(error, GatewayError)))

    def _room(self, via: str) -> tuple[int, int]:
        """Return how many more attempts the account may be given, and how many more urgent ones."""
        flights = self._in_flight[via]
        now = self._now()
        # A sender that has not taken a delivery for so long hangs. A copy that it still has does no harm.
        for key in [key for key, one in flights.items() if one.delivery.lease_until <= now]:
            future = flights.pop(key).future
            if future is not None:
                future.cancel()
        urgent = sum(flight.delivery.is_urgent for flight in flights.values())
        capacity = self._capacity[via]
        return max(capacity - len(flights) + urgent, 0), max(capacity - urgent, 0)

    def _note(self, end: _End | None) -> None:
        if end is None:
            return
        self._in_flight[end.delivery.via].pop(_key(end.delivery), None)
        if end.is_refused:
            self._refused.append(end.delivery)

    def _give_back_refused(self) -> None:
        refused, self._refused = self._refused, []
        if not refused:
            return
        error = self._runner.run_one(lambda: give_back(refused, self._now()))
        # If that fails, they are due when their hand-outs end.
        if error is None:
            self._counters["released"] += len(refused)

    def _wait(self) -> None:
        """Wait for the next poll, or until half of the capacity of an account with more due attempts is free."""
        end = time.monotonic() + self._poll_seconds
        while not self._stopping.is_set() and (left := end - time.monotonic()) > 0:
            try:
                self._note(self._ends.get(timeout=left))
            except Empty:
                return
            if any(2 * len(self._in_flight[via]) <= self._capacity[via] for via in self._has_more):
                return


def _key(delivery: Delivery) -> tuple[int, int]:
    return delivery.id, delivery.attempt
