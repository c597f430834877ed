"""The source of a network that connects to us: listens, and hands over what comes."""

import asyncio
import logging
from collections.abc import Sequence

from messaging.errors import ConfigurationError, GatewayError
from messaging.model.message import Emit, Receipt
from messaging.satellite.account import ListeningAccount, Packet, Server
from messaging.satellite.uplink import offer_packet

log = logging.getLogger(__name__)


class SatelliteListener:
    """Serves one account's connections; what was handed over is on disk before the network is told so.

    Can be pickled until it runs.
    """

    def __init__(self, account: ListeningAccount, via: str) -> None:
        self._account = account
        self._via = via
        self._server: Server | None = None
        self._draining = asyncio.Event()
        self._stopped = asyncio.Event()
        self._stopped.set()
        self._taken = 0
        self._undeliverable = 0
        self._put_off = 0

    def __reduce__(self) -> tuple[type["SatelliteListener"], tuple[ListeningAccount, str]]:
        """Travel as settings: sockets and counts stay behind."""
        return type(self), (self._account, self._via)

    @property
    def listening(self) -> Sequence[str]:
        """Where it listens now, as host:port."""
        return self._server.listening if self._server is not None else ()

    async def run(self, emit: Emit) -> None:
        """Listen until drained, or cancelled. Raises ConfigurationError when the address cannot be used."""

        async def take(brought: Packet | Receipt) -> None:
            await self._take(brought, emit)

        self._stopped.clear()
        try:
            self._server = await self._account.serve(take)
            await self._draining.wait()
        except OSError as error:
            variable = self._account.variable("listen")
            raise ConfigurationError(
                f"{variable}: cannot listen on {self._account.listen}: {error.strerror}"
            ) from None
        finally:
            await self._stop()

    async def drain(self) -> None:
        """Take no new connection and let those in work finish; returns when `run` has."""
        self._draining.set()
        await self._stopped.wait()

    def status(self) -> dict[str, object]:
        """Return what an operator wants to know: counts since the start."""
        return {
            "via": self._via,
            "connects_at": list(self.listening),
            "packets_taken": self._taken,
            "undeliverable": self._undeliverable,
            "put_off": self._put_off,
        }

    async def _take(self, brought: Packet | Receipt, emit: Emit) -> None:
        try:
            if isinstance(brought, Receipt):
                await emit(brought)
            else:
                self._undeliverable += await offer_packet(brought, self._via, emit)
            self._taken += 1
        except Exception as error:
            self._put_off += 1
            # Of a bug only its type: its text may quote a message.
            why = error.reason if isinstance(error, GatewayError) else type(error).__name__
            log.warning("%s is told to come back: %s", self._via, why)
            raise

    async def _stop(self) -> None:
        server, self._server = self._server, None
        try:
            if server is not None:
                await server.drain()
        finally:
            self._stopped.set()
