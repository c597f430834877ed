"""Polls a satellite network for what devices sent, and acknowledges what is on disk."""

import asyncio
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from tenacity import AsyncRetrying, RetryCallState

from messaging.errors import GatewayError, Unavailable
from messaging.model.message import Emit
from messaging.satellite.account import Packet, PolledAccount
from messaging.satellite.uplink import offer_packet
from messaging.sending.backoff import wait_seconds

log = logging.getLogger(__name__)

PAGES_OF_STUCK_PACKETS = 20
STAND_BY_SECONDS = 5.0
ACKNOWLEDGEMENTS_AT_ONCE = 20


@dataclass(frozen=True, slots=True)
class _Held:
    """A packet that is not tried again before `until` (monotonic seconds), after `tries` tries."""

    tries: int
    until: float


class PollLease(Protocol):
    """Says whether it is this poller's turn, where several could poll one account. Blocking."""

    @property
    def held(self) -> bool:
        """Whether the turn that was last granted still lasts."""

    def acquire(self) -> bool:
        """Take or keep the turn; whether it is ours. Raises GatewayError when nobody can say."""

    def release(self) -> None:
        """Let another have it. Raises GatewayError."""


class SatellitePoller:
    """The source of one account's uplinks: at least once, acknowledged only after the router committed.

    One poller per account works at a time. The network's list cannot be divided among several, and dividing it here
    starves whoever finds the page full of the others' packets; one poller is bounded by the router, not by itself.
    With a `turn`, a second service on the same store stands by and takes over when the first leaves or dies. Two
    that overlap for a moment do no harm: both offer the same ids, and neither acknowledges without its turn.

    The network lists unacknowledged packets and knows no second page. So packets that cannot be taken now (the
    router is away, or has a bug with one of them) are held for a while, doubling, and the page grows by their number:
    those behind them are seen, up to `PAGES_OF_STUCK_PACKETS` pages.
    """

    def __init__(self, account: PolledAccount, via: str, turn: PollLease | None = None) -> None:
        self._account = account
        self._via = via
        self._turn = turn
        self._standing_by = False
        self._network = account.connect()
        self._held: dict[str, _Held] = {}
        self._stuck = 0
        self._acknowledging = asyncio.Semaphore(ACKNOWLEDGEMENTS_AT_ONCE)
        self._stopping = asyncio.Event()
        self._stopped = asyncio.Event()
        self._stopped.set()
        self._last_poll_at: datetime | None = None
        self._failing_since: datetime | None = None
        self._failure = ""
        self._taken = 0
        self._undeliverable = 0

    def __reduce__(
        self,
    ) -> tuple[type["SatellitePoller"], tuple[PolledAccount, str, PollLease | None]]:
        """Travel as settings: connections and counts stay behind."""
        return type(self), (self._account, self._via, self._turn)

    async def run(self, emit: Emit) -> None:
        """Poll until drained, once; a network or a router that fails is waited for, never given up."""
        self._stopped.clear()
        try:
            while not self._stopping.is_set():
                more: bool = await self._retrying()(self._poll, emit)
                if not more:
                    await self._pause(self._idle_seconds)
        finally:
            await self._give_up()
            self._stopped.set()
            await self._network.aclose()

    async def drain(self) -> None:
        """Finish the page in work, then stop; returns when `run` has."""
        self._stopping.set()
        await self._stopped.wait()

    def status(self) -> dict[str, object]:
        """Return what an operator wants to know: times in UTC, ISO 8601, or None."""
        return {
            "via": self._via,
            "standing_by": self._standing_by,
            "last_poll": _iso(self._last_poll_at),
            "failing_since": _iso(self._failing_since),
            "failure": self._failure,
            "packets_taken": self._taken,
            "undeliverable": self._undeliverable,
            "stuck": self._stuck,
        }

    def _retrying(self) -> AsyncRetrying:
        return AsyncRetrying(wait=self._wait, sleep=self._pause, before_sleep=self._note_failure)

    async def _poll(self, emit: Emit) -> bool:
        """Take one page; returns whether to ask for the next at once. Raises what the network raises."""
        if self._stopping.is_set() or not await self._is_our_turn():
            return False
        most = self._account.page_size * PAGES_OF_STUCK_PACKETS
        count = min(self._account.page_size + self._stuck, most)
        page = await self._network.inbox(count)
        self._note_success()
        taken = await self._take(page, emit)
        # A page that brought nothing forward is not asked for again at once.
        return taken > 0 and len(page) >= count

    async def _take(self, page: Sequence[Packet], emit: Emit) -> int:
        """Offer what is not held, all at once and in the page's order; returns how many were acknowledged.

        So the router gets batches, not one packet of each device at a time.
        """
        now = time.monotonic()
        listed = {packet.id for packet in page}
        self._held = {number: held for number, held in self._held.items() if number in listed}
        due = [p for p in page if p.id not in self._held or self._held[p.id].until <= now]
        taken = sum(await asyncio.gather(*(self._take_one(packet, emit) for packet in due)))
        self._stuck = len(page) - taken
        return taken

    async def _take_one(self, packet: Packet, emit: Emit) -> bool:
        """Hand over and acknowledge one packet; whatever comes of it, it is held for a while."""
        try:
            undeliverable = await offer_packet(packet, self._via, emit)
            await self._acknowledge(packet)
        except Exception as error:
            self._hold(packet, getattr(error, "retry_after_seconds", None))
            log.warning("packet %s of %s stays: %s", packet.id, self._via, _reason(error))
            return False
        # Some networks go on listing an acknowledged packet for a while.
        self._hold(packet)
        self._taken += 1
        self._undeliverable += undeliverable
        return True

    async def _acknowledge(self, packet: Packet) -> None:
        async with self._acknowledging:
            if self._turn is not None and not self._turn.held:
                raise Unavailable("another poller has the turn")
            await self._network.acknowledge(packet.id)

    def _hold(self, packet: Packet, at_least_seconds: float | None = None) -> None:
        tries = 1 + (self._held[packet.id].tries if packet.id in self._held else 0)
        until = time.monotonic() + self._wait_seconds(tries, at_least_seconds)
        self._held[packet.id] = _Held(tries, until)

    def _wait(self, state: RetryCallState) -> float:
        """Return how many seconds to wait for the network after a poll that failed."""
        retry_after = getattr(_error_of(state), "retry_after_seconds", None)
        return self._wait_seconds(state.attempt_number, retry_after)

    def _wait_seconds(self, tries: int, retry_after_seconds: float | None) -> float:
        account = self._account
        return wait_seconds(
            tries, account.retry_seconds, account.longest_retry_seconds, retry_after_seconds
        )

    @property
    def _idle_seconds(self) -> float:
        poll_seconds = self._account.poll_seconds
        return min(poll_seconds, STAND_BY_SECONDS) if self._standing_by else poll_seconds

    async def _is_our_turn(self) -> bool:
        if self._turn is None:
            return True
        self._standing_by = not await asyncio.to_thread(self._turn.acquire)
        return not self._standing_by

    async def _give_up(self) -> None:
        if self._turn is None or not self._turn.held:
            return
        try:
            await asyncio.to_thread(self._turn.release)
        except GatewayError as error:
            log.warning("the turn for %s ends by itself: %s", self._via, error.reason)

    async def _pause(self, seconds: float) -> None:
        """Sleep, but not through a drain."""
        try:
            async with asyncio.timeout(seconds):
                await self._stopping.wait()
        except TimeoutError:
            return

    def _note_failure(self, state: RetryCallState) -> None:
        self._failure = _reason(_error_of(state))
        if self._failing_since is None:
            self._failing_since = datetime.now(UTC)
            log.warning("polling %s fails: %s", self._via, self._failure)

    def _note_success(self) -> None:
        self._last_poll_at = datetime.now(UTC)
        if self._failing_since is not None:
            log.info("polling %s works again", self._via)
        self._failing_since, self._failure = None, ""


def _error_of(state: RetryCallState) -> BaseException | None:
    return state.outcome.exception() if state.outcome is not None else None


def _reason(error: BaseException | None) -> str:
    """Return words for logs and status; of a bug only its type, since its text may quote a message."""
    # Ours, or the dataflow's, of which nothing is known here.
    if getattr(error, "for_people", False):
        return str(error)
    return f"internal error ({type(error).__name__})"


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat(timespec="seconds") if moment is not None else None
