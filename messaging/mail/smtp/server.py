"""What all sessions of one receiver share: limits, certificate, desk, and the list of who is here."""

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
    """A session, as far as the reception knows it."""

    def shut(self) -> None:
        """End now, unless a mail is on its way."""

    def hang_up(self, reply: str) -> None:
        """End now."""


class SmtpServer:
    """Lets connections in and out. Made within a running event loop.

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
        self._clients: dict[ServerConnection, str] = {}
        self._guests: set[ServerConnection] = set()
        self._counted: set[ServerConnection] = set()
        self._empty = asyncio.Event()
        self._empty.set()

    @property
    def open_connections(self) -> int:
        """How many connections there are."""
        return len(self._guests)

    def enter(self, guest: ServerConnection, client: str | None) -> str | None:
        """Note a new connection; return the reply that turns it away, if it must. `client` may be known later."""
        self._guests.add(guest)
        self._empty.clear()
        if self.draining:
            return replies.SHUTTING_DOWN
        if not self._limits.enter():
            return self._turn_away(client or "a proxy", "there are too many connections")
        self._counted.add(guest)
        return None if client is None else self.enter_client(guest, client)

    def enter_client(self, guest: ServerConnection, client: str) -> str | None:
        """Note whose connection it is; return the reply that turns it away, if it must."""
        if not self._limits.enter_client(client):
            return self._turn_away(client, "it has too many connections")
        self._clients[guest] = client
        return None

    def leave(self, guest: ServerConnection) -> None:
        """Forget a connection; again is no harm."""
        self._guests.discard(guest)
        if guest in self._counted:
            self._counted.remove(guest)
            self._limits.leave()
        if (client := self._clients.pop(guest, None)) is not None:
            self._limits.leave_client(client)
        if not self._guests:
            self._empty.set()

    async def drain(self) -> None:
        """Send everybody away who brings no mail just now, and wait for the others."""
        self.draining = True
        for guest in list(self._guests):
            guest.shut()
        await self._empty.wait()

    async def close(self) -> None:
        """Send everybody away, and wait until they are gone."""
        self.draining = True
        for guest in list(self._guests):
            guest.hang_up(replies.SHUTTING_DOWN)
        await self._empty.wait()
        self.ingest.close()

    def _turn_away(self, client: str, why: str) -> str:
        self.turned_away += 1
        log.warning("connection from %s turned away: %s", client, why)
        return replies.TOO_MANY_CONNECTIONS
