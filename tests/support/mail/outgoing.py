"""Deliveries to send, relays to send them to, and a server that follows a script."""

import asyncio
import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from messaging.config.env import read
from messaging.mail.authentication.settings import DkimSettings
from messaging.mail.bounce_addresses import BounceAddresses
from messaging.mail.relay import Relay
from messaging.mail.send import MailSender
from messaging.model.message import Address, Delivery, Message, Network, Outcome, Result
from messaging.sending.sender import SenderOperator
from tests.support.begins import MemoryBegins
from tests.support.send_deliveries import outcomes_of

DOMAIN = "example.org"
HELLO = (b"220 hi\r\n", b"250 hi\r\n")


def delivery(
    number: int = 1, recipient: str = "ann@friends.example", seconds: float = 60
) -> Delivery:
    message = Message(
        id=f"{number:032x}",
        sender=Address(Network.EMAIL, "boop@example.org"),
        recipient=Address(Network.EMAIL, recipient),
        text=f"text {number}\n.\n..dots",
        via="smtp",
    )
    until = datetime.now(UTC) + timedelta(seconds=seconds)
    return Delivery(id=number, message=message, attempt=1, lease_until=until)


def relay_at(url: str, **settings: Any) -> Relay:
    return read(Relay, **{"url": url, "timeout_seconds": 20, **settings})


def send(
    relay: Relay,
    *deliveries: Delivery,
    max_sessions: int = 1,
    bounce_addresses: BounceAddresses | None = None,
    dkim: DkimSettings | None = None,
) -> list[Outcome]:
    """Send as the pipeline does; return the outcomes of those that have one."""

    async def run() -> list[Outcome]:
        make = partial(MailSender, relay, DOMAIN, max_sessions, bounce_addresses, dkim)
        sender = SenderOperator(make, MemoryBegins)
        try:
            return await outcomes_of(sender, *deliveries)
        finally:
            await sender.close()

    return asyncio.run(run())


def results(outcomes: list[Outcome]) -> list[Result]:
    return [outcome.result for outcome in outcomes]


def only(relay: Relay) -> Outcome:
    """Send two mails that must fail alike, and return one outcome."""
    first, second = send(relay, delivery(1), delivery(2))
    assert replace(first, delivery_id=2, message_id=second.message_id) == second
    return first


@contextlib.contextmanager
def scripted(*script: bytes, pause_seconds: float = 0) -> Iterator[str]:
    """A server that sends a piece and reads a command (or mail) in turns, byte by byte if it pauses."""
    server = socket.create_server(("127.0.0.1", 0))

    def answer(connection: socket.socket) -> None:
        with connection, connection.makefile("rb") as lines, contextlib.suppress(OSError):
            for piece in script:
                for start in range(len(piece)) if pause_seconds else (0,):
                    connection.sendall(piece[start : start + 1] if pause_seconds else piece)
                    time.sleep(pause_seconds)
                while (line := lines.readline()) and piece.startswith(b"354") and line != b".\r\n":
                    pass
                if not line:
                    return

    def serve() -> None:
        with contextlib.suppress(OSError):
            while True:
                answer(server.accept()[0])

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield f"smtp://127.0.0.1:{server.getsockname()[1]}"
    finally:
        server.shutdown(socket.SHUT_RDWR)
        server.close()
        thread.join(10)
