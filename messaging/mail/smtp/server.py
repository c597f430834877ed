"""The state that all connections of one receiver share: limits, certificate, MailIngest, and the open connections."""

import asyncio
import contextlib
import ipaddress
import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from messaging.logs.records import details
from messaging.mail.inbound import MailIngest
from messaging.mail.smtp import replies
from messaging.mail.smtp.settings import SmtpSettings
from messaging.mail.smtp.tls import load_certificate
from messaging.model.message import Emit
from messaging.model.raw_mail import MailboxHandler

log = logging.getLogger(__name__)


@dataclass(slots=True)
class ByteBudget:
    """The bytes that all mails being received may have together; collectors count in `used`."""

    max_bytes: int
    used: int = 0


class ServerConnection(Protocol):
    """A connection as the server ends it; the class itself imports this module."""

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
    ) -> None:
        self.settings = settings
        self.mail_domain = mail_domain
        self.hostname = settings.hostname or mail_domain
        self.loop = asyncio.get_running_loop()
        self.certificate = load_certificate(settings)
        self.ingest = MailIngest(emit, mail_domain, settings, mailboxes)
        self.bytes_in_flight = ByteBudget(settings.max_bytes_in_flight)
        self.leaving = False
        self.draining = False
        self.turned_away = 0
        self._connections: set[ServerConnection] = set()
        self._counted: set[ServerConnection] = set()
        self._clients: dict[ServerConnection, str] = {}
        self._per_client: Counter[str] = Counter()
        self._empty = asyncio.Event()
        self._empty.set()

    @property
    def open_connections(self) -> int:
        """The number of open connections."""
        return len(self._connections)

    def enter(self, connection: ServerConnection, client: str | None) -> str | None:
        """Add a connection; return the reply that refuses it, None when it is admitted.

        `client` is None until a PROXY header names it; `enter_client` follows then.
        """
        self._connections.add(connection)
        self._empty.clear()
        if self.draining:
            return replies.SHUTTING_DOWN
        if len(self._counted) >= self.settings.max_connections:
            return self._refuse(client or "a proxy", "there are too many connections")
        self._counted.add(connection)
        return None if client is None else self.enter_client(connection, client)

    def enter_client(self, connection: ServerConnection, address: str) -> str | None:
        """Count the connection for its client; return the reply that refuses it, None when it is admitted.

        An IPv6 network of 64 bits counts as one client: providers assign one such network per customer.
        """
        client = address
        if ":" in address:
            with contextlib.suppress(ValueError):
                ip = ipaddress.IPv6Address(address)
                network = ipaddress.ip_network((int(ip) >> 64 << 64, 64))
                client = str(ip.ipv4_mapped or network)
        if self._per_client[client] >= self.settings.max_connections_per_client:
            return self._refuse(address, "it has too many connections")
        self._per_client[client] += 1
        self._clients[connection] = client
        return None

    def leave(self, connection: ServerConnection) -> None:
        """Remove a connection. Idempotent."""
        self._connections.discard(connection)
        self._counted.discard(connection)
        if (client := self._clients.pop(connection, None)) is not None:
            self._per_client[client] -= 1
            if not self._per_client[client]:
                del self._per_client[client]
        if not self._connections:
            self._empty.set()

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
        self.turned_away += 1
        log.warning(
            "connection from %s refused: %s",
            client,
            reason,
            extra=details(kind=f"connection refused: {reason}"),
        )
        return replies.TOO_MANY_CONNECTIONS
