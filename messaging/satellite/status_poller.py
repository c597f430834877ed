"""The source of a network's news about what it was handed, where it tells them only when it is asked."""

import asyncio
import logging
from abc import abstractmethod
from collections import deque
from collections.abc import Sequence
from typing import Protocol

from messaging.errors import GatewayError, Rejected
from messaging.model.message import Emit, Receipt
from messaging.model.receipt import FINAL_RECEIPTS
from messaging.satellite.account import SatelliteAccount, SatelliteNetwork, Seconds
from messaging.satellite.poller import PollLease

log = logging.getLogger(__name__)


class TracedNetwork(SatelliteNetwork, Protocol):
    """A network that can be asked what became of something."""

    async def trace(self, network_id: str) -> Receipt | None:
        """Return what became of what the network calls `network_id`; None when it does not say.

        Raises Rejected when it does not know it, or Unavailable.
        """


class TracedAccount(SatelliteAccount):
    """The settings of a provider that is asked: every `trace_seconds`, for `trace_hours` after it was handed over."""

    trace_seconds: Seconds = 600
    trace_hours: Seconds = 72

    @property
    @abstractmethod
    def traces(self) -> bool:
        """Whether it is asked at all."""

    @abstractmethod
    def connect(self) -> TracedNetwork:
        """Return the network of this account, without I/O."""


class UnconfirmedSource(Protocol):
    """Knows what was handed over and has not been heard of since. Blocking."""

    def next(self) -> Sequence[str]:
        """Return the network's ids of some of it, by turns. Raises GatewayError when nobody can say."""


class StatusPoller:
    """Asks about each thing in turn, one at a time. Only what is final is news; the rest is asked about again.

    With a `turn`, one of several services on a store asks. Can be pickled until it runs.
    """

    def __init__(
        self, account: TracedAccount, via: str, unheard: UnconfirmedSource, turn: PollLease
    ) -> None:
        self._account = account
        self._via = via
        self._unheard = unheard
        self._turn = turn
        self._network = account.connect()
        # A round ends at what fails; the next one goes on behind it, so that it keeps nobody back for ever.
        self._left: deque[str] = deque()
        self._stopping = asyncio.Event()
        self._stopped = asyncio.Event()
        self._stopped.set()
        self._asked = 0
        self._heard = 0
        self._failure = ""

    def __reduce__(
        self,
    ) -> tuple[type["StatusPoller"], tuple[TracedAccount, str, UnconfirmedSource, PollLease]]:
        """Travel as settings: connections and counts stay behind."""
        return type(self), (self._account, self._via, self._unheard, self._turn)

    async def run(self, emit: Emit) -> None:
        """Ask until drained; a network or a store that fails is asked again, never given up."""
        self._stopped.clear()
        try:
            while not self._stopping.is_set():
                await self._round(emit)
                await self._pause()
        finally:
            self._stopped.set()
            await self._network.aclose()

    async def drain(self) -> None:
        """Finish the question in work, then stop; returns when `run` has."""
        self._stopping.set()
        await self._stopped.wait()

    def status(self) -> dict[str, object]:
        """Return what an operator wants to know: counts since the start, and why the last round ended early."""
        return {
            "via": self._via,
            "asked": self._asked,
            "heard": self._heard,
            "failure": self._failure,
        }

    async def _round(self, emit: Emit) -> None:
        self._failure = ""
        try:
            if not await asyncio.to_thread(self._turn.acquire):
                return
            if not self._left:
                self._left.extend(await asyncio.to_thread(self._unheard.next))
            while self._left and not self._stopping.is_set():
                await self._ask(self._left.popleft(), emit)
        except Exception as error:
            # Of a bug only its type: its text may quote a message.
            self._failure = (
                error.reason if isinstance(error, GatewayError) else type(error).__name__
            )
            log.warning("what %s was handed is asked for later: %s", self._via, self._failure)

    async def _ask(self, network_id: str, emit: Emit) -> None:
        self._asked += 1
        try:
            receipt = await self._network.trace(network_id)
        except Rejected:
            return
        if receipt is not None and receipt.state in FINAL_RECEIPTS:
            await emit(receipt)
            self._heard += 1

    async def _pause(self) -> None:
        """Sleep, but not through a drain."""
        try:
            async with asyncio.timeout(self._account.trace_seconds):
                await self._stopping.wait()
        except TimeoutError:
            return
