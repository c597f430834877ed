"""One connection of the SMTP server: admission, timeouts, replies, TLS, and the bytes of a mail.

Built on aiosmtpd, which reads lines, finds the method of a command, switches to TLS and reads PROXY headers. Only
this module uses private members of aiosmtpd.
"""

import asyncio
import ssl
from collections import defaultdict
from typing import Any, ClassVar, Final

from aiosmtpd.proxy_protocol import V2_CMD, ProxyData
from aiosmtpd.smtp import SMTP, TLSSetupException

from messaging.mail.inbound import log_error
from messaging.mail.smtp import replies
from messaging.mail.smtp.data import MailCollector
from messaging.mail.smtp.server import SmtpServer

MAX_ERRORS: Final = 20
MAX_REPLIES_WITHOUT_MAIL: Final = 1000  # beside two for each recipient that a mail may have
MAX_COMMAND_BYTES: Final = 1000
CHUNK_BYTES: Final = 1024 * 1024
PROXY_SECONDS: Final = 10.0
ABORT_SECONDS: Final = 5.0
LINGER_SECONDS: Final = 1.0


class ProxyHandler:
    """The handler that aiosmtpd calls when a PROXY header has arrived."""

    async def handle_PROXY(
        self, session: "MailConnection", _session: object, _envelope: object, header: ProxyData
    ) -> bool:
        """Return whether the client that the header names is admitted."""
        return session.admit_proxied(header)

    def __dir__(self) -> list[str]:
        """See `MailConnection.__dir__`."""
        return ["handle_PROXY"]


class MailConnection(SMTP):
    """The server side of one connection; `protocol` adds the commands.

    `in_data` is true from DATA to its last reply, `collecting` while the bytes of a mail arrive. `errors` and
    `replies` count since the last accepted mail.
    """

    _commands: ClassVar[list[str]]

    def __init_subclass__(cls) -> None:
        cls._commands = [name for name in dir(cls) if name.startswith("smtp_")]

    def __init__(self, server: SmtpServer, proxied: bool) -> None:
        # A class attribute in aiosmtpd, which every EHLO of every client would raise.
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
        self._closing_timers: list[asyncio.TimerHandle] = []

    def __dir__(self) -> list[str]:
        """Return the commands only: aiosmtpd searches all members of every new connection three times for them."""
        return self._commands

    @property
    def is_encrypted(self) -> bool:
        """Whether TLS was started."""
        return self._tls_protocol is not None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Count a new connection, or continue after the TLS handshake."""
        is_new = self.transport is None
        super().connection_made(transport)
        if is_new:
            peer = transport.get_extra_info("peername")
            self.client = str(peer[0]) if peer else "unknown"
            self._refusal = self.server.enter(self, None if self._proxied else self.client)

    def connection_lost(self, error: Exception | None) -> None:
        """Remove the connection from the server; aiosmtpd may call this twice."""
        super().connection_lost(error)
        for timer in self._closing_timers:
            timer.cancel()
        self.server.leave(self)

    def admit_proxied(self, header: ProxyData) -> bool:
        """Take the client's address from a PROXY header and count the client; return whether it is admitted."""
        address = header.src_addr
        # The health check of a proxy itself (LOCAL, UNKNOWN) names no client.
        if header.command == V2_CMD.LOCAL or address is None or isinstance(address, bytes | str):
            return True
        self.client = str(address)
        refusal = self.server.enter_client(self, self.client)
        if refusal is not None:
            self.hang_up(refusal)
        return refusal is None

    def hang_up(self, reply: str, *, at_once: bool = False) -> None:
        """Send a last reply and close; cut the client off after `ABORT_SECONDS` if it does not read.

        `at_once`: the client is known to send nothing more, so the socket is closed without lingering.
        """
        transport: Any = self.transport  # a transport of uvloop, in Ray, is no asyncio.Transport
        if self._hung_up or transport is None:
            return
        self._hung_up = True
        if not transport.is_closing():
            self._writer.write(reply.encode() + b"\r\n")
        lowest: Any = self._original_transport or transport
        self._closing_timers = [self.loop.call_later(ABORT_SECONDS, lowest.abort)]
        # Bytes that arrive at a closed socket reset the connection, and the client may lose the unread reply. So the
        # sending half is closed first, and input is read and discarded for a moment.
        if not at_once and _close_sending_half(transport):
            self._closing_timers.append(self.loop.call_later(LINGER_SECONDS, transport.close))
            return
        transport.close()
        if self._handler_coroutine is not None:
            self._handler_coroutine.cancel()

    def drain(self) -> None:
        """Hang up now, unless a mail is being received: that one is finished first."""
        if not self.in_data:
            self.hang_up(replies.SHUTTING_DOWN)

    def data_received(self, data: bytes) -> None:
        """Pass input on, and discard it after `hang_up`."""
        if not self._hung_up:
            super().data_received(data)

    async def start_tls(self, context: ssl.SSLContext) -> None:
        """Reply to STARTTLS and wait for the handshake. Raises TLSSetupException."""
        self.tls_context = context
        await super().smtp_STARTTLS("")

    async def collect(self, collector: MailCollector) -> None:
        """Feed the collector until the end of the mail, for `data_seconds` at most. Raises ConnectionResetError."""
        settings = self.server.settings
        deadline = self.loop.time() + settings.data_seconds
        self.collecting = True
        rest = None
        while rest is None:
            left = deadline - self.loop.time()
            self._reset_timeout(max(0.001, min(settings.idle_seconds, left)))
            chunk = await self._reader.read(CHUNK_BYTES)
            if not chunk:
                raise ConnectionResetError
            rest = collector.feed(chunk)
        self.collecting = False
        self._reset_timeout()
        if rest:
            self._reader.feed_data(rest)  # pipelined commands; read() has left the buffer empty

    async def push(self, status: str | bytes) -> None:
        """Send a reply; hang up after too many errors, or too many replies without an accepted mail."""
        reply = status if isinstance(status, str) else status.decode("utf-8", "replace")
        if reply.startswith("500 ") and not reply.startswith("500 5."):
            reply = "500 5.5.2 command not understood"  # replies of aiosmtpd have no enhanced code
        self.replies += 1
        self.errors += reply.startswith("5")
        if self.errors > MAX_ERRORS or self.replies > self._max_replies:
            self.hang_up(replies.TOO_MANY_ERRORS)
        if self._hung_up:
            # No further reply may follow the last one; the end of the connection cancels this task.
            await self.loop.create_future()
        self._writer.write(reply.encode("utf-8", "replace") + b"\r\n")
        await self._writer.drain()

    async def handle_exception(self, error: Exception) -> str:
        """Log a bug and return 451 without its text."""
        if not isinstance(error, TLSSetupException):
            log_error(error)
        if self.collecting:
            self.hang_up(replies.LATER)  # else the rest of the mail would be read as commands
        return replies.LATER

    async def _handle_client(self) -> None:
        try:
            if self._refusal is not None:
                self.hang_up(
                    self._refusal, at_once=True
                )  # a client sends nothing before the greeting
            await super()._handle_client()
        except ConnectionError:
            pass  # the transport calls connection_lost
        except Exception as error:
            if self.transport is not None:
                log_error(error)
                self.hang_up(replies.LATER)

    def _timeout_cb(self) -> None:
        self.hang_up(replies.TOO_SLOW)

    def _set_post_data_state(self) -> None:
        """Make no envelope: MailSession takes its place."""


def _close_sending_half(transport: Any) -> bool:
    """Send the end of the stream where the transport can (TLS cannot); return False when the client is gone."""
    try:
        if not transport.is_closing() and transport.can_write_eof():
            transport.write_eof()
    except OSError:
        return False
    return not transport.is_closing()
