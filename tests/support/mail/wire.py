"""A raw SMTP client, a receiver in the same event loop, and a router with scripted answers."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from messaging.config.ip_allowlist import LOOPBACK
from messaging.errors import AuthorRefused, Rejected
from messaging.mail.bounce_addresses import BounceAddresses
from messaging.mail.smtp.listener import MailReceiver
from messaging.mail.smtp.pod_readiness import PodLabel
from messaging.mail.smtp.settings import PATIENCE, Patience, SmtpSettings
from messaging.model.message import Bounce, DeadLetter, Inbound, Message, RecipientCheck
from tests.support.eventually import eventually

DOMAIN = "example.org"
WAIT_SECONDS = 30.0
MAIL = b"From: ann@friends.example\r\nSubject: Hello\r\nMessage-ID: <1@friends.example>\r\n\r\nHow are you?\r\n"


class Router:
    """Takes the place of the pipeline: accepts every record, unless a refusal is set for its recipient."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.dead_letters: list[DeadLetter] = []
        self.bounces: list[Bounce] = []
        self.report_checks: list[str] = []
        self.recipient_checks: list[str] = []
        self.recipient_refusals: dict[str, Exception] = {
            "nobody@example.org": Rejected("there is no such user")
        }
        self.message_refusals: dict[str, Exception] = {}
        self.before: Callable[[], Awaitable[None]] | None = None

    async def emit(self, inbound: Inbound) -> None:
        match inbound:
            case DeadLetter():
                self.dead_letters.append(inbound)
                return
            case Bounce():
                self.bounces.append(inbound)
                return
        assert isinstance(inbound, RecipientCheck | Message)
        recipient = inbound.recipient.value
        if isinstance(inbound, RecipientCheck):
            (self.report_checks if inbound.is_report else self.recipient_checks).append(recipient)
            refusal = self.recipient_refusals.get(recipient)
        else:
            if self.before is not None:
                await self.before()
            refusal = self.message_refusals.get(recipient)
            if inbound.keeps_refusal and isinstance(refusal, AuthorRefused):
                refusal = None
        if refusal is not None:
            raise refusal
        if isinstance(inbound, Message):
            self.messages.append(inbound)

    @property
    def texts(self) -> list[str]:
        return [message.text for message in self.messages]


class Wire:
    """One connection; `say` sends a line and returns the whole reply."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def read(self) -> str:
        """Read one reply, of one or more lines; empty when the server has closed."""
        lines = []
        async with asyncio.timeout(WAIT_SECONDS):
            while line := (await self.reader.readline()).decode():
                lines.append(line.rstrip("\r\n"))
                if line[3:4] != "-":
                    break
        return "\n".join(lines)

    async def say(self, line: str | bytes) -> str:
        data = line.encode() if isinstance(line, str) else line
        self.writer.write(data + b"\r\n")
        return await self.read()

    def write(self, data: bytes) -> None:
        self.writer.write(data)

    async def hello(self) -> str:
        return await self.say("EHLO client.example")

    async def begin(self, *recipients: str, sender: str = "ann@friends.example") -> list[str]:
        replies = [await self.say(f"MAIL FROM:<{sender}>")]
        return replies + [await self.say(f"RCPT TO:<{r}>") for r in recipients]

    async def send(
        self,
        content: bytes = MAIL,
        *recipients: str,
        sender: str = "ann@friends.example",
    ) -> str:
        """Send a mail and return the reply to its content."""
        await self.begin(*(recipients or ("boop@example.org",)), sender=sender)
        reply = await self.say("DATA")
        if not reply.startswith("354"):
            return reply
        return await self.say(content.removesuffix(b"\r\n") + b"\r\n.")

    async def start_tls(self, context: Any) -> None:
        await self.writer.start_tls(context)

    async def close(self) -> None:
        self.writer.close()
        with contextlib.suppress(OSError):
            await self.writer.wait_closed()


class MailServer:
    """A running receiver, its router, and the connections to it."""

    def __init__(self, receiver: MailReceiver, router: Router) -> None:
        self.receiver = receiver
        self.router = router
        self.wires: list[Wire] = []

    def open(self) -> object:
        return self.receiver.status()["connections"]

    def in_flight(self) -> object:
        return self.receiver.status()["bytes_in_flight"]

    async def connect(self, port: int = 0, greet: bool = True) -> Wire:
        """Connect to the SMTP port (0) or the proxies' port (1), and read the greeting."""
        listen = self.receiver.addresses[port]
        wire = Wire(*await asyncio.open_connection(listen.host, listen.port))
        self.wires.append(wire)
        if greet:
            assert (await wire.read()).startswith("220 ")
        return wire

    async def connect_and_greet(self) -> Wire:
        wire = await self.connect()
        await wire.hello()
        return wire


@contextlib.asynccontextmanager
async def run_server(
    router: Router | None = None,
    *,
    pod_label: PodLabel | None = None,
    patience: Patience = PATIENCE,
    loopback: str = LOOPBACK,
    bounce_addresses: BounceAddresses | None = None,
    **settings: Any,
) -> AsyncIterator[MailServer]:
    """Run a receiver on a free port until the block ends, and close the connections to it."""
    router = router or Router()
    smtp_settings = SmtpSettings(**{"listen": "127.0.0.1:0", **settings})
    receiver = MailReceiver(
        smtp_settings,
        DOMAIN,
        pod_label=pod_label,
        patience=patience,
        loopback=loopback,
        bounce_addresses=bounce_addresses,
    )
    running = asyncio.create_task(receiver.run(router.emit))
    server = MailServer(receiver, router)
    try:
        expected = 2 if smtp_settings.proxy_listen else 1
        await eventually(lambda: len(receiver.addresses) == expected or running.done())
        yield server
    finally:
        for wire in server.wires:
            await wire.close()
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running
