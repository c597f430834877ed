"""The queue under pressure: a long backlog of one device, a flood beside others, and a router that dies three times.

Short by default; BENCH_MAILS=1000 in the environment takes that many mails for each part.
"""

import os
import signal
import smtplib
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import quantiles

import httpx

from bench.figures import Line
from messaging.store.db.connection import close_connection
from tests.support.acceptance.running_gateway import RunningGateway, running
from tests.support.eventually import wait_until

MAILS = int(os.environ.get("BENCH_MAILS", "0"))
BACKLOG_MAILS = MAILS or 40
FLOOD_MAILS = MAILS or 60
KILL_MAILS = MAILS or 300
PROBES = 40
FLOODED, OTHERS = "boop", [f"user{number}" for number in range(1, 9)]
PARTS = "the wind is rising " * 60  # 1,140 bytes: four packets


@dataclass(frozen=True, slots=True)
class Ends:
    """The deliveries of a run: how many were sent, failed and marked uncertain, and their seconds from yes to sent."""

    sent: int
    failed: int
    uncertain: int
    seconds: list[float]


def measure() -> list[Line]:
    """Measure the three one after the other, each with a gateway of its own."""
    return [*_measure_backlog(), *_measure_flood(), *_measure_kills()]


def _measure_backlog() -> list[Line]:
    """A backlog of one device takes many leases: no mail fails, and none is in doubt."""
    with _gateway(SATELLITE_MAX_ATTEMPTS="5") as ours:
        _set_latency(ours, 1.0)
        began = time.monotonic()
        _send(ours, FLOODED, BACKLOG_MAILS, "backlog")
        wait_until(lambda: not _count_waiting(), 30 + 3 * BACKLOG_MAILS)
        seconds = time.monotonic() - began
        ends = _read_ends([FLOODED])
    note = "Hive answers in 1 s, lease 10 s, 5 attempts allowed"
    return [
        Line(f"backlog of {BACKLOG_MAILS} for one device: sent", ends.sent, "mails", note=note),
        Line("backlog: failed", ends.failed, "mails"),
        Line("backlog: marked uncertain", ends.uncertain, "mails"),
        Line("backlog: time for each mail", seconds / BACKLOG_MAILS, "s", "the Hive", 1.0),
    ]


def _measure_flood() -> list[Line]:
    """Mails to other devices, calm and beside a flood of one device."""
    with _gateway() as ours:
        _set_latency(ours, 0.5)
        _probe(ours, "calm")
        calm = _p99(_read_ends(OTHERS).seconds)
        _send(ours, FLOODED, FLOOD_MAILS, "flood", PARTS)
        waiting = _count_waiting()
        _probe(ours, "flood")
        beside = _p99(_read_ends(OTHERS).seconds[PROBES:])
        note = f"{waiting} mails waited when the flood had come, {_count_waiting()} at the end"
    return [
        Line("others beside a flooded device: p99", beside, "s", "s when calm", calm, 2.0, note)
    ]


def _measure_kills() -> list[Line]:
    """The router is killed three times while mails come in."""
    with _gateway() as ours:
        with ThreadPoolExecutor(len(OTHERS)) as pool:
            each = KILL_MAILS // len(OTHERS)
            sent = [pool.submit(_send, ours, name, each, f"kill-{name}") for name in OTHERS]
            for part in (1, 2, 3):
                wait_until(partial(_has_accepted, each * len(OTHERS) * part // 4), 300)
                os.kill(ours.pid_of("router/0"), signal.SIGKILL)
                began = time.monotonic()
            for one in sent:
                one.result()
        wait_until(lambda: not _count_waiting(), 120)
        seconds = time.monotonic() - began
        ends = _read_ends(OTHERS)
    note = f"{ends.sent} of {each * len(OTHERS)} mails, {ends.uncertain} in doubt; at most 10 s"
    return [Line("from the third kill of the router to the last mail", seconds, "s", note=note)]


@contextmanager
def _gateway(**settings: str) -> Iterator[RunningGateway]:
    with tempfile.TemporaryDirectory(prefix="satbridge-bench-") as name:
        folder = Path(name)
        limits = {"MAX_WAITING_PER_SUBSCRIBER": "0", "LOG_LEVEL": "WARNING"}
        url = f"sqlite:///{folder}/store.sqlite3"
        with running(url, folder, **{**limits, **settings}) as found:
            yield found


def _set_latency(ours: RunningGateway, seconds: float) -> None:
    faults = {"latency_seconds": seconds}
    httpx.put(f"{ours.hive}/sim/faults", json=faults).raise_for_status()


def _send(
    ours: RunningGateway, name: str, number: int, run: str, text: str = "all is well"
) -> None:
    """Send so many mails to a subscriber, each until its 250."""
    for count in range(number):
        mail = f"Subject: {run}\r\nMessage-ID: <{run}-{count}@example.net>\r\n\r\n{text}\r\n"
        wait_until(partial(_submit, ours, name, mail), 60)


def _submit(ours: RunningGateway, name: str, mail: str) -> bool:
    try:
        with smtplib.SMTP("127.0.0.1", ours.smtp_port, timeout=30) as client:
            client.sendmail("author@example.net", f"{name}@example.org", mail)
    except (OSError, smtplib.SMTPException):
        return False
    return True


def _probe(ours: RunningGateway, run: str) -> None:
    """Send mails to the other devices in turn, and wait until they have arrived."""
    for number in range(PROBES):
        _send(ours, OTHERS[number % len(OTHERS)], 1, f"{run}-{number}")
        time.sleep(0.2)
    wait_until(lambda: not _count_waiting(OTHERS), 300)


def _has_accepted(number: int) -> bool:
    from messaging.store.models import Delivery

    found = Delivery.objects.count()
    close_connection()
    return found >= number


def _count_waiting(names: list[str] | None = None) -> int:
    from messaging.store.models import WAITING, Delivery

    rows = Delivery.objects.filter(WAITING)
    if names:
        rows = rows.filter(subscriber__name__in=names)
    found = rows.count()
    close_connection()
    return found


def _read_ends(names: list[str]) -> Ends:
    from messaging.store.models import Delivery

    rows = list(Delivery.objects.filter(subscriber__name__in=names).order_by("id"))
    close_connection()
    return Ends(
        sent=sum(row.state in ("sent", "delivered") for row in rows),
        failed=sum(row.state in ("failed", "expired") for row in rows),
        uncertain=sum(row.uncertain > 0 for row in rows),
        seconds=[
            (row.settled_at - row.created_at).total_seconds() for row in rows if row.settled_at
        ],
    )


def _p99(seconds: list[float]) -> float:
    return quantiles(seconds, n=100)[98]
