"""What all sessions of one receiver share: limits, certificate, desk, and the list of who is here."""

import asyncio
import logging
from collections.abc import Sequence
from typing import Protocol

from messaging.mail.inbound import Desk
from messaging.mail.smtp import replies
from messaging.mail.smtp.limits import ByteBudget, ConnectionLimits
from messaging.mail.smtp.settings import SmtpServer
from messaging.mail.smtp.tls import load_certificate
from messaging.model.message import Emit
from messaging.model.raw_mail import Mailbox

log = logging.getLogger(__name__)


class Guest(Protocol):
    """A session, as far as the reception knows it."""

    def shut(self) -> None:
        """End now, unless a mail is on its way."""

    def hang_up(self, reply: str) -> None:
        """End now."""


class Reception:
    """Lets connections in and out. Made within a running event loop.

    Raises ConfigurationError when the certificate cannot be used.
    """

    def __init__(
        self,
        server: SmtpServer,
        mail_domain: str,
        emit: Emit,
        mailboxes: Sequence[Mailbox] = (),
    ) -> None:
        self.server = server
        self.mail_domain = mail_domain
        self.hostname = server.hostname or mail_domain
        self.loop = asyncio.get_running_loop()
        self.certificate = load_certificate(server)
        self.desk = Desk(emit, mail_domain, server, mailboxes)
        self.bytes_in_flight = ByteBudget(server.max_bytes_in_flight)
        self.leaving = False
        self.draining = False
        self.turned_away = 0
        self._limits = ConnectionLimits(server.max_connections, server.max_connections_per_client)
        self._clients: dict[Guest, str] = {}
        self._guests: set[Guest] = set()
        self._counted: set[Guest] = set()
        self._empty = asyncio.Event()
        self._empty.set()

    @property
    def open_connections(self) -> int:
        """How many connections there are."""
        return len(self._guests)

    def enter(self, guest: Guest, client: str | None) -> str | None:
        """Note a new connection; return the reply that turns it away, if it must. `client` may be known later."""
        self._guests.add(guest)
        self._empty.clear()
        if self.draining:
            return replies.SHUTTING_DOWN
        if not self._limits.enter():
            return self._turn_away(client or "a proxy", "there are too many connections")
        self._counted.add(guest)
        return None if client is None else self.enter_client(guest, client)

    def enter_client(self, guest: Guest, client: str) -> str | None:
        """Note whose connection it is; return the reply that turns it away, if it must."""
        if not self._limits.enter_client(client):
            return self._turn_away(client, "it has too many connections")
        self._clients[guest] = client
        return None

    def leave(self, guest: Guest) -> None:
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
        self.desk.close()

    def _turn_away(self, client: str, why: str) -> str:
        self.turned_away += 1
        log.warning("connection from %s turned away: %s", client, why)
        return replies.TOO_MANY_CONNECTIONS
