"""The commands of RFC 5321 with SIZE, 8BITMIME, SMTPUTF8, PIPELINING and STARTTLS, in the order they must come.

The commands of aiosmtpd are replaced: they parse addresses slowly, send no enhanced status codes, and read a mail
line by line.
"""

import asyncio
from contextlib import closing

from messaging.mail.smtp import replies
from messaging.mail.smtp.commands import BadCommand, read_forward_path, read_reverse_path
from messaging.mail.smtp.connection import MailConnection
from messaging.mail.smtp.data import MailCollector
from messaging.mail.smtp.server import SmtpServer
from messaging.mail.smtp.session import MailSession


class SmtpProtocol(MailConnection):
    """Checks the order of commands, parses their arguments and passes them to the session."""

    def __init__(self, server: SmtpServer, proxied: bool) -> None:
        super().__init__(server, proxied)
        self._mail_session: MailSession | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Start without a session; the TLS handshake ends the one before it (RFC 3207 section 4.2)."""
        self._mail_session = None
        super().connection_made(transport)

    async def smtp_HELO(self, hostname: str | None) -> None:
        """RFC 5321 section 4.1.1.1."""
        await self._start_session(hostname, [])

    async def smtp_EHLO(self, hostname: str | None) -> None:
        """RFC 5321 section 4.1.1.1."""
        size = f"SIZE {self.server.settings.max_bytes}"
        extensions = [size, "8BITMIME", "SMTPUTF8", "PIPELINING", "ENHANCEDSTATUSCODES"]
        if self.server.certificate is not None and not self.is_encrypted:
            extensions.append("STARTTLS")
        await self._start_session(hostname, extensions)

    async def _start_session(self, hostname: str | None, extensions: list[str]) -> None:
        if not hostname:
            await self.push("501 5.5.4 the host name is missing")
            return
        self._mail_session = MailSession(self.server, self.client)
        lines = [self.hostname, *extensions]
        await self.push("\r\n".join([*(f"250-{line}" for line in lines[:-1]), f"250 {lines[-1]}"]))

    async def smtp_STARTTLS(self, arg: str | None) -> None:
        """RFC 3207. Commands that follow in the same plaintext are discarded."""
        certificate = self.server.certificate
        if arg or certificate is None or self.is_encrypted:
            await self.push("503 5.5.1 TLS cannot be started now")
            return
        await self.start_tls(certificate.context())

    async def smtp_MAIL(self, arg: str | None) -> None:
        """RFC 5321 section 4.1.1.2, SIZE: RFC 1870."""
        session = self._mail_session
        if session is None:
            reply = "503 5.5.1 send EHLO first"
        elif session.sender is not None:
            reply = "503 5.5.1 a mail transaction is open already"
        else:
            try:
                path = read_reverse_path(arg)
                reply = session.mail(path.sender, path.size)
            except BadCommand as error:
                reply = error.reply
        await self.push(reply)

    async def smtp_RCPT(self, arg: str | None) -> None:
        """RFC 5321 section 4.1.1.3."""
        session = self._mail_session
        if session is None or session.sender is None:
            reply = "503 5.5.1 send MAIL first"
        else:
            try:
                reply = await session.rcpt(read_forward_path(arg, self.server.mail_domain))
            except BadCommand as error:
                reply = error.reply
        await self.push(reply)

    async def smtp_DATA(self, arg: str | None) -> None:
        """RFC 5321 section 4.1.1.4."""
        server, session = self.server, self._mail_session
        if arg or session is None or not session.recipients:
            await self.push("503 5.5.1 DATA has no argument and needs MAIL and RCPT before it")
            return
        self.in_data = True
        try:
            await self.push("354 end with <CRLF>.<CRLF>")
            with closing(
                MailCollector(server.settings.max_bytes, server.bytes_in_flight)
            ) as collector:
                await self.collect(collector)
                reply = await session.data(collector)
            if reply.startswith("250"):
                self.errors = self.replies = 0
            await self.push(reply)
        finally:
            self.in_data = False
            session.reset()
        if server.draining:
            self.drain()

    async def smtp_RSET(self, arg: str | None) -> None:
        """RFC 5321 section 4.1.1.5."""
        if self._mail_session is not None:
            self._mail_session.reset()
        await self.push(replies.OK)

    async def smtp_NOOP(self, arg: str | None) -> None:
        """RFC 5321 section 4.1.1.9. The reply tells a probe whether new clients may still be sent here."""
        await self.push(replies.LEAVING if self.server.leaving else replies.OK)

    async def smtp_QUIT(self, arg: str | None) -> None:
        """RFC 5321 section 4.1.1.10."""
        self.hang_up("221 2.0.0 bye", at_once=True)
        await asyncio.sleep(0)  # a cancellation point: hang_up has cancelled this task

    async def smtp_VRFY(self, arg: str | None) -> None:
        """RFC 5321 section 3.5.3. The reply does not tell which mailboxes exist."""
        await self.push("252 2.5.0 mailboxes are not verified, send the mail")

    async def smtp_EXPN(self, arg: str | None) -> None:
        """RFC 5321 section 4.1.1.7: the server has no mailing lists."""
        await self.push("502 5.5.1 not offered")

    async def smtp_AUTH(self, arg: str | None) -> None:
        """RFC 4954: the server takes mail for subscribers only, from every client, so it needs no log-in."""
        await self.push("502 5.5.1 not offered")

    async def smtp_HELP(self, arg: str | None) -> None:
        """RFC 5321 section 4.1.1.8."""
        await self.push("214 2.0.0 see RFC 5321")
