"""Mail accepted durably and routed: mails per second, and the latency of the reply at half the rate."""

import smtplib
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from statistics import quantiles

from bench import postfix_peer, smtp_load
from bench.figures import Line, in_turn
from bench.gateway_under_load import gateway, make_network_hang

ROUNDS = 3
CONNECTIONS = 40
MAILS = {"kept": 6000, "new": 3000}
NOTE = "400-byte texts, 40 connections, SQLite, fsync; median of 3"
PACED_CONNECTIONS = 20
PACED_SECONDS = 8.0


@contextmanager
def bare_aiosmtpd() -> Iterator[int]:
    """Run the peer that stores nothing; yields its port."""
    command = [sys.executable, "-m", "bench.bare_aiosmtpd"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield int(process.stdout.readline()) if process.stdout else 0
        finally:
            process.terminate()


def measure() -> list[Line]:
    """Measure us, Postfix and bare aiosmtpd in turn."""
    with ExitStack() as exits:
        ports = {"aiosmtpd that stores nothing": exits.enter_context(bare_aiosmtpd())}
        if postfix_peer.available():
            ports["Postfix"] = exits.enter_context(postfix_peer.postfix())
        ours = exits.enter_context(gateway())
        make_network_hang(ours)
        ports = {"ours": ours.smtp_port, **ports}
        lines = [line for how in MAILS for line in _throughput(ports, how)]
        if "Postfix" in ports:
            lines += _latency(ports["ours"], ports["Postfix"], lines[-1].peers or 100)
        return lines


def _throughput(ports: dict[str, int], how: str) -> list[Line]:
    runs = {
        name: partial(
            smtp_load.mails_per_second,
            port,
            mails=MAILS[how],
            connections=CONNECTIONS,
            keep=how == "kept",
        )
        for name, port in ports.items()
    }
    found = in_turn(ROUNDS, runs)
    reach = {"Postfix": {"kept": 2.5, "new": 1.6}[how], "aiosmtpd that stores nothing": 0.6}
    measure = f"mail accepted durably, {how} connections"
    return [
        Line(measure, found["ours"], "mails/s", name, found[name], reach[name], NOTE)
        for name in ports
        if name != "ours"
    ]


def _latency(ours: int, postfix: int, top_rate: float) -> list[Line]:
    rate = top_rate / 2
    note = f"at {rate:.0f} mails/s, {PACED_CONNECTIONS} kept connections"
    a, b = _waits(ours, rate), _waits(postfix, rate)
    return [
        Line(f"acceptance latency {name}", a[name], "ms", "ms Postfix", b[name], None, note)
        for name in ("p50", "p99")
    ]


def _waits(port: int, rate: float) -> dict[str, float]:
    """Send at this rate for a while; returns percentiles of the wait for 250, in milliseconds."""
    waits: list[float] = []
    threads = [
        threading.Thread(target=_send_paced, args=(port, rate / PACED_CONNECTIONS, number, waits))
        for number in range(PACED_CONNECTIONS)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    cuts = quantiles(waits, n=100)
    return {"p50": cuts[49] * 1000, "p99": cuts[98] * 1000}


def _send_paced(port: int, rate: float, number: int, waits: list[float]) -> None:
    ends = time.monotonic() + PACED_SECONDS
    with smtplib.SMTP("127.0.0.1", port, timeout=60) as client:
        sent = 0
        due = time.monotonic() + number / (rate * PACED_CONNECTIONS)
        while due < ends:
            time.sleep(max(due - time.monotonic(), 0))
            began = time.monotonic()
            mail = f"Subject: x\r\nMessage-ID: <{number}.{sent}.{began}@example.net>\r\n\r\nhi\r\n"
            client.sendmail("author@example.net", "boop@example.org", mail)
            waits.append(time.monotonic() - began)
            sent, due = sent + 1, due + 1 / rate
