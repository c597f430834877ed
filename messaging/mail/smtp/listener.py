"""Receives mail: the SMTP server as a source of messages."""

import asyncio
import errno
import logging
from collections.abc import Sequence
from functools import partial
from typing import Final

from messaging.config.settings import Listen
from messaging.errors import ConfigurationError
from messaging.mail.smtp.pod_label import LabelledPod, PodLabel
from messaging.mail.smtp.pod_readiness import PodReadiness
from messaging.mail.smtp.server import SmtpServer
from messaging.mail.smtp.session import MailSession
from messaging.mail.smtp.settings import SmtpSettings
from messaging.model.message import Emit
from messaging.model.raw_mail import MailboxHandler

BACKLOG: Final = 1024
TURNS: Final = 5
_WHY_NOT: Final = {
    errno.EADDRINUSE: "another program listens there",
    errno.EACCES: "ports below 1024 need more rights",
    errno.EADDRNOTAVAIL: "this machine has no such address",
}


class MailReceiver:
    """Takes mail for the mailboxes of one domain and answers it after `emit` has returned.

    Promise: 250 means that every recipient's message is committed. A repeat of the same mail has the same message
    ids. What comes for `mailboxes` is a network's, not a subscriber's. Can be pickled until it runs. Several may share
    one port of a machine (`share_port`, SO_REUSEPORT). While it takes mail, its pod has the label `pod_label`.
    """

    def __init__(
        self,
        server: SmtpSettings,
        mail_domain: str,
        *,
        share_port: bool = False,
        pod_label: PodLabel | None = None,
        mailboxes: Sequence[MailboxHandler] = (),
    ) -> None:
        self._settings = server
        self._mail_domain = mail_domain
        self._share_port = share_port
        self._pod_label = pod_label
        self._gate: PodReadiness | None = None
        self._mailboxes = mailboxes
        self._server: SmtpServer | None = None
        self._servers: list[asyncio.Server] = []

    @property
    def addresses(self) -> list[Listen]:
        """Where it listens now: the SMTP port first, then the one for proxies; empty before it runs."""
        sockets = [socket for server in self._servers for socket in server.sockets]
        return [Listen(*socket.getsockname()[:2]) for socket in sockets]

    async def run(self, emit: Emit) -> None:
        """Listen and serve until cancelled; then everybody is sent away with 421.

        Raises ConfigurationError when an address or a certificate cannot be used.
        """
        _silence_aiosmtpd()
        reception = SmtpServer(self._settings, self._mail_domain, emit, self._mailboxes)
        self._server = reception
        if self._pod_label is not None:
            self._gate = PodReadiness(self._pod_label, LabelledPod(self._pod_label))
        try:
            await self._listen(reception)
            if self._gate is not None:
                self._gate.open()
            await asyncio.Event().wait()
        finally:
            await self._stop_listening()
            await reception.close()
            if self._gate is not None:
                await self._gate.leave()

    def announce_drain(self) -> None:
        """Tell probes that it will drain soon, and take the pod's label away; everything is still taken."""
        if self._server is not None:
            self._server.leaving = True
        if self._gate is not None:
            self._gate.close()

    async def drain(self) -> None:
        """Take no new connection, let mails on their way finish, send all others away; return when none is left.

        The label of the pod goes first, if that can be done within some seconds.
        """
        if self._gate is not None:
            await self._gate.closed()
        await self._stop_listening()
        if self._server is not None:
            await self._server.drain()

    def status(self) -> dict[str, object]:
        """Return counters since the start, and what is open now."""
        reception = self._server
        if reception is None:
            return {"listening": [], "connections": 0}
        certificate = reception.certificate
        if certificate is not None:
            certificate.context()  # the files may hold a newer one that nobody has asked for yet
        return {
            "listening": [str(address) for address in self.addresses],
            "connections": reception.open_connections,
            "turned_away": reception.turned_away,
            "accepted": reception.ingest.accepted,
            "refused": reception.ingest.refused,
            "put_off": reception.ingest.put_off,
            "bytes_in_flight": reception.bytes_in_flight.used,
            "certificate_expires": certificate.expires.isoformat() if certificate else None,
            "pod_label": self._gate.state if self._gate else None,
        }

    async def _listen(self, server: SmtpServer) -> None:
        settings = self._settings
        await self._listen_on("SATBRIDGE_SMTP_LISTEN", settings.listen, server, False)
        if settings.proxy_listen is not None:
            variable = "SATBRIDGE_SMTP_PROXY_LISTEN"
            await self._listen_on(variable, settings.proxy_listen, server, True)

    async def _listen_on(self, variable: str, text: str, server: SmtpServer, proxied: bool) -> None:
        listen = Listen.parse(text)
        try:
            listening = await server.loop.create_server(
                partial(MailSession, server, proxied),
                listen.host,
                listen.port,
                backlog=BACKLOG,
                reuse_port=self._share_port or None,
            )
        except OSError as error:
            why = _WHY_NOT.get(error.errno or 0, "the address cannot be used")
            raise ConfigurationError(f"{variable}: cannot listen on {text}: {why}") from None
        self._servers.append(listening)

    async def _stop_listening(self) -> None:
        """Let in who has knocked already, to hear why not: a socket that closes resets them without a word."""
        await _turns_of_the_loop()
        for server in self._servers:
            server.close()
        self._servers.clear()
        await _turns_of_the_loop()


async def _turns_of_the_loop() -> None:
    """Let the loop accept what waits, and tell the protocols of those that it has accepted."""
    for _ in range(TURNS):
        await asyncio.sleep(0)


def _silence_aiosmtpd() -> None:
    """Keep aiosmtpd from logging every command, and at its finest every line of a mail."""
    for name in ("mail.log", "mail.debug"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
