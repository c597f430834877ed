"""The source of receipts from providers that report the status of a message only when it is looked up."""

import asyncio
from abc import abstractmethod
from collections import deque
from collections.abc import Sequence
from typing import Protocol

from messaging.errors import Rejected
from messaging.model.message import Emit, Receipt
from messaging.model.receipt import FINAL_RECEIPTS
from messaging.satellite.account import SatelliteAccount, SatelliteClient, Seconds
from messaging.sending.failure_status import FailureStatus
from messaging.sending.poll_lease import PollLease, pause


class TracedClient(SatelliteClient, Protocol):
    """A client that can look up the status of a message."""

    async def trace(self, network_id: str) -> Receipt | None:
        """Return the status of the message with the provider's id `network_id`; None when it has none.

        Raises Rejected when the provider does not know the message, or Unavailable.
        """


class TracedAccount(SatelliteAccount):
    """The settings of a provider with look-ups: every `trace_seconds`, for `trace_hours` after a message was sent."""

    trace_seconds: Seconds = 600
    trace_hours: Seconds = 72

    @property
    @abstractmethod
    def traces(self) -> bool:
        """Whether look-ups are on."""

    @abstractmethod
    def connect(self) -> TracedClient:
        """Return the client of this account, without I/O."""


class UnconfirmedSource(Protocol):
    """The messages that were sent and have no final receipt yet. Blocking."""

    def next(self) -> Sequence[str]:
        """Return the provider's ids of some of them, in rotation. Raises GatewayError."""


class StatusPoller:
    """Looks up the status of each message in turn, and emits final receipts; others are looked up again.

    The `lease` makes one of several services on a store look up. Picklable until it runs.
    """

    def __init__(
        self, account: TracedAccount, via: str, unconfirmed: UnconfirmedSource, lease: PollLease
    ) -> None:
        self._account = account
        self._via = via
        self._unconfirmed = unconfirmed
        self._lease = lease
        self._client = account.connect()
        # A round ends at a failure; the next round starts after the failed id, so that it never blocks the others.
        self._ids: deque[str] = deque()
        self._stopping = asyncio.Event()
        self._stopped = asyncio.Event()
        self._stopped.set()
        self._lookups = 0
        self._receipts = 0
        self._failure = FailureStatus(f"looking up messages at {via}")

    def __reduce__(
        self,
    ) -> tuple[type["StatusPoller"], tuple[TracedAccount, str, UnconfirmedSource, PollLease]]:
        """Pickle the settings only, without connections and counts."""
        return type(self), (self._account, self._via, self._unconfirmed, self._lease)

    async def run(self, emit: Emit) -> None:
        """Look up until drained. Failures of the provider or the store are retried without end."""
        self._stopped.clear()
        try:
            while not self._stopping.is_set():
                await self._round(emit)
                await pause(self._account.trace_seconds, self._stopping)
        finally:
            self._stopped.set()
            await self._client.aclose()

    async def drain(self) -> None:
        """Finish the look-up in work, then stop; returns when `run` has returned."""
        self._stopping.set()
        await self._stopped.wait()

    def status(self) -> dict[str, object]:
        """Return counts since the start, and the failure that ended the last round early."""
        return {
            "via": self._via,
            "asked": self._lookups,
            "heard": self._receipts,
            "failure": self._failure.reason,
        }

    async def _round(self, emit: Emit) -> None:
        try:
            is_ours = await asyncio.to_thread(self._lease.acquire)
            if is_ours and not self._ids:
                self._ids.extend(await asyncio.to_thread(self._unconfirmed.next))
            while is_ours and self._ids and not self._stopping.is_set():
                await self._look_up(self._ids.popleft(), emit)
        except Exception as error:
            self._failure.note(error)
        else:
            self._failure.clear()

    async def _look_up(self, network_id: str, emit: Emit) -> None:
        self._lookups += 1
        try:
            receipt = await self._client.trace(network_id)
        except Rejected:
            return
        if receipt is not None and receipt.state in FINAL_RECEIPTS:
            await emit(receipt)
            self._receipts += 1
