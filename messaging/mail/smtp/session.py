"""The mail transactions of one client: senders, recipients and contents, each answered with an SMTP reply.

`connection` has the wire (lines, timeouts, TLS) and the order of the commands.
"""

from dataclasses import dataclass, field

from messaging.mail.classify import ReceivedMail
from messaging.mail.smtp import replies
from messaging.mail.smtp.data import MailCollector
from messaging.mail.smtp.server import SmtpServer


@dataclass(slots=True)
class MailSession:
    """The transactions of one client, one after the other; EHLO makes a new session.

    `sender` is None while no transaction is open. A transaction ends with `reset`.
    """

    server: SmtpServer
    client: str
    sender: str | None = None
    recipients: list[str] = field(default_factory=list)

    def mail(self, sender: str, size: int) -> str:
        """Open a transaction, unless the announced size exceeds the limit (RFC 1870). Return the reply."""
        if size > self.server.settings.max_bytes:
            return replies.TOO_BIG
        self.sender = sender
        return replies.SENDER_OK

    async def rcpt(self, mailbox: str) -> str:
        """Add a recipient if the router takes mail for it. Return the reply."""
        if mailbox in self.recipients:
            return replies.RECIPIENT_OK
        if len(self.recipients) >= self.server.settings.max_recipients:
            return replies.TOO_MANY_RECIPIENTS
        is_report = not self.sender
        reply = await self.server.ingest.verify_recipient(mailbox, self.client, is_report=is_report)
        if reply is replies.RECIPIENT_OK:
            self.recipients.append(mailbox)
        return reply

    async def data(self, collector: MailCollector) -> str:
        """Submit the collected mail to the router, or refuse it when it exceeded a limit. Return the reply."""
        mail = ReceivedMail(
            sender=self.sender or "",
            recipients=tuple(self.recipients),
            size=collector.size,
            content=collector.content(),
            client=self.client,
        )
        if collector.too_big:
            return self.server.ingest.record_reply(mail, replies.TOO_BIG)
        if collector.no_room:
            return self.server.ingest.record_reply(mail, replies.BUSY)
        return await self.server.ingest.submit(mail)

    def reset(self) -> None:
        """Drop the sender and the recipients."""
        self.sender = None
        self.recipients = []
