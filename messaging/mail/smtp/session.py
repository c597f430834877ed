"""One SMTP session: the commands of RFC 5321 with SIZE, 8BITMIME, SMTPUTF8, PIPELINING and STARTTLS.

The commands of aiosmtpd are replaced: they parse addresses slowly, leave out enhanced status codes, and read a mail
line by line.
"""

import asyncio
from dataclasses import dataclass, field
from typing import Final

from messaging.mail.classify import ReceivedMail
from messaging.mail.inbound import RECIPIENT_OK
from messaging.mail.smtp import replies
from messaging.mail.smtp.commands import BadCommand, read_forward_path, read_reverse_path
from messaging.mail.smtp.connection import MailConnection
from messaging.mail.smtp.data import Collector
from messaging.mail.smtp.server import SmtpServer

CHUNK_BYTES: Final = 1024 * 1024


@dataclass(slots=True)
class Transaction:
    """What MAIL and RCPT have said so far."""

    sender: str
    recipients: list[str] = field(default_factory=list)


class MailSession(MailConnection):
    """What is said on one connection."""

    def __init__(self, server: SmtpServer, proxied: bool) -> None:
        super().__init__(server, proxied)
        self._greeted = False
        self._transaction: Transaction | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin anew, after the TLS handshake too (RFC 3207 section 4.2)."""
        self._greeted = False
        super().connection_made(transport)

    def _set_post_data_state(self) -> None:
        self._transaction = None

    async def smtp_HELO(self, hostname: str | None) -> None:
        """RFC 5321 section 4.1.1.1."""
        await self._hello(hostname, [])

    async def smtp_EHLO(self, hostname: str | None) -> None:
        """RFC 5321 section 4.1.1.1."""
        size = f"SIZE {self.server.settings.max_bytes}"
        offers = [size, "8BITMIME", "SMTPUTF8", "PIPELINING", "ENHANCEDSTATUSCODES"]
        if self.server.certificate is not None and self._tls_protocol is None:
            offers.append("STARTTLS")
        await self._hello(hostname, offers)

    async def _hello(self, hostname: str | None, offers: list[str]) -> None:
        if not hostname:
            await self.push("501 5.5.4 say who you are")
            return
        self._greeted = True
        self._transaction = None
        lines = [self.hostname, *offers]
        await self.push("\r\n".join([*(f"250-{line}" for line in lines[:-1]), f"250 {lines[-1]}"]))

    async def smtp_STARTTLS(self, arg: str | None) -> None:
        """RFC 3207. What a client sent in the clear behind this command is forgotten."""
        certificate = self.server.certificate
        if arg or certificate is None or self._tls_protocol is not None:
            await self.push("503 5.5.1 TLS cannot be started here")
            return
        self.tls_context = certificate.context()
        await super().smtp_STARTTLS("")

    async def smtp_MAIL(self, arg: str | None) -> None:
        """RFC 5321 section 4.1.1.2, SIZE: RFC 1870."""
        if not self._greeted:
            await self.push("503 5.5.1 say EHLO first")
        elif self._transaction is not None:
            await self.push("503 5.5.1 a mail has begun already")
        else:
            await self.push(self._begin(arg))

    def _begin(self, arg: str | None) -> str:
        try:
            path = read_reverse_path(arg)
        except BadCommand as error:
            return error.reply
        if path.size > self.server.settings.max_bytes:
            return replies.TOO_BIG
        self._transaction = Transaction(path.sender)
        return "250 2.1.0 sender ok"

    async def smtp_RCPT(self, arg: str | None) -> None:
        """RFC 5321 section 4.1.1.3."""
        if self._transaction is None:
            await self.push("503 5.5.1 say MAIL first")
        else:
            await self.push(await self._add(self._transaction, arg))

    async def _add(self, transaction: Transaction, arg: str | None) -> str:
        sender, recipients = transaction.sender, transaction.recipients
        try:
            mailbox = read_forward_path(arg, self.server.mail_domain)
        except BadCommand as error:
            return error.reply
        if mailbox in recipients:
            return RECIPIENT_OK
        if len(recipients) >= self.server.settings.max_recipients:
            return "452 4.5.3 too many recipients, send the others a second mail"
        reply = await self.server.ingest.answer_recipient(mailbox, self.client, not sender)
        if reply is RECIPIENT_OK:
            recipients.append(mailbox)
        return reply

    async def smtp_DATA(self, arg: str | None) -> None:
        """RFC 5321 section 4.1.1.4."""
        transaction = self._transaction
        if arg or transaction is None or not transaction.recipients:
            await self.push("503 5.5.1 say MAIL and RCPT first, and nothing behind DATA")
            return
        self.in_data = True
        try:
            await self.push("354 end with <CRLF>.<CRLF>")
            reply = await self._receive(transaction)
            if reply.startswith("250"):
                self.errors = self.replies = 0
            await self.push(reply)
        finally:
            self.in_data = False
            self._transaction = None
        if self.server.draining:
            self.shut()

    async def _receive(self, transaction: Transaction) -> str:
        settings = self.server.settings
        collector = Collector(settings.max_bytes, self.server.bytes_in_flight)
        try:
            await self._collect(collector, self.loop.time() + settings.data_seconds)
            mail = ReceivedMail(
                sender=transaction.sender,
                recipients=tuple(transaction.recipients),
                size=collector.size,
                content=collector.content(),
                client=self.client,
            )
            if collector.too_big:
                return self.server.ingest.turn_down(mail, replies.TOO_BIG)
            if collector.no_room:
                return self.server.ingest.turn_down(mail, replies.BUSY)
            return await self.server.ingest.answer_mail(mail)
        finally:
            collector.close()

    async def _collect(self, collector: Collector, deadline: float) -> None:
        self.collecting = True
        rest = None
        while rest is None:
            left = deadline - self.loop.time()
            self._reset_timeout(max(0.001, min(self.server.settings.idle_seconds, left)))
            chunk = await self._reader.read(CHUNK_BYTES)
            if not chunk:
                raise ConnectionResetError
            rest = collector.feed(chunk)
        self.collecting = False
        self._reset_timeout()
        if rest:
            self._reader.feed_data(rest)  # commands sent ahead; read() has left the buffer empty

    async def smtp_RSET(self, arg: str | None) -> None:
        """RFC 5321 section 4.1.1.5."""
        self._transaction = None
        await self.push("250 2.0.0 ok")

    async def smtp_NOOP(self, arg: str | None) -> None:
        """RFC 5321 section 4.1.1.9. Tells a probe when it is time to send nobody here any more."""
        await self.push(replies.LEAVING if self.server.leaving else replies.OK)

    async def smtp_QUIT(self, arg: str | None) -> None:
        """RFC 5321 section 4.1.1.10."""
        self.hang_up("221 2.0.0 bye", at_once=True)
        await asyncio.sleep(0)

    async def smtp_VRFY(self, arg: str | None) -> None:
        """RFC 5321 section 3.5.3: who has a device is nobody's business."""
        await self.push("252 2.5.0 send a mail and see")

    async def smtp_EXPN(self, arg: str | None) -> None:
        """There are no lists."""
        await self.push("502 5.5.1 not offered")

    async def smtp_AUTH(self, arg: str | None) -> None:
        """Nobody can log in: mail is taken for subscribers only, from anybody."""
        await self.push("502 5.5.1 not offered")

    async def smtp_HELP(self, arg: str | None) -> None:
        """RFC 5321 section 4.1.1.8."""
        await self.push("214 2.0.0 see RFC 5321")
