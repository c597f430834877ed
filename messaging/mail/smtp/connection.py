"""The commands of one connection of the SMTP server, and their order.

They are those of RFC 5321 with SIZE, 8BITMIME, SMTPUTF8, PIPELINING and STARTTLS. They replace those of aiosmtpd, which
parse addresses slowly and send no enhanced status codes.
"""

import asyncio
from contextlib import closing

from messaging.mail.smtp import replies
from messaging.mail.smtp.commands import (
    BadCommand,
    read_forward_path,
    read_reverse_path,
    read_sub_address,
)
from messaging.mail.smtp.session import MailCollector, MailSession
from messaging.mail.smtp.wire import SmtpWire


class SmtpConnection(SmtpWire):
    """The server side of one connection: parses commands, checks their order and passes them to a MailSession."""

    async def smtp_HELO(self, hostname: str | None) -> None:
        """RFC 5321 section 4.1.1.1."""
        if not hostname:
            await self.push(replies.NO_HOSTNAME)
            return
        self._mail_session = MailSession(self._server, self._client, hostname)
        await self.push(f"250 {self.hostname}")

    async def smtp_EHLO(self, hostname: str | None) -> None:
        """RFC 5321 section 4.1.1.1."""
        if not hostname:
            await self.push(replies.NO_HOSTNAME)
            return
        self._mail_session = MailSession(self._server, self._client, hostname)
        size = f"SIZE {self._server.settings.max_bytes}"
        lines = [self.hostname, size, "8BITMIME", "SMTPUTF8", "PIPELINING", "ENHANCEDSTATUSCODES"]
        if self._server.certificate is not None and not self.is_encrypted:
            lines.append("STARTTLS")
        await self.push("\r\n".join([*(f"250-{line}" for line in lines[:-1]), f"250 {lines[-1]}"]))

    async def smtp_STARTTLS(self, arg: str | None) -> None:
        """RFC 3207. Commands that follow in the same plaintext are discarded."""
        certificate = self._server.certificate
        if arg or certificate is None or self.is_encrypted:
            await self.push("503 5.5.1 TLS cannot be started now")
            return
        await self.push("220 2.0.0 ready to start TLS")
        await self._start_tls(certificate)

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
                mailbox = read_forward_path(arg, self._server.mail_domain)
                self._reset_timeout(self._server.settings.idle_seconds)  # for the router
                reply = await session.rcpt(mailbox, read_sub_address(arg))
            except BadCommand as error:
                reply = error.reply
        if reply.startswith(replies.UNKNOWN_RECIPIENT_CODE):
            await self._slow_down()
        await self.push(reply)
        self._reset_timeout()

    async def _slow_down(self) -> None:
        """Wait before the refusal of an unknown recipient; hang up on a client that tries too many."""
        delay = self._server.clients.note_unknown_recipient(self._client)
        if delay is None:
            self._server.note_refusal(self._client, "it tries too many unknown recipients")
            self.hang_up(replies.TOO_MANY_UNKNOWN)
        elif delay:
            await asyncio.sleep(delay)

    async def smtp_DATA(self, arg: str | None) -> None:
        """RFC 5321 section 4.1.1.4."""
        server, session = self._server, self._mail_session
        if arg or session is None or not session.recipients:
            await self.push("503 5.5.1 DATA has no argument and needs MAIL and RCPT before it")
            return
        self._in_data = True
        try:
            await self.push("354 end with <CRLF>.<CRLF>")
            max_bytes, budget = server.settings.max_bytes, server.clients.budget_of(self._client)
            with closing(MailCollector(max_bytes, budget)) as collector:
                await self._collect(collector)
                self._submit_time = self.loop.time()
                reply = await session.data(collector)
            if reply.startswith("250"):
                self._errors = self._replies = 0
                server.note_accepted(self, self._client)
                if not self._is_known:
                    self._grant_patience()
            self._submit_time = None
            self._expect_mail()
            self._reset_timeout()
            await self.push(reply)
        finally:
            self._in_data, self._submit_time = False, None
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
        await self.push(replies.LEAVING if self._server.leaving else replies.OK)

    async def smtp_QUIT(self, arg: str | None) -> None:
        """RFC 5321 section 4.1.1.10."""
        self.hang_up("221 2.0.0 bye", at_once=True)
        await asyncio.sleep(0)  # a cancellation point: hang_up has cancelled this task

    async def smtp_VRFY(self, arg: str | None) -> None:
        """RFC 5321 section 3.5.3. The reply does not tell which mailboxes exist."""
        await self.push("252 2.5.0 mailboxes are not verified, send the mail")

    async def smtp_EXPN(self, arg: str | None) -> None:
        """RFC 5321 section 4.1.1.7: the server has no mailing lists."""
        await self.push(replies.NOT_OFFERED)

    async def smtp_AUTH(self, arg: str | None) -> None:
        """RFC 4954: the server takes mail for subscribers only, from every client, so it needs no log-in."""
        await self.push(replies.NOT_OFFERED)

    async def smtp_HELP(self, arg: str | None) -> None:
        """RFC 5321 section 4.1.1.8."""
        await self.push("214 2.0.0 see RFC 5321")


SmtpConnection._commands = {
    name.removeprefix("smtp_"): getattr(SmtpConnection, name)
    for name in dir(SmtpConnection)
    if name.startswith("smtp_")
}
