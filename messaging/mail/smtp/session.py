"""The mail transactions of one client: senders, recipients and contents, each answered with an SMTP reply.

`connection` has the wire (lines, timeouts, TLS) and the order of the commands.
"""

from dataclasses import dataclass, field
from typing import Final

from messaging.mail.classify import ReceivedMail
from messaging.mail.message_ids import Reference
from messaging.mail.smtp import replies
from messaging.mail.smtp.clients import ByteBudget
from messaging.mail.smtp.server import SmtpServer

_END: Final = b"\r\n.\r\n"


class MailCollector:
    """Collects the bytes of one mail between DATA and the final dot (RFC 5321 section 4.5.2), at most `max_bytes`.

    Counts them in the budget of its client. Beyond either limit it drops the mail, returns its bytes to the
    budget, and only searches for the end. Must be closed.
    """

    # Only `<CR><LF>.<CR><LF>` ends a mail. Sequences that other servers accept as the end (`<LF>.<LF>`,
    # `<LF>.<CR><LF>`, `<CR>.<CR>` and the like) are text, so they cannot smuggle in a second mail. A bare CR or LF is
    # read as a line end and not refused: scripts send it, and it is harmless because no mail is relayed unchanged.

    def __init__(self, max_bytes: int, budget: ByteBudget) -> None:
        self._max_bytes = max_bytes
        self._budget = budget
        self._buffer = bytearray(b"\r\n")  # the first line may be the final dot
        self._counted = 0
        self.size = 0
        self.too_big = False
        self.no_room = False

    def feed(self, chunk: bytes) -> bytes | None:
        """Add a chunk; return the bytes behind the end of the mail, None before the end."""
        search_from = max(0, len(self._buffer) - len(_END) + 1)
        self._buffer += chunk
        end = self._buffer.find(_END, search_from)
        rest, count = None, len(chunk)
        if end >= 0:
            rest = bytes(self._buffer[end + len(_END) :])
            count = len(chunk) - len(rest) - 3
            del self._buffer[end + 2 :]
        self.size += count
        count = max(0, count)
        if not (self.too_big or self.no_room):
            self.too_big = self.size > self._max_bytes
            self.no_room = not self.too_big and not self._budget.take(count)
            self._counted += 0 if self.too_big or self.no_room else count
        if self.too_big or self.no_room:
            tail = self._buffer[1 - len(_END) :]  # the end may begin in this chunk
            self.close()
            self._buffer = tail
        return rest

    def content(self) -> bytes:
        """Return the mail without its transparent dots, and keep no copy; not for use after `too_big` or `no_room`.

        Its bytes count against the budget until `close`.
        """
        data = bytes(memoryview(self._buffer)[2:])
        self._buffer = bytearray()
        if b"\n." in data:
            data = data.replace(b"\r\n.", b"\r\n")
        return data[1:] if data.startswith(b".") else data

    def close(self) -> None:
        """Drop the mail and return its bytes to the budget. Idempotent."""
        self._budget.give_back(self._counted)
        self._counted = 0
        self._buffer = bytearray()


@dataclass(slots=True)
class MailSession:
    """The transactions of one client, one after the other; EHLO makes a new session.

    `sender` is None while no transaction is open. A transaction ends with `reset`. `bounced` is the delivery that the
    address of a recipient names. `helo` is the name that the client gave.
    """

    server: SmtpServer
    client: str
    helo: str = ""
    sender: str | None = None
    recipients: list[str] = field(default_factory=list)
    bounced: Reference | None = None

    def mail(self, sender: str, size: int) -> str:
        """Open a transaction, unless the announced size exceeds the limit (RFC 1870). Return the reply."""
        if size > self.server.settings.max_bytes:
            return replies.TOO_BIG
        self.sender = sender
        return replies.SENDER_OK

    async def rcpt(self, mailbox: str, sub_address: str = "") -> str:
        """Add a recipient if the router takes mail for it. Return the reply.

        The router is asked about `mailbox`; the recipient keeps its sub-address, which may name a device.
        """
        addresses = self.server.bounce_addresses
        bounced = addresses.read(sub_address) if addresses and sub_address else None
        self.bounced = self.bounced or bounced
        recipient = mailbox
        if sub_address and bounced is None:
            recipient = mailbox.replace("@", f"+{sub_address}@")
        if recipient in self.recipients:
            return replies.RECIPIENT_OK
        if len(self.recipients) >= self.server.settings.max_recipients:
            return replies.TOO_MANY_RECIPIENTS
        is_report = not self.sender
        reply = await self.server.ingest.verify_recipient(mailbox, self.client, is_report=is_report)
        if reply is replies.RECIPIENT_OK:
            self.recipients.append(recipient)
        return reply

    async def data(self, collector: MailCollector) -> str:
        """Submit the collected mail to the router, or refuse it when it exceeded a limit. Return the reply."""
        mail = ReceivedMail(
            sender=self.sender or "",
            recipients=tuple(self.recipients),
            size=collector.size,
            content=collector.content(),
            client=self.client,
            helo=self.helo,
            bounced=self.bounced,
        )
        # Not at RCPT: a mail server in front asks about a recipient as from a sender of its own.
        if self.bounced and self.sender:
            return self.server.ingest.record_reply(mail, replies.BOUNCES_ONLY)
        if collector.too_big:
            return self.server.ingest.record_reply(mail, replies.TOO_BIG)
        if collector.no_room:
            return self.server.ingest.record_reply(mail, replies.BUSY)
        return await self.server.ingest.submit(mail)

    def reset(self) -> None:
        """Drop the sender and the recipients."""
        self.sender = None
        self.recipients = []
        self.bounced = None
