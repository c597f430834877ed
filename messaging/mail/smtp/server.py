"""The state that all connections of one receiver share: limits, certificate, MailIngest, and the open connections."""

import asyncio
import logging
from collections import Counter
from collections.abc import Sequence
from typing import Final, Protocol

from messaging.config.ip_allowlist import LOOPBACK, is_peer
from messaging.logs.records import details
from messaging.mail.authentication.authenticate import Authenticator
from messaging.mail.bounce_addresses import BounceAddresses
from messaging.mail.inbound import MailIngest
from messaging.mail.smtp import replies
from messaging.mail.smtp.clients import SITE_SHARES, ByteBudget, Clients, client_networks
from messaging.mail.smtp.settings import PATIENCE, Patience, SmtpSettings
from messaging.mail.smtp.tls import load_certificate
from messaging.model.message import Emit
from messaging.model.raw_mail import MailboxHandler

log = logging.getLogger(__name__)

RESERVED_SHARE: Final = 10
"""One connection in ten is kept for known clients."""


class ServerConnection(Protocol):
    """A connection as the server ends it; the class itself imports this module.

    `progress_time` is the loop's time of its start or its last accepted mail. `is_submitting` is true while a mail
    waits for the router. `in_data` is true while a mail is received.
    """

    progress_time: float

    @property
    def is_submitting(self) -> bool:
        """Whether a mail waits for the router."""

    @property
    def in_data(self) -> bool:
        """Whether a mail is being received."""

    def drain(self) -> None:
        """Close now, or after the mail that is being received."""

    def hang_up(self, reply: str) -> None:
        """Send a last reply and close."""


class SmtpServer:
    """Admits, counts and ends connections. Made within a running event loop.

    Raises ConfigurationError when the certificate cannot be used.
    """

    def __init__(
        self,
        settings: SmtpSettings,
        mail_domain: str,
        emit: Emit,
        mailboxes: Sequence[MailboxHandler] = (),
        patience: Patience = PATIENCE,
        loopback: str = LOOPBACK,
        bounce_addresses: BounceAddresses | None = None,
        authenticator: Authenticator | None = None,
    ) -> None:
        self.bounce_addresses = bounce_addresses
        self.settings = settings
        self.patience = patience
        self._loopback = loopback
        self.mail_domain = mail_domain
        self.hostname = settings.hostname or mail_domain
        self.loop = asyncio.get_running_loop()
        self.certificate = load_certificate(settings)
        self.ingest = MailIngest(emit, mail_domain, settings, mailboxes, authenticator)
        self.bytes_in_flight = ByteBudget(settings.max_bytes_in_flight)
        self.clients = Clients(settings, self.bytes_in_flight, patience.first_delay_seconds)
        self.leaving = False
        self.draining = False
        self.turned_away = 0
        self._connections: set[ServerConnection] = set()
        self._addresses: dict[ServerConnection, str] = {}
        self._per_network: Counter[str] = Counter()
        self._empty = asyncio.Event()
        self._empty.set()

    @property
    def open_connections(self) -> int:
        """The number of open connections."""
        return len(self._connections)

    def enter(
        self, connection: ServerConnection, address: str, is_proxy: bool = False
    ) -> str | None:
        """Add a connection; return the reply that refuses it, None when it is admitted.

        `enter_client` follows once the PROXY header of a proxy names the client.
        """
        self._connections.add(connection)
        self._empty.clear()
        if self.draining:
            return replies.SHUTTING_DOWN
        settings = self.settings
        peers = settings.proxy_peers or "" if is_proxy else settings.peers
        if peers is not None and not is_peer(address, f"{peers},{self._loopback}"):
            name = "SATBRIDGE_SMTP_PROXY_PEERS" if is_proxy else "SATBRIDGE_SMTP_PEERS"
            self.note_refusal(address, f"{name} does not name it")
            return "" if is_proxy else replies.NOT_A_PEER
        if not is_proxy:
            return self.enter_client(connection, address)
        if len(self._connections) > 2 * settings.max_connections:
            return self._refuse("a proxy", "there are too many connections")
        return None

    def enter_client(self, connection: ServerConnection, address: str) -> str | None:
        """Count the connection for its client; return the reply that refuses it, None when it is admitted.

        Near the limit a connection of another client may be dropped for it.
        """
        settings = self.settings
        for shares, network in enumerate(client_networks(address)):
            limit = settings.max_connections_per_client * SITE_SHARES**shares
            if self._per_network[network] >= limit:
                return self._refuse(address, "it has too many connections")
        reserved = 0 if self.clients.is_known(address) else self._reserved
        if len(self._addresses) >= settings.max_connections - reserved:
            dropped = self._find_longest_idle(address)
            if dropped is None:
                return self._refuse(address, "there are too many connections")
            self.note_refusal(self._addresses[dropped], "dropped, it was idle for the longest")
            self._uncount(dropped)
            dropped.hang_up(replies.TOO_MANY_CONNECTIONS)
        for network in client_networks(address):
            self._per_network[network] += 1
        self._addresses[connection] = address
        return None

    def note_accepted(self, connection: ServerConnection, address: str) -> None:
        """Note that a mail on this connection was accepted: the client is known from now on."""
        connection.progress_time = self.loop.time()
        self.clients.note_accepted(address)

    def leave(self, connection: ServerConnection) -> None:
        """Remove a connection. Idempotent."""
        self._connections.discard(connection)
        self._uncount(connection)
        if not self._connections:
            self._empty.set()

    @property
    def _reserved(self) -> int:
        return int(self.settings.max_connections) // RESERVED_SHARE

    def _uncount(self, connection: ServerConnection) -> None:
        address = self._addresses.pop(connection, None)
        if address is None:
            return
        for network in client_networks(address):
            self._per_network[network] -= 1
            if not self._per_network[network]:
                del self._per_network[network]

    def _find_longest_idle(self, address: str) -> ServerConnection | None:
        """Return the connection to drop for a new client: of the client with the most, the one that idles longest.

        None when every other client has fewer connections than this one would have, or got on just now. Connections
        of known clients with few connections, and those whose mail waits for the router, stay.
        """
        own = self._per_network[client_networks(address)[-1]] + 1
        latest = self.loop.time() - self.patience.evict_seconds
        best: tuple[tuple[int, bool, float], ServerConnection] | None = None
        for connection, other in self._addresses.items():
            count = self._per_network[client_networks(other)[-1]]
            is_recent = connection.progress_time > latest and count <= own
            if count < own or is_recent or connection.is_submitting:
                continue
            if count <= self._reserved and self.clients.is_known(other):
                continue
            rank = (-count, connection.in_data, connection.progress_time)
            if best is None or rank < best[0]:
                best = rank, connection
        return best[1] if best else None

    async def drain(self) -> None:
        """End all connections, those that are receiving a mail after its reply, and wait until none is left."""
        self.draining = True
        for connection in list(self._connections):
            connection.drain()
        await self._empty.wait()

    async def close(self) -> None:
        """End all connections now, and wait until none is left."""
        self.draining = True
        for connection in list(self._connections):
            connection.hang_up(replies.SHUTTING_DOWN)
        await self._empty.wait()
        self.ingest.close()

    def _refuse(self, client: str, reason: str) -> str:
        self.note_refusal(client, reason)
        return replies.TOO_MANY_CONNECTIONS

    def note_refusal(self, client: str, reason: str) -> None:
        """Count a refused connection, and log it."""
        self.turned_away += 1
        log.warning(
            "connection from %s refused: %s",
            client,
            reason,
            extra=details(kind=f"connection refused: {reason}"),
        )
