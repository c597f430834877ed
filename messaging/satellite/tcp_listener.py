"""The source for a provider that connects to us over TCP."""

import asyncio
import logging
from collections.abc import Sequence

from messaging.errors import ConfigurationError, GatewayError
from messaging.model.message import Emit, Receipt
from messaging.satellite.account import ListeningAccount, Packet, Server
from messaging.satellite.uplink import offer_packet

log = logging.getLogger(__name__)


class SatelliteListener:
    """Serves the connections of one account; confirms a packet when it is on disk.

    Picklable until it runs.
    """

    def __init__(self, account: ListeningAccount, via: str) -> None:
        self._account = account
        self._via = via
        self._server: Server | None = None
        self._draining = asyncio.Event()
        self._stopped = asyncio.Event()
        self._stopped.set()
        self._taken = 0
        self._dead_letters = 0
        self._deferred = 0

    def __reduce__(self) -> tuple[type["SatelliteListener"], tuple[ListeningAccount, str]]:
        """Pickle the settings only, without sockets and counts."""
        return type(self), (self._account, self._via)

    @property
    def listening(self) -> Sequence[str]:
        """Its current addresses, as host:port."""
        return self._server.listening if self._server is not None else ()

    async def run(self, emit: Emit) -> None:
        """Listen until drained, or cancelled. Raises ConfigurationError when the address cannot be used."""

        async def take(content: Packet | Receipt) -> None:
            await self._take(content, emit)

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
        """Accept no new connection, finish those in work, and return when `run` has returned."""
        self._draining.set()
        await self._stopped.wait()

    def status(self) -> dict[str, object]:
        """Return addresses, and counts since the start."""
        return {
            "via": self._via,
            "connects_at": list(self.listening),
            "packets_taken": self._taken,
            "undeliverable": self._dead_letters,
            "put_off": self._deferred,
        }

    async def _take(self, content: Packet | Receipt, emit: Emit) -> None:
        try:
            if isinstance(content, Receipt):
                await emit(content)
            else:
                self._dead_letters += await offer_packet(
                    content, self._via, emit, self._account.max_texts_per_packet
                )
            self._taken += 1
        except Exception as error:
            self._deferred += 1
            # The text of a bug may quote a message, so only its type is logged.
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
