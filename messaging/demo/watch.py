"""The live view of the demo: one line for each thing that happens, for people."""

import threading
from datetime import UTC, datetime

from rich.console import Console
from rich.markup import escape

from messaging.satellite.codecs.protobuf import Undecodable, display_of
from messaging.simulator.hive.state import HivePacket
from messaging.simulator.mail.server import ReceivedMail
from messaging.simulator.twilio.texts import Text
from messaging.store.console.messages import list_messages
from messaging.store.console.selection import MessageFilter

LONGEST_QUOTE = 200


class Watch:
    """Prints what the simulators received and what the gateway's history says is new. Safe to use from any thread."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._lock = threading.Lock()
        self._known: dict[str, str] = {}
        self._since = datetime.now(UTC)

    def shown(self, packet: HivePacket) -> None:
        """A downlink reached its device."""
        try:
            for sender, text in display_of(packet.data):
                self._line("device", f"{packet.device_id} shows, from {sender}:", text)
        except Undecodable as error:
            self._line("device", f"{packet.device_id} got {len(packet.data)} bytes", error.reason)

    def texted(self, text: Text) -> None:
        """A phone got a text."""
        self._line("phone", f"{text.recipient} shows, from {text.sender}:", text.body)

    def mailed(self, mail: ReceivedMail) -> None:
        """The relay took a mail."""
        body = mail.message.get_body(("plain",))
        text = body.get_content().strip() if body else ""
        self._line("mailbox", f"{', '.join(mail.recipients)} got, from {mail.sender}:", text)

    def look(self) -> None:
        """Print what the history says that it did not say before."""
        for row in reversed(list_messages(MessageFilter(since=self._since, limit=100))):
            told = f"{row.state}{': ' + row.reason if row.reason else ''}"
            if self._known.get(row.id) != told:
                self._known[row.id] = told
                self._line("gateway", f"{row.id[:8]}  {row.sender} to {row.recipient}:", told)

    def _line(self, where: str, what: str, text: str) -> None:
        quoted = text if len(text) <= LONGEST_QUOTE else text[:LONGEST_QUOTE] + "…"
        quoted = " / ".join(filter(None, quoted.splitlines()))
        with self._lock:
            self._console.print(
                f"[dim]{datetime.now():%H:%M:%S}[/]  [bold]{where:8}[/] {escape(what)} "
                f"[cyan]{escape(quoted)}[/]"
            )
