"""The simulated networks of the demo: a Hive with one device, a Twilio with one number, a mail server."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from messaging.demo.watch import Watch
from messaging.simulator.hive.server import HiveSimulator
from messaging.simulator.hive.state import HiveDevice
from messaging.simulator.mail.server import MailSink
from messaging.simulator.shared.serving import Serving
from messaging.simulator.twilio.server import TwilioSimulator

DEVICE = 1001
NUMBER = "+15550001111"
ALICE = "alice@example.org"
STRANGER = "bob@example.net"
MAIL_SERVER = "mx.localhost"
ACCOUNT_SID = "AC" + "0" * 32
PASSWORD = "demo"  # noqa: S105 - of simulators that only this machine reaches

HIVE_PORT, TWILIO_PORT, MAIL_PORT = 7431, 7432, 7433


@dataclass(frozen=True, slots=True)
class Networks:
    """The addresses of the simulators."""

    hive: str
    twilio: str
    relay: str


@contextmanager
def run_networks(webhook_url: str, watch: Watch) -> Iterator[Networks]:
    """Run the three simulators in this process; they report to `watch`."""
    hive = HiveSimulator([HiveDevice(DEVICE, "boop's")], on_shown=watch.print_packet)
    twilio = TwilioSimulator(
        ACCOUNT_SID, PASSWORD, webhook_url=webhook_url, numbers=[NUMBER], on_sent=watch.print_text
    )
    with ExitStack() as exits:
        at_hive = exits.enter_context(Serving(hive.app, port=free_port(HIVE_PORT)))
        at_twilio = exits.enter_context(Serving(twilio.app, port=free_port(TWILIO_PORT)))
        sink = exits.enter_context(MailSink(port=free_port(MAIL_PORT), on_mail=watch.print_mail))
        yield Networks(at_hive.url, at_twilio.url, sink.url)


def free_port(wanted: int) -> int:
    """Return the wanted port if it is free, else another one that is free now."""
    for port in (wanted, 0):
        try:
            with socket.create_server(("127.0.0.1", port)) as probe:
                return int(probe.getsockname()[1])
        except OSError:
            continue
    raise OSError("no port is free")
