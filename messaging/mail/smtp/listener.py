"""The source of messages that come by mail: listens, serves, drains and reports the status of the SMTP server."""

import asyncio
import errno
import logging
from collections.abc import Sequence
from functools import partial
from typing import Final

from messaging.config.ip_allowlist import LOOPBACK
from messaging.config.settings import Listen
from messaging.errors import ConfigurationError
from messaging.mail.authentication.authenticate import Authenticator
from messaging.mail.authentication.resolver import Resolver
from messaging.mail.authentication.settings import AuthenticationSettings, DnsSettings
from messaging.mail.bounce_addresses import BounceAddresses
from messaging.mail.smtp.connection import SmtpConnection
from messaging.mail.smtp.pod_readiness import PodLabel, PodReadiness
from messaging.mail.smtp.server import SmtpServer
from messaging.mail.smtp.settings import PATIENCE, Patience, SmtpSettings
from messaging.model.message import Emit
from messaging.model.raw_mail import MailboxHandler

BACKLOG: Final = 1024
LOOP_ITERATIONS: Final = 5
_LISTEN_ERRORS: Final = {
    errno.EADDRINUSE: "another program listens there",
    errno.EACCES: "ports below 1024 need more rights",
    errno.EADDRNOTAVAIL: "this machine has no such address",
}


class MailReceiver:
    """Receives mail for the mailboxes of one domain, and replies after `emit` has returned.

    The reply 250 guarantees that every recipient's message is committed. A repeat of the same mail has the same
    message ids. Mail for `mailboxes` goes to their handlers, not to subscribers. Can be pickled until it runs.
    Several receivers may share one port of a machine (`share_port`, SO_REUSEPORT). The pod has the label
    `pod_label` while the receiver takes mail. Clients in the networks of `loopback` may always connect. A mail
    without a sender to one of `bounce_addresses` is a bounce of the delivery that the address names.
    With `authentication` the authors of messages are checked, by the DNS servers of `dns`.
    """

    def __init__(
        self,
        settings: SmtpSettings,
        mail_domain: str,
        *,
        share_port: bool = False,
        pod_label: PodLabel | None = None,
        mailboxes: Sequence[MailboxHandler] = (),
        patience: Patience = PATIENCE,
        loopback: str = LOOPBACK,
        bounce_addresses: BounceAddresses | None = None,
        authentication: AuthenticationSettings | None = None,
        dns: DnsSettings | None = None,
    ) -> None:
        self._authentication = authentication
        self._dns = dns
        self._bounce_addresses = bounce_addresses
        self._settings = settings
        self._patience = patience
        self._loopback = loopback
        self._mail_domain = mail_domain
        self._share_port = share_port
        self._pod_label = pod_label
        self._mailboxes = mailboxes
        self._readiness: PodReadiness | None = None
        self._server: SmtpServer | None = None
        self._sockets: list[asyncio.Server] = []

    @property
    def addresses(self) -> list[Listen]:
        """The addresses it listens on, the SMTP port before the port for proxies; empty until it runs."""
        sockets = [socket for server in self._sockets for socket in server.sockets]
        return [Listen(*socket.getsockname()[:2]) for socket in sockets]

    async def run(self, emit: Emit) -> None:
        """Listen and serve until cancelled, then end all connections with 421.

        Raises ConfigurationError when an address or a certificate cannot be used.
        """
        # aiosmtpd logs every command, and at its finest level every line of a mail.
        for name in ("mail.log", "mail.debug"):
            logging.getLogger(name).setLevel(logging.CRITICAL)
        server = SmtpServer(
            self._settings,
            self._mail_domain,
            emit,
            self._mailboxes,
            self._patience,
            self._loopback,
            self._bounce_addresses,
            self._make_authenticator(),
        )
        self._server = server
        if self._pod_label is not None:
            self._readiness = PodReadiness(self._pod_label)
        try:
            await self._listen(server)
            if self._readiness is not None:
                self._readiness.open()
            await asyncio.Event().wait()
        finally:
            await self._stop_listening()
            await server.close()
            if self._readiness is not None:
                await self._readiness.stop()

    def announce_drain(self) -> None:
        """Announce the drain to probes and remove the pod's label; mail is still taken."""
        if self._server is not None:
            self._server.leaving = True
        if self._readiness is not None:
            self._readiness.close()

    async def drain(self) -> None:
        """Remove the pod's label, stop listening, finish the mails being received, and end all connections.

        Waits a few seconds at most for the label, and for the connections until none is left.
        """
        if self._readiness is not None:
            await self._readiness.wait_closed()
        await self._stop_listening()
        if self._server is not None:
            await self._server.drain()

    def status(self) -> dict[str, object]:
        """Return counters since the start, and the current addresses, connections and bytes."""
        server = self._server
        if server is None:
            return {"listening": [], "connections": 0}
        certificate = server.certificate
        if certificate is not None:
            certificate.context()  # loads a newer certificate that no handshake has loaded yet
        return {
            "listening": [str(address) for address in self.addresses],
            "connections": server.open_connections,
            "turned_away": server.turned_away,
            "accepted": server.ingest.accepted,
            "refused": server.ingest.refused,
            "put_off": server.ingest.deferred,
            "not_kept": server.ingest.not_kept,
            "bytes_in_flight": server.bytes_in_flight.used,
            "certificate_expires": certificate.expires.isoformat() if certificate else None,
            "pod_label": self._readiness.state if self._readiness else None,
        }

    def _make_authenticator(self) -> Authenticator | None:
        settings = self._authentication
        if settings is None or not settings.authentication:
            return None
        return Authenticator(settings, Resolver(self._dns or DnsSettings()))

    async def _listen(self, server: SmtpServer) -> None:
        ports = (
            ("SATBRIDGE_SMTP_LISTEN", self._settings.listen, False),
            ("SATBRIDGE_SMTP_PROXY_LISTEN", self._settings.proxy_listen, True),
        )
        for variable, text, proxied in ports:
            if text is None:
                continue
            listen = Listen.parse(text)
            try:
                listening = await server.loop.create_server(
                    partial(SmtpConnection, server, proxied),
                    listen.host,
                    listen.port,
                    backlog=BACKLOG,
                    reuse_port=self._share_port or None,
                )
            except OSError as error:
                reason = _LISTEN_ERRORS.get(error.errno or 0, "the address cannot be used")
                raise ConfigurationError(f"{variable}: cannot listen on {text}: {reason}") from None
            self._sockets.append(listening)

    async def _stop_listening(self) -> None:
        # A socket that closes resets the connections in its queue. They are accepted first, so that they get 421.
        await _run_ready_callbacks()
        for server in self._sockets:
            server.close()
        self._sockets.clear()
        await _run_ready_callbacks()


async def _run_ready_callbacks() -> None:
    """Let the event loop accept the queued connections and call `connection_made` for each."""
    for _ in range(LOOP_ITERATIONS):
        await asyncio.sleep(0)
