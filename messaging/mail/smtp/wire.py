"""The wire of one connection of the SMTP server: time-outs, replies, the bytes of a mail, and the end.

Built on aiosmtpd, which opens and closes the stream, changes it to TLS and reads PROXY headers. Four parts of it are
replaced: its constructor searches all members of each connection for commands and hooks, its loop prepares two log
records for each command, it reads a mail line by line, and it drops commands that a client sends before it closes its
sending half. Only this module uses private members of aiosmtpd.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, ClassVar, Final

from aiosmtpd.proxy_protocol import V2_CMD, ProxyData, get_proxy
from aiosmtpd.smtp import SMTP, TLSSetupException

from messaging.mail.inbound import log_error
from messaging.mail.smtp import replies
from messaging.mail.smtp.server import SmtpServer
from messaging.mail.smtp.session import MailCollector, MailSession
from messaging.mail.smtp.tls import Certificate, HalfOpenTls

MAX_ERRORS: Final = 20
MAX_UNKNOWN_COMMANDS: Final = 4
MAX_COMMAND_BYTES: Final = 1000
CHUNK_BYTES: Final = 1024 * 1024
PROXY_SECONDS: Final = 10.0
ABORT_SECONDS: Final = 5.0
LINGER_SECONDS: Final = 1.0
TIMER_SECONDS: Final = 0.001
"""The shortest time-out, and the precision of timers."""


class SmtpWire(SMTP):
    """The server side of one connection, below its commands.

    `_mail_session` is None until EHLO starts it. `_in_data` is true from DATA to its last reply, `_collecting` while
    the bytes of a mail arrive, `_submit_time` is set while a mail waits for the router. `_errors` and `_replies` count
    since the last accepted mail.
    """

    _commands: ClassVar[Mapping[str, Callable[[Any, str | None], Awaitable[None]]]] = {}
    """The methods of the commands, by their names in upper case."""

    def __init__(self, server: SmtpServer, proxied: bool) -> None:
        settings = server.settings
        self.loop = server.loop
        self.hostname = server.hostname
        reader = asyncio.StreamReader(limit=self.line_length_limit, loop=self.loop)
        # Not the constructor of aiosmtpd, see above: the members follow that its other methods use.
        asyncio.StreamReaderProtocol.__init__(
            self, reader, client_connected_cb=self._cb_client_connected, loop=self.loop
        )
        self.session = self.envelope = self.transport = None
        self._handle_hooks = {}
        self._handler_coroutine = None
        self._timeout_handle = None
        self._timeout_duration = min(settings.idle_seconds, settings.new_idle_seconds)
        self._tls_protocol = self._original_transport = None
        self._server = server
        self._proxied = proxied
        self._client = ""
        self._refusal: str | None = None
        self._mail_session: MailSession | None = None
        self._max_replies = server.patience.replies_without_mail + 2 * settings.max_recipients
        self._errors = 0
        self._replies = 0
        self._in_data = False
        self._collecting = False
        self._submit_time: float | None = None
        self._hung_up = False
        self._is_known = False
        self.progress_time = self.loop.time()
        self._useful_until = 0.0
        self._deadline = self._timer_end = 0.0
        self._expect_mail()
        self._closing_timers: list[asyncio.TimerHandle] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Count a new connection, or start anew after the TLS handshake (RFC 3207 section 4.2)."""
        is_new = self.transport is None
        self._mail_session = None
        super().connection_made(transport)
        if is_new:
            peer = transport.get_extra_info("peername")
            self._client = str(peer[0]) if peer else "unknown"
            self._refusal = self._server.enter(self, self._client, self._proxied)
            if not self._proxied:
                self._grant_patience()

    def connection_lost(self, error: Exception | None) -> None:
        """Remove the connection from the server; aiosmtpd may call this twice."""
        super().connection_lost(error)
        for timer in self._closing_timers:
            timer.cancel()
        self._server.leave(self)

    def eof_received(self) -> bool:
        """Keep the sending half open: commands that arrived before the end are processed and answered.

        RFC 5321 section 4.1.1.4. The end of the stream is read behind them and closes the connection.
        """
        # A client that closes long after the final dot has given up and hears no reply. Its mail counts as not
        # answered, so that a repeat is the same message.
        submit_time = self._submit_time
        if (
            submit_time is not None
            and self.loop.time() - submit_time > self._server.patience.give_up_seconds
        ):
            self.hang_up("", at_once=True)
        else:
            self._reader.feed_eof()
        return True

    async def _read_proxy_header(self) -> bool:
        """Read the PROXY header, and count the client that it names; return whether the client is admitted."""
        self._reset_timeout(min(PROXY_SECONDS, self._server.settings.idle_seconds))
        header: ProxyData = await get_proxy(self._reader)
        if not header:
            return False
        address = header.src_addr
        # The health check of a proxy itself (LOCAL, UNKNOWN) names no client.
        if header.command == V2_CMD.LOCAL or address is None or isinstance(address, bytes | str):
            return True
        self._client = str(address)
        refusal = self._server.enter_client(self, self._client)
        if refusal is not None:
            self.hang_up(refusal)
        self._grant_patience()
        return refusal is None

    @property
    def is_submitting(self) -> bool:
        """Whether a mail waits for the router."""
        return self._submit_time is not None

    @property
    def in_data(self) -> bool:
        """Whether a mail is being received."""
        return self._in_data

    def _grant_patience(self) -> None:
        """Give a client that has brought an accepted mail the long time-out."""
        self._is_known = self._server.clients.is_known(self._client)
        if self._is_known:
            self._timeout_duration = self._server.settings.idle_seconds

    def _expect_mail(self) -> None:
        """Give a new client some time to bring a mail."""
        idles = self._server.patience.new_client_idles
        self._useful_until = self.loop.time() + idles * self._server.settings.new_idle_seconds

    def _reset_timeout(self, duration: float | None = None) -> None:
        """Start the time-out for the next command: for a new client at most until it must have brought a mail."""
        now = self.loop.time()
        if duration is None:
            duration = self._timeout_duration
            if not self._is_known:
                duration = min(duration, max(TIMER_SECONDS, self._useful_until - now))
        self._deadline = now + duration
        # A timer that ends before the deadline stays, and is set anew at its end: a new one for each command is slow.
        if self._timeout_handle is None or self._deadline < self._timer_end:
            self._set_timer(duration)

    def _set_timer(self, duration: float) -> None:
        self._timer_end = self._deadline
        super()._reset_timeout(duration)

    def hang_up(self, reply: str, *, at_once: bool = False) -> None:
        """Send a last reply, unless it is empty, and close; cut a client off that does not read for `ABORT_SECONDS`.

        `at_once`: the client is known to send nothing more, so the socket is closed without lingering.
        """
        transport: Any = self.transport  # a transport of uvloop, in Ray, is no asyncio.Transport
        if self._hung_up or transport is None:
            return
        self._hung_up = True
        if reply and not transport.is_closing():
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
        if not self._in_data:
            self.hang_up(replies.SHUTTING_DOWN)

    def data_received(self, data: bytes) -> None:
        """Pass input on, and discard it after `hang_up`."""
        if not self._hung_up:
            super().data_received(data)

    async def push(self, reply: str) -> None:  # type: ignore[override]
        """Send a reply; hang up after too many errors, or too many replies without an accepted mail."""
        self._replies += 1
        self._errors += reply.startswith("5")
        if self._errors > MAX_ERRORS or self._replies > self._max_replies:
            self.hang_up(replies.TOO_MANY_ERRORS)
        if self._hung_up:
            # No further reply may follow the last one; the end of the connection cancels this task.
            await self.loop.create_future()
        self._writer.write(reply.encode("utf-8", "replace") + b"\r\n")
        await self._writer.drain()

    async def _handle_client(self) -> None:
        try:
            if self._refusal is not None:
                # A client sends nothing before the greeting.
                self.hang_up(self._refusal, at_once=True)
            if self._proxied and not await self._read_proxy_header():
                self._writer.close()
                return
            self._reset_timeout()
            await self.push(f"220 {self.hostname} ESMTP")
            await self._process_commands()
        except asyncio.CancelledError:
            self._writer.close()
            raise
        except ConnectionError:
            self._writer.close()  # the transport calls connection_lost
        except asyncio.IncompleteReadError:
            self.hang_up("", at_once=True)  # the client's stream ended
        except Exception as error:
            if self.transport is not None:
                log_error(error)
                self.hang_up(replies.LATER)

    async def _process_commands(self) -> None:
        """Process the client's commands one after the other until the connection ends.

        Replies 451 without its text to a bug. Raises IncompleteReadError at the end of the client's stream.
        """
        unknown = 0
        while self.transport is not None:
            command, argument = await self._read_command()
            method = self._commands.get(command or "")
            if method is None:
                unknown += command is not None
                if unknown > MAX_UNKNOWN_COMMANDS:
                    await self.push(replies.TOO_MANY_COMMANDS)
                    self._writer.close()
                else:
                    await self.push(replies.NOT_UNDERSTOOD)
                continue
            self._reset_timeout()
            try:
                await method(self, argument)
            except (ConnectionResetError, asyncio.IncompleteReadError):
                raise
            except TLSSetupException as error:
                self._writer.close()
                self.connection_lost(error)
            except Exception as error:
                log_error(error)
                if self._collecting:
                    self.hang_up(
                        replies.LATER
                    )  # else the rest of the mail would be read as commands
                await self.push(replies.LATER)

    async def _read_command(self) -> tuple[str | None, str | None]:
        """Return the next command in upper case, None when it is malformed or too long, and its argument."""
        is_too_long, line = False, b""
        while not line:
            try:
                line = await self._reader.readuntil()
            except asyncio.LimitOverrunError as error:
                await self._reader.read(error.consumed)
                is_too_long = True
        line = line.rstrip(b"\r\n")
        name, _, argument = line.partition(b" ")
        if not line or is_too_long or len(line) > MAX_COMMAND_BYTES or not name.isascii():
            return None, None
        # Bytes that are not UTF-8 keep their values: the address is refused, not changed.
        text = argument.strip().decode("utf-8", "surrogateescape") if argument else None
        return name.decode("ascii").upper(), text

    @property
    def is_encrypted(self) -> bool:
        """Whether TLS was started."""
        return self._tls_protocol is not None

    async def _start_tls(self, certificate: Certificate) -> None:
        """Do the handshake. Commands that follow in the same plaintext are discarded."""
        if self._reader._eof:  # type: ignore[attr-defined]
            raise ConnectionResetError  # no handshake can follow
        handshake = self.loop.create_future()
        tls = HalfOpenTls(self.loop, self, certificate.context(), handshake, server_side=True)
        plain: Any = self.transport
        self._tls_protocol, self._original_transport = tls, plain
        self.transport = tls._app_transport
        plain.set_protocol(tls)
        tls.connection_made(plain)
        try:
            await handshake
        except Exception as error:
            raise TLSSetupException from error

    def _timeout_cb(self) -> None:
        left = self._deadline - self.loop.time()
        if left > TIMER_SECONDS:
            self._set_timer(left)
        else:
            self.hang_up(replies.TOO_SLOW)

    async def _collect(self, collector: MailCollector) -> None:
        """Feed the collector until the end of the mail, for `data_seconds` at most."""
        settings = self._server.settings
        now = self.loop.time()
        deadline = now + settings.data_seconds
        idle = settings.idle_seconds if self._is_known else settings.new_idle_seconds
        rate_seconds = self._server.patience.rate_seconds
        window_end, window_size = now + rate_seconds, collector.size
        self._collecting = True
        rest = None
        while rest is None:
            now = self.loop.time()
            if now >= window_end:
                rate = (collector.size - window_size) / (now - window_end + rate_seconds)
                if rate < settings.min_bytes_per_second:
                    self.hang_up(replies.TOO_SLOW)
                window_end, window_size = now + rate_seconds, collector.size
            self._reset_timeout(
                max(TIMER_SECONDS, min(settings.idle_seconds, idle, deadline - now))
            )
            chunk = await self._reader.read(CHUNK_BYTES)
            if not chunk:
                raise ConnectionResetError
            rest = collector.feed(chunk)
        self._collecting = False
        self._reset_timeout(settings.idle_seconds)  # for the router
        # Pipelined commands. read() has left the buffer empty, and feed_data() refuses to add behind the stream's end.
        buffer: bytearray = self._reader._buffer  # type: ignore[attr-defined]
        buffer += rest


def _close_sending_half(transport: Any) -> bool:
    """Send the end of the stream where the transport can (TLS cannot); return False when it is closed already."""
    try:
        if not transport.is_closing() and transport.can_write_eof():
            transport.write_eof()
    except OSError:
        return False
    return not transport.is_closing()
