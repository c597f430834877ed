"""The gap without a yes after the kill of an actor; the cost of the start, memory and idle time."""

import os
import signal
import smtplib
import time

from bench.figures import Line
from bench.gateway_under_load import gateway
from bench.processes import cpu_seconds, pss_mb, tree
from tests.support.acceptance.running_gateway import RunningGateway, free_port
from tests.support.eventually import wait_until

PEER = "Ray's own restart takes 1 to 2 s"
IDLE_SECONDS = 10


def measure() -> list[Line]:
    """Kill the router and the receiver, then measure the whole service."""
    began = time.monotonic()
    # A port that stays: a receiver that is restarted on port 0 would listen elsewhere.
    with gateway(SMTP_LISTEN=f"127.0.0.1:{free_port()}") as ours:
        _yes(ours)
        lines = [Line("start to first 250, simulators included", time.monotonic() - began, "s")]
        for worker in ("router/0", "mail-in/0"):
            lines.append(Line(f"next yes after SIGKILL of {worker}", _gap(ours, worker), "s", PEER))
        time.sleep(3)
        processes = tree(ours.up.process.pid)
        lines.append(
            Line(
                "memory of the whole service",
                pss_mb(processes),
                "MB PSS",
                note=f"{len(processes)} processes",
            )
        )
        before = cpu_seconds(processes)
        time.sleep(IDLE_SECONDS)
        share = (cpu_seconds(tree(ours.up.process.pid)) - before) / IDLE_SECONDS * 100
        lines.append(Line("processor when idle", share, "% of one core"))
    return lines


def _yes(ours: RunningGateway) -> bool:
    try:
        with smtplib.SMTP("127.0.0.1", ours.smtp_port, timeout=20) as client:
            mail = f"Subject: x\r\nMessage-ID: <{time.monotonic()}@example.net>\r\n\r\nhi\r\n"
            client.sendmail("author@example.net", "boop@example.org", mail)
    except (OSError, smtplib.SMTPException):
        return False
    return True


def _gap(ours: RunningGateway, worker: str) -> float:
    os.kill(ours.pid_of(worker), signal.SIGKILL)
    began = time.monotonic()
    wait_until(lambda: _yes(ours), 60)
    gap = time.monotonic() - began
    time.sleep(5)  # until the run file names the new process
    return gap
