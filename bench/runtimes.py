"""The gateway without Ray beside the one on Ray: start, memory, idle time, one mail, and many."""

import smtplib
import time
from contextlib import ExitStack
from statistics import median

from bench import smtp_load
from bench.figures import Line
from bench.gateway_under_load import gateway, make_network_hang
from bench.processes import cpu_seconds, pss_mb, tree
from tests.support.acceptance.running_gateway import Process, RunningGateway, free_port

STARTS = {"inline": 5, "ray": 3}
IDLE_SECONDS = 20
MAILS = 200
PART_SECONDS = 0.01
USUAL = {"HIVE_POLL_SECONDS": "10", "DRAIN_SECONDS": "1"}


def measure() -> list[Line]:
    """Measure both runtimes, one after the other; the peer is the gateway on Ray."""
    inline, ray = (_figures(runtime) for runtime in ("inline", "ray"))
    note = "SQLite, Hive, Twilio and a relay; the web server and the admin run"
    return [
        Line(f"without Ray: {name}", inline[name], unit, "on Ray", ray[name], None, note)
        for name, unit in (
            ("start to the first 250", "s"),
            ("start to ready", "s"),
            ("memory", "MB PSS"),
            ("processor when idle", "% of one core"),
            ("one mail, kept connection, p50", "ms"),
            ("mail accepted, 20 kept connections", "mails/s"),
        )
    ]


def _figures(runtime: str) -> dict[str, float]:
    with ExitStack() as exits:
        port = free_port()
        listen = f"127.0.0.1:{port}"
        ours = exits.enter_context(gateway(RUNTIME=runtime, SMTP_LISTEN=listen, **USUAL))
        starts = [_start_again(ours, port) for _ in range(STARTS[runtime])]
        time.sleep(5)
        found = {
            "start to the first 250": median(first for first, _ in starts),
            "start to ready": median(ready for _, ready in starts),
            "memory": pss_mb(tree(ours.up.process.pid)),
        }
        before = cpu_seconds(tree(ours.up.process.pid))
        time.sleep(IDLE_SECONDS)
        spent = cpu_seconds(tree(ours.up.process.pid)) - before
        found["processor when idle"] = spent / IDLE_SECONDS * 100
        make_network_hang(ours)
        found["one mail, kept connection, p50"] = _one_mail(port) * 1000
        found["mail accepted, 20 kept connections"] = smtp_load.mails_per_second(
            port, mails=3000, connections=20, keep=True
        )
        return found


def _start_again(ours: RunningGateway, port: int) -> tuple[float, float]:
    """End the service and start it again; return the seconds until the first 250, and until it says that it runs."""
    ours.satbridge("down")
    ours.up.stop()
    began = time.monotonic()
    ours.up = Process("up", environment=ours.environment)
    while not _accepts(port):
        time.sleep(PART_SECONDS)
    first = time.monotonic() - began
    ours.up.line_with("accepts mail")
    return first, time.monotonic() - began


def _accepts(port: int) -> bool:
    try:
        with smtplib.SMTP("127.0.0.1", port, timeout=20) as client:
            _send(client)
    except (OSError, smtplib.SMTPException):
        return False
    return True


def _one_mail(port: int) -> float:
    waits = []
    with smtplib.SMTP("127.0.0.1", port, timeout=60) as client:
        for _ in range(MAILS):
            began = time.monotonic()
            _send(client)
            waits.append(time.monotonic() - began)
    return median(waits)


def _send(client: smtplib.SMTP) -> None:
    mail = f"Subject: x\r\nMessage-ID: <{time.monotonic()}@example.net>\r\n\r\nhi\r\n"
    client.sendmail("author@example.net", "boop@example.org", mail)
