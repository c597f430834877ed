"""One connection of the SMTP server: let in or turned away, timed, and ended with a reason.

Built on aiosmtpd, which reads lines, finds the method of a command, switches to TLS and reads PROXY headers.
"""

import asyncio
from collections import defaultdict
from typing import Any, ClassVar, Final

from aiosmtpd.proxy_protocol import V2_CMD, ProxyData
from aiosmtpd.smtp import SMTP, TLSSetupException

from messaging.mail.inbound import log_bug
from messaging.mail.smtp import replies
from messaging.mail.smtp.server import SmtpServer

MAX_ERRORS: Final = 20
MAX_REPLIES_WITHOUT_MAIL: Final = 1000  # beside two for each recipient that a mail may have
MAX_COMMAND_BYTES: Final = 1000
PROXY_SECONDS: Final = 10.0
ABORT_SECONDS: Final = 5.0
LINGER_SECONDS: Final = 1.0


class ProxyHandler:
    """What aiosmtpd asks when a PROXY header has arrived."""

    async def handle_PROXY(
        self, session: "MailConnection", _session: object, _envelope: object, header: ProxyData
    ) -> bool:
        """Return whether the client that the header names may come in."""
        return session.admit_proxied(header)

    def __dir__(self) -> list[str]:
        """See `MailConnection.__dir__`."""
        return ["handle_PROXY"]


class MailConnection(SMTP):
    """The server side of one connection; what it says is in `session`."""

    _commands: ClassVar[list[str]]

    def __init_subclass__(cls) -> None:
        cls._commands = [name for name in dir(cls) if name.startswith("smtp_")]

    def __init__(self, server: SmtpServer, proxied: bool) -> None:
        # An attribute of the class in aiosmtpd, where every EHLO of anybody makes it bigger.
        self.command_size_limits = defaultdict(lambda: MAX_COMMAND_BYTES)
        self.command_size_limit = MAX_COMMAND_BYTES
        settings = server.settings
        super().__init__(
            ProxyHandler(),
            data_size_limit=settings.max_bytes,
            enable_SMTPUTF8=True,
            hostname=server.hostname,
            ident="ESMTP",
            timeout=settings.idle_seconds,
            proxy_protocol_timeout=min(PROXY_SECONDS, settings.idle_seconds) if proxied else None,
            loop=server.loop,
        )
        self.client = ""
        self.server = server
        self._proxied = proxied
        self._refusal: str | None = None
        self._max_replies = MAX_REPLIES_WITHOUT_MAIL + 2 * settings.max_recipients
        self.errors = 0
        self.replies = 0
        self.collecting = False
        self.in_data = False
        self._hung_up = False
        self._ends: list[asyncio.TimerHandle] = []

    def __dir__(self) -> list[str]:
        """Name the commands only: aiosmtpd searches all members of every new connection three times for them."""
        return self._commands

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin a connection, or go on after the TLS handshake."""
        first = self.transport is None
        super().connection_made(transport)
        if first:
            peer = transport.get_extra_info("peername")
            self.client = str(peer[0]) if peer else "unknown"
            self._refusal = self.server.enter(self, None if self._proxied else self.client)

    def connection_lost(self, error: Exception | None) -> None:
        """End it; aiosmtpd may say so twice."""
        super().connection_lost(error)
        for end in self._ends:
            end.cancel()
        self.server.leave(self)

    def admit_proxied(self, header: ProxyData) -> bool:
        """Take the client's address from a PROXY header; a proxy's own health check (LOCAL, UNKNOWN) has none."""
        address = header.src_addr
        if header.command == V2_CMD.LOCAL or address is None or isinstance(address, bytes | str):
            return True
        self.client = str(address)
        refusal = self.server.enter_client(self, self.client)
        if refusal is not None:
            self.hang_up(refusal)
        return refusal is None

    def hang_up(self, reply: str, *, at_once: bool = False) -> None:
        """Say why and close; the client has a moment to read it, and is cut off after some seconds if it does not.

        What a client sends to a socket that is closed makes its own next write fail, and it may never read why. So
        what still comes is read and forgotten, unless it is known that nothing comes (`at_once`).
        """
        transport: Any = self.transport  # uvloop's, where Ray runs it, are no asyncio.Transport
        if self._hung_up or transport is None:
            return
        self._hung_up = True
        if not transport.is_closing():
            self._writer.write(reply.encode() + b"\r\n")
        lowest: Any = self._original_transport or transport
        self._ends = [self.loop.call_later(ABORT_SECONDS, lowest.abort)]
        if not at_once and _end_of_words(transport):
            self._ends.append(self.loop.call_later(LINGER_SECONDS, transport.close))
            return
        transport.close()
        if self._handler_coroutine is not None:
            self._handler_coroutine.cancel()

    def data_received(self, data: bytes) -> None:
        """Read what the client sends, as long as anybody listens."""
        if not self._hung_up:
            super().data_received(data)

    def shut(self) -> None:
        """End the session now, unless a mail is on its way: that one is finished first."""
        if not self.in_data:
            self.hang_up(replies.SHUTTING_DOWN)

    def _timeout_cb(self) -> None:
        self.hang_up(replies.TOO_SLOW)

    async def _handle_client(self) -> None:
        try:
            if self._refusal is not None:
                self.hang_up(self._refusal, at_once=True)  # nobody speaks before the greeting
            await super()._handle_client()
        except ConnectionError:
            pass  # the client is gone; the transport says so to connection_lost
        except Exception as error:
            if self.transport is not None:
                log_bug(error)
                self.hang_up(replies.LATER)

    async def push(self, status: str | bytes) -> None:
        """Send a reply; too many errors, or replies that lead to no mail, end the session instead."""
        reply = status if isinstance(status, str) else status.decode("utf-8", "replace")
        if reply.startswith("500 ") and not reply.startswith("500 5."):
            reply = "500 5.5.2 command not understood"  # aiosmtpd's own words have no status code
        self.replies += 1
        self.errors += reply.startswith("5")
        if self.errors > MAX_ERRORS or self.replies > self._max_replies:
            self.hang_up(replies.TOO_MANY_ERRORS)
        if self._hung_up:
            await (
                self.loop.create_future()
            )  # nothing more is said; the end of the connection cancels the session
        self._writer.write(reply.encode("utf-8", "replace") + b"\r\n")
        await self._writer.drain()

    async def handle_exception(self, error: Exception) -> str:
        """A bug says 451 and nothing about itself; within a mail it ends the session, or text would become commands."""
        if not isinstance(error, TLSSetupException):
            log_bug(error)
        if self.collecting:
            self.hang_up(replies.LATER)
        return replies.LATER


def _end_of_words(transport: Any) -> bool:
    """Tell the client that nothing more comes, where TLS does not forbid it; False when it is gone already."""
    try:
        if not transport.is_closing() and transport.can_write_eof():
            transport.write_eof()
    except OSError:
        return False
    return not transport.is_closing()
