"""The source that polls a satellite provider: offers packets to the router, and acknowledges what is on disk."""

import asyncio
import logging
import time
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from messaging.errors import Unavailable
from messaging.model.message import Emit
from messaging.satellite.account import Count, Packet, SatelliteAccount, SatelliteClient, Seconds
from messaging.satellite.uplink import offer_packet
from messaging.sending.backoff import wait_seconds
from messaging.sending.failure_status import FailureStatus, iso, reason_of
from messaging.sending.poll_lease import STAND_BY_SECONDS, PollLease, pause, release

log = logging.getLogger(__name__)

MAX_PAGES = 20
ACKNOWLEDGEMENTS_AT_ONCE = 20


class PolledClient(SatelliteClient, Protocol):
    """A client for a provider that stores packets from devices until they are acknowledged."""

    async def inbox(self, count: int) -> list[Packet]:
        """Return up to `count` unacknowledged packets, oldest first. Raises Unavailable."""

    async def acknowledge(self, packet_id: str) -> None:
        """Have the provider delete a packet. Raises Rejected when it does not know the packet, or Unavailable."""


class PolledAccount(SatelliteAccount):
    """The settings of a polled provider. Waits after failures double up to `longest_retry_seconds`."""

    poll_seconds: Seconds = 60
    page_size: Count = 50
    retry_seconds: Seconds = 1
    longest_retry_seconds: Seconds = 300

    @abstractmethod
    def connect(self) -> PolledClient:
        """Return the client of this account, without I/O."""


@dataclass(frozen=True, slots=True)
class _PacketRetry:
    """The next try of a packet: at `due` (monotonic seconds), after `tries` tries."""

    tries: int
    due: float


class SatellitePoller:
    """The source of one account's uplinks: at least once, acknowledged after the router has committed.

    One poller per account works at a time. With a `lease`, a second service on the same store stands by and takes over
    when the first one leaves or dies. Two that overlap do no harm: both offer the same ids, and neither acknowledges
    without the lease.

    The provider lists unacknowledged packets and has no second page. A packet that cannot be stored now (the router is
    away, or has a bug) is retried after a wait that doubles. Meanwhile the page grows by the number of such packets, up
    to `MAX_PAGES` pages, so that the packets after them are listed.
    """

    # Several pollers at a time would not share the work: the list cannot be divided, and a poller that divided it by
    # ids could find its page full of the others' packets. The limit of one poller is the router.

    def __init__(self, account: PolledAccount, via: str, lease: PollLease | None = None) -> None:
        self._account = account
        self._via = via
        self._lease = lease
        self._is_standby = False
        self._client = account.connect()
        self._retries: dict[str, _PacketRetry] = {}
        self._unacknowledged = 0
        self._acknowledging = asyncio.Semaphore(ACKNOWLEDGEMENTS_AT_ONCE)
        self._stopping = asyncio.Event()
        self._stopped = asyncio.Event()
        self._stopped.set()
        self._last_poll_at: datetime | None = None
        self._failure = FailureStatus(f"polling {via}")
        self._taken = 0
        self._dead_letters = 0

    def __reduce__(
        self,
    ) -> tuple[type["SatellitePoller"], tuple[PolledAccount, str, PollLease | None]]:
        """Pickle the settings only, without connections and counts."""
        return type(self), (self._account, self._via, self._lease)

    async def run(self, emit: Emit) -> None:
        """Poll until drained. Failures of the provider or the router are retried without end. Runs once."""
        self._stopped.clear()
        failures = 0
        try:
            while not self._stopping.is_set():
                try:
                    more = await self._poll(emit)
                except Exception as error:
                    failures += 1
                    self._failure.note(error)
                    await pause(self._wait_seconds(failures, error), self._stopping)
                else:
                    failures = 0
                    if not more:
                        await pause(self._idle_seconds, self._stopping)
        finally:
            await release(self._lease, self._via)
            self._stopped.set()
            await self._client.aclose()

    async def drain(self) -> None:
        """Finish the page in work, then stop; returns when `run` has returned."""
        self._stopping.set()
        await self._stopped.wait()

    def status(self) -> dict[str, object]:
        """Return counts, the last failure, and times in UTC (ISO 8601, or None)."""
        return {
            "via": self._via,
            "standing_by": self._is_standby,
            "last_poll": iso(self._last_poll_at),
            **self._failure.fields(),
            "packets_taken": self._taken,
            "undeliverable": self._dead_letters,
            "stuck": self._unacknowledged,
        }

    async def _poll(self, emit: Emit) -> bool:
        """Take one page, and return whether the next one follows at once. Raises the client's errors."""
        if self._stopping.is_set():
            return False
        if self._lease is not None:
            self._is_standby = not await asyncio.to_thread(self._lease.acquire)
            if self._is_standby:
                return False
        page_size = self._account.page_size
        count = min(page_size + self._unacknowledged, page_size * MAX_PAGES)
        page = await self._client.inbox(count)
        self._last_poll_at = datetime.now(UTC)
        self._failure.clear()
        taken = await self._take(page, emit)
        # The same page again at once would bring no progress.
        return taken > 0 and len(page) >= count

    async def _take(self, page: Sequence[Packet], emit: Emit) -> int:
        """Offer the due packets of a page in order, all at once; return how many were acknowledged.

        All at once, the router gets batches.
        """
        now = time.monotonic()
        listed = {packet.id for packet in page}
        self._retries = {id: retry for id, retry in self._retries.items() if id in listed}
        due = [p for p in page if p.id not in self._retries or self._retries[p.id].due <= now]
        taken = sum(await asyncio.gather(*(self._take_one(packet, emit) for packet in due)))
        self._unacknowledged = len(page) - taken
        return taken

    async def _take_one(self, packet: Packet, emit: Emit) -> bool:
        """Offer and acknowledge one packet; return whether both succeeded."""
        try:
            dead_letters = await offer_packet(
                packet, self._via, emit, self._account.max_texts_per_packet
            )
            async with self._acknowledging:
                if self._lease is not None and not self._lease.is_valid:
                    raise Unavailable("another poller has the turn")
                await self._client.acknowledge(packet.id)
        except Exception as error:
            self._retry_later(packet, error)
            log.warning("packet %s of %s stays: %s", packet.id, self._via, reason_of(error))
            return False
        # Some providers list an acknowledged packet for a while.
        self._retry_later(packet, None)
        self._taken += 1
        self._dead_letters += dead_letters
        return True

    def _retry_later(self, packet: Packet, error: Exception | None) -> None:
        last = self._retries.get(packet.id)
        tries = 1 + (last.tries if last else 0)
        due = time.monotonic() + self._wait_seconds(tries, error)
        self._retries[packet.id] = _PacketRetry(tries, due)

    def _wait_seconds(self, tries: int, error: Exception | None) -> float:
        account = self._account
        retry_after = getattr(error, "retry_after_seconds", None)
        return wait_seconds(
            tries, account.retry_seconds, account.longest_retry_seconds, retry_after
        )

    @property
    def _idle_seconds(self) -> float:
        poll_seconds = self._account.poll_seconds
        return min(poll_seconds, STAND_BY_SECONDS) if self._is_standby else poll_seconds
