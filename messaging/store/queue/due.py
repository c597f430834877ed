"""The source of everything that is owed: first tries that were lost, and tries whose time has come."""

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

from messaging.config.settings import Settings
from messaging.errors import GatewayError
from messaging.model.message import Delivery, Network
from messaging.store.db.batch import BatchRunner
from messaging.store.db.clock import ClockWatch, utc_now
from messaging.store.db.connection import close_connection, open_store
from messaging.store.queue.claims import Claims, give_back

log = logging.getLogger(__name__)

EmitDelivery = Callable[[Delivery], "Future[None]"]
"""How `Due` hands over an attempt; the future is done when a sender has finished with it, or refused it.

To cancel the future takes the attempt back, if no sender has it yet.
"""


@dataclass(slots=True)
class _Flight:
    """An attempt that was handed over, and what says when it lands."""

    delivery: Delivery
    landing: "Future[None] | None" = None


@dataclass(frozen=True, slots=True)
class _Landed:
    """An attempt that is in nobody's hands any more; `refused` means that no sender took it."""

    delivery: Delivery
    refused: bool


class Due:
    """Claims what is owed and emits it, for each provider at most as much as its `rooms` say at any one time.

    What is urgent has as much room of its own. A provider that is stuck keeps its own room only. Survives the store
    being away; what it claimed and could not hand over is owed again at once when the refusal was one of ours, and
    else when its lease ends. Authors are told of what it ends by the networks in `default_accounts`.
    """

    def __init__(
        self,
        settings: Settings,
        rooms: Mapping[str, int],
        default_accounts: Mapping[Network, str] | None = None,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        open_store(settings)
        self._claims = Claims(settings, default_accounts)
        self._rooms = dict(rooms)
        self._poll_seconds = settings.due_poll_seconds
        self._now = now
        self._clock = ClockWatch()
        self._is_recalling = False
        self._runner = BatchRunner("due")
        self._in_flight: dict[str, dict[tuple[int, int], _Flight]] = {via: {} for via in rooms}
        self._has_more: set[str] = set()
        self._refused: list[Delivery] = []
        self._landed: SimpleQueue[_Landed | None] = SimpleQueue()
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
        """Make `run` return soon. What is in flight keeps its lease."""
        self._stopping.set()
        self._landed.put(None)

    def drain(self) -> None:
        """Claim nothing from now on."""
        self._draining.set()

    def status(self) -> dict[str, object]:
        """Return what was claimed, released and expired since the start, and what is in flight by provider."""
        flights = {f"in_flight_{via}": len(held) for via, held in self._in_flight.items()}
        return {**self._counters, **flights, "settled": self._claims.counters.snapshot()}

    def turn(self, emit: EmitDelivery) -> None:
        """Do once what `run` does again and again: take back, expire, claim, emit."""
        self._take_landed()
        self._put_back()
        if self._draining.is_set():
            return
        self._recall()
        expired = self._runner.run_one(lambda: self._claims.expire(self._now()))
        if isinstance(expired, GatewayError):
            return
        self._counters["expired"] += expired
        for via in self._rooms:
            self._claim_and_emit(via, emit)

    def _recall(self) -> None:
        """Do not let wait, for as long as a clock was wrong, what it had put off."""
        self._is_recalling |= self._clock.was_set_back(self._now())
        if not self._is_recalling:
            return
        recalled = self._runner.run_one(lambda: self._claims.recall(self._now()))
        if isinstance(recalled, GatewayError):
            return
        self._is_recalling = False
        if recalled:
            log.warning("the clock was set back; %d deliveries are owed anew", recalled)

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
            flight.landing = emit(delivery)
            flight.landing.add_done_callback(partial(self._land, delivery))
        except Exception as error:
            log.warning(
                "emit failed with %s",
                type(error).__name__,
                extra={"message_id": delivery.message.id},
            )
            self._landed.put(_Landed(delivery, isinstance(error, GatewayError)))

    def _land(self, delivery: Delivery, future: "Future[None]") -> None:
        # Runs in the thread that ended the future; the store belongs to the thread of `run`.
        error = None if future.cancelled() else future.exception()
        self._landed.put(_Landed(delivery, isinstance(error, GatewayError)))

    def _room(self, via: str) -> tuple[int, int]:
        """How much more its senders may be given, and how much more of what is urgent."""
        held = self._in_flight[via]
        now = self._now()
        # An attempt whose lease has passed is void, whatever its sender still does.
        for key in [key for key, flight in held.items() if flight.delivery.lease_until <= now]:
            landing = held.pop(key).landing
            if landing is not None:
                landing.cancel()
        urgent = sum(flight.delivery.is_urgent for flight in held.values())
        return max(self._rooms[via] - len(held) + urgent, 0), max(self._rooms[via] - urgent, 0)

    def _note(self, landed: _Landed) -> None:
        self._in_flight[landed.delivery.via].pop(_key(landed.delivery), None)
        if landed.refused:
            self._refused.append(landed.delivery)

    def _take_landed(self) -> None:
        while not self._landed.empty():
            landed = self._landed.get()
            if landed is not None:
                self._note(landed)

    def _put_back(self) -> None:
        refused, self._refused = self._refused, []
        if not refused:
            return
        error = self._runner.run_one(lambda: give_back(refused, self._now()))
        if error is None:
            self._counters["released"] += len(refused)
        # Otherwise the lease ends by itself.

    def _wait(self) -> None:
        """Wait for the next poll, or until half of the room of a provider with more to do is free again."""
        end = time.monotonic() + self._poll_seconds
        while not self._stopping.is_set() and (left := end - time.monotonic()) > 0:
            try:
                landed = self._landed.get(timeout=left)
            except Empty:
                return
            if landed is not None:
                self._note(landed)
            if any(2 * len(self._in_flight[via]) <= self._rooms[via] for via in self._has_more):
                return


def _key(delivery: Delivery) -> tuple[int, int]:
    return delivery.id, delivery.attempt
