"""The state that all connections of one receiver share: limits, certificate, MailIngest, and the open connections."""

import asyncio
import logging
from collections.abc import Sequence
from typing import Protocol

from messaging.mail.inbound import MailIngest
from messaging.mail.smtp import replies
from messaging.mail.smtp.limits import ByteBudget, ConnectionLimits
from messaging.mail.smtp.settings import SmtpSettings
from messaging.mail.smtp.tls import load_certificate
from messaging.model.message import Emit
from messaging.model.raw_mail import MailboxHandler

log = logging.getLogger(__name__)


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
        self._limits = ConnectionLimits(
            settings.max_connections, settings.max_connections_per_client
        )
        self._connections: set[ServerConnection] = set()
        self._counted: set[ServerConnection] = set()
        self._clients: dict[ServerConnection, str] = {}
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
        if not self._limits.enter():
            return self._refuse(client or "a proxy", "there are too many connections")
        self._counted.add(connection)
        return None if client is None else self.enter_client(connection, client)

    def enter_client(self, connection: ServerConnection, client: str) -> str | None:
        """Count the connection for its client; return the reply that refuses it, None when it is admitted."""
        if not self._limits.enter_client(client):
            return self._refuse(client, "it has too many connections")
        self._clients[connection] = client
        return None

    def leave(self, connection: ServerConnection) -> None:
        """Remove a connection. Idempotent."""
        self._connections.discard(connection)
        if connection in self._counted:
            self._counted.remove(connection)
            self._limits.leave()
        if (client := self._clients.pop(connection, None)) is not None:
            self._limits.leave_client(client)
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
        log.warning("connection from %s refused: %s", client, reason)
        return replies.TOO_MANY_CONNECTIONS
