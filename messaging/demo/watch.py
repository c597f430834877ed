"""The live view of the demo: one line for each event."""

import threading
from datetime import UTC, datetime

from rich.console import Console
from rich.markup import escape

from messaging.satellite.codecs.protobuf import Undecodable, display_of
from messaging.simulator.hive.state import HivePacket
from messaging.simulator.mail.server import ReceivedMail
from messaging.simulator.twilio.state import Text
from messaging.store.console.messages import list_messages
from messaging.store.console.selection import MessageFilter

LONGEST_QUOTE = 200


class Watch:
    """Prints the messages at the simulators and the news of the gateway's history. Safe to use from any thread."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._lock = threading.Lock()
        self._known: dict[str, str] = {}
        self._since = datetime.now(UTC)

    def print_packet(self, packet: HivePacket) -> None:
        """Print a downlink that reached its device."""
        try:
            for sender, text in display_of(packet.data):
                self._line("device", f"{packet.device_id} shows, from {sender}:", text)
        except Undecodable as error:
            self._line("device", f"{packet.device_id} got {len(packet.data)} bytes", error.reason)

    def print_text(self, text: Text) -> None:
        """Print a text that reached a phone."""
        self._line("phone", f"{text.recipient} shows, from {text.sender}:", text.body)

    def print_mail(self, mail: ReceivedMail) -> None:
        """Print a mail that the relay accepted."""
        body = mail.message.get_body(("plain",))
        text = body.get_content().strip() if body else ""
        self._line(
            "mailbox", f"{', '.join(mail.recipients)} got, from {mail.message['From']}:", text
        )

    def look(self) -> None:
        """Print each message whose state has changed since the last call."""
        for row in reversed(list_messages(MessageFilter(since=self._since, limit=100))):
            state = f"{row.state}{': ' + row.reason if row.reason else ''}"
            if self._known.get(row.id) != state:
                self._known[row.id] = state
                self._line("gateway", f"{row.id[:8]}  {row.sender} to {row.recipient}:", state)

    def _line(self, where: str, what: str, text: str) -> None:
        quoted = text if len(text) <= LONGEST_QUOTE else text[:LONGEST_QUOTE] + "…"
        quoted = " / ".join(filter(None, quoted.splitlines()))
        with self._lock:
            self._console.print(
                f"[dim]{datetime.now():%H:%M:%S}[/]  [bold]{where:8}[/] {escape(what)} "
                f"[cyan]{escape(quoted)}[/]"
            )
