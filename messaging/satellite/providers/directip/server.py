"""The server for messages from devices over DirectIP: one message a connection, confirmed when it is on disk."""

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

from messaging.config.ip_allowlist import is_peer
from messaging.config.settings import Listen
from messaging.logs.records import details
from messaging.satellite.account import Packet, Take
from messaging.satellite.providers.directip.frames import START_BYTES, Malformed, body_bytes
from messaging.satellite.providers.directip.uplink import confirmation, packet_of
from messaging.satellite.unreadable import unreadable

log = logging.getLogger(__name__)

MAX_UNKNOWN_BYTES: Final = 65_536
HANG_UP_SECONDS: Final = 1.0
FIRST_WAIT_SECONDS: Final = 0.5
LONGEST_WAIT_SECONDS: Final = 30.0


class DirectIpServer:
    """The server of one account.

    Where the device is provisioned for confirmations, the gateway waits for our answer and repeats a message that is
    not confirmed. Otherwise the gateway hangs up and forgets the message. Such a message is kept in memory and offered
    to `take` until it is stored, or until the server has to stop.
    """

    def __init__(
        self,
        take: Take,
        *,
        peers: str,
        timeout_seconds: float,
        max_connections: int,
        max_error_km: float,
    ) -> None:
        self._take = take
        self._peers = peers
        self._timeout_seconds = timeout_seconds
        self._max_connections = max_connections
        self._max_error_km = max_error_km
        self._connections: set[asyncio.Task[None]] = set()
        self._draining = asyncio.Event()
        self._server: asyncio.Server | None = None

    async def start(self, listen: Listen) -> None:
        """Listen. Raises OSError."""
        self._server = await asyncio.start_server(self._accept, listen.host, listen.port)

    @property
    def listening(self) -> Sequence[str]:
        """Where it listens, as host:port."""
        sockets = self._server.sockets if self._server else ()
        return [str(Listen(*socket.getsockname()[:2])) for socket in sockets]

    async def drain(self) -> None:
        """Close the listener and wait for the connections in work, for the time-out of one message at most."""
        if self._server is not None:
            self._server.close()
        self._draining.set()
        if self._connections:
            _, late = await asyncio.wait(self._connections, timeout=self._timeout_seconds)
            for connection in late:
                connection.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = asyncio.current_task()
        peer = str((writer.get_extra_info("peername") or ("",))[0])
        if connection is None or not self._may_connect(peer):
            writer.transport.abort()
            return
        self._connections.add(connection)
        try:
            await self._serve(reader, writer)
        except (OSError, EOFError) as error:
            text, kind = "%s broke off within a message: %s", f"{peer} broke off"
            log.info(text, peer, type(error).__name__, extra=details(kind=kind))
        finally:
            self._connections.discard(connection)
            writer.close()

    def _may_connect(self, peer: str) -> bool:
        if not is_peer(peer, self._peers):
            log.warning("connection from %s turned away: not one of the allowed peers", peer)
            return False
        if len(self._connections) >= self._max_connections:
            log.warning("connection from %s turned away: there are too many", peer)
            return False
        return not self._draining.is_set()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async with asyncio.timeout(self._timeout_seconds):
            packet = await self._read(reader)
        try:
            await self._take(packet)
            stored = True
        except Exception:
            # The listener has logged it. The gateway repeats the packet, or it is retried here.
            stored = await self._has_hung_up(reader) and await self._retry(packet)
        with suppress(OSError):  # a gateway that does not wait for an answer has hung up
            writer.write(confirmation(stored))
            await writer.drain()

    async def _read(self, reader: asyncio.StreamReader) -> Packet:
        start = await reader.readexactly(START_BYTES)
        try:
            length = body_bytes(start)
        except Malformed:
            return unreadable("", start + await reader.read(MAX_UNKNOWN_BYTES))
        return packet_of(await reader.readexactly(length), self._max_error_km)

    async def _has_hung_up(self, reader: asyncio.StreamReader) -> bool:
        try:
            async with asyncio.timeout(HANG_UP_SECONDS):
                return not await reader.read(1)
        except TimeoutError:
            return False
        except OSError:
            return True

    async def _retry(self, packet: Packet) -> bool:
        log.warning("%s was not confirmed and is kept in memory until it is stored", packet.id)
        seconds = FIRST_WAIT_SECONDS
        while not self._draining.is_set():
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._draining.wait()
            seconds = min(2 * seconds, LONGEST_WAIT_SECONDS)
            with suppress(Exception):
                await self._take(packet)
                return True
        log.error("%s is lost: it could not be stored before the end", packet.id)
        return False
