"""A mail server that keeps received mail, in place of the relay that takes outgoing mail."""

import asyncio
import logging
import socket
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Final
from urllib.parse import quote

from messaging.simulator.mail.session import AccessRules, MailFaults, ReceivedMail, SinkSession
from messaging.simulator.shared.faults import Dice

__all__ = ["AccessRules", "MailFaults", "MailSink", "ReceivedMail", "serve"]

STOP_SECONDS: Final = 10.0


class MailSink:
    """A context manager that runs the server in a thread on `host:port` (port 0: a free one).

    `received` holds the mails, oldest first; `on_mail` is called with each, in the server's thread. `faults` may be
    replaced at any time. Entering raises OSError when the port is taken.
    """

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        access_rules: AccessRules | None = None,
        faults: MailFaults | None = None,
        on_mail: Callable[[ReceivedMail], None] | None = None,
    ) -> None:
        self.access_rules = access_rules or AccessRules()
        self.received: list[ReceivedMail] = []
        self.connections = 0
        self.dice = Dice(faults or MailFaults())
        self.on_mail = on_mail
        self._tls = self.access_rules.context()
        self._socket = socket.create_server((host, port), backlog=1024)
        # asyncio sets it on listeners of its own only; without it answers in pieces wait for acknowledgements.
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.host, self.port = self._socket.getsockname()[:2]
        self._arrived = threading.Condition()
        self._started = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._open: set[asyncio.Transport] = set()
        self._thread = threading.Thread(target=self._run, name=f"mail-sink-{self.port}")

    @property
    def url(self) -> str:
        """The URL of this server as a relay, with user and password."""
        scheme = {"none": "smtp", "starttls": "smtp+starttls", "implicit": "smtps"}
        rules = self.access_rules
        who = (
            f"{quote(rules.user, safe='')}:{quote(rules.password, safe='')}@" if rules.user else ""
        )
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{scheme[rules.tls]}://{who}{host}:{self.port}"

    @property
    def faults(self) -> MailFaults:
        """The faults that are switched on."""
        faults = self.dice.faults
        return faults if isinstance(faults, MailFaults) else MailFaults(**faults.model_dump())

    @faults.setter
    def faults(self, faults: MailFaults) -> None:
        self.dice.faults = faults

    def __enter__(self) -> "MailSink":
        self._thread.start()
        self._started.wait()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(STOP_SECONDS)

    def wait_for(self, count: int, seconds: float = 10.0) -> list[ReceivedMail]:
        """Wait until `count` mails are there and return them all. Raises TimeoutError."""
        with self._arrived:
            if not self._arrived.wait_for(lambda: len(self.received) >= count, seconds):
                raise TimeoutError(f"{len(self.received)} of {count} mails arrived")
            return list(self.received)

    def keep(self, mail: ReceivedMail) -> None:
        """Add a mail to those received."""
        with self._arrived:
            self.received.append(mail)
            self._arrived.notify_all()
        if self.on_mail is not None:
            self.on_mail(mail)

    def add_connection(self, transport: asyncio.Transport) -> None:
        """Note a connection, to end it when the server ends."""
        self.connections += 1
        self._open.add(transport)

    def remove_connection(self, transport: asyncio.Transport) -> None:
        """Forget a connection."""
        self._open.discard(transport)

    def _run(self) -> None:
        # Otherwise aiosmtpd logs every command.
        logging.getLogger("mail.log").setLevel(logging.ERROR)
        self._loop = loop = asyncio.new_event_loop()
        create_server = loop.create_server(
            lambda: SinkSession(self, self._tls if self.access_rules.tls == "starttls" else None),
            sock=self._socket,
            ssl=self._tls if self.access_rules.tls == "implicit" else None,
        )
        server = loop.run_until_complete(create_server)
        loop.call_soon(self._started.set)
        try:
            loop.run_forever()
        finally:
            server.close()
            loop.run_until_complete(self._end_connections())
            loop.close()

    async def _end_connections(self) -> None:
        for transport in list(self._open):
            transport.abort()
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def serve(
    host: str,
    port: int,
    on_mail: Callable[[ReceivedMail], None] | None = None,
    faults: MailFaults | None = None,
    stop: threading.Event | None = None,
) -> None:
    """Run a mail sink until `stop` is set, or until KeyboardInterrupt, which passes on when everything is closed.

    Raises OSError when the port is taken.
    """
    with MailSink(host, port, faults=faults, on_mail=on_mail):
        (stop or threading.Event()).wait()
