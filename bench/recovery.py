"""How long nobody hears a yes after an actor is killed; and what starting, memory and idling cost."""

import os
import signal
import smtplib
import time
from pathlib import Path

from bench.figures import Line
from bench.gateway_under_load import gateway
from tests.acceptance.running_gateway import RunningGateway, eventually, free_port

PEER = "Ray's own restart takes 1 to 2 s"
IDLE_SECONDS = 10


def measure() -> list[Line]:
    """Kill the router and the receiver; then look at the whole."""
    began = time.monotonic()
    # A port that stays: a receiver that is restarted on port 0 would listen elsewhere.
    with gateway(SMTP_LISTEN=f"127.0.0.1:{free_port()}") as ours:
        _yes(ours)
        lines = [Line("start to first 250, simulators included", time.monotonic() - began, "s")]
        for worker in ("router/0", "mail-in/0"):
            lines.append(Line(f"next yes after SIGKILL of {worker}", _gap(ours, worker), "s", PEER))
        time.sleep(3)
        tree = _tree(ours.up.process.pid)
        lines.append(
            Line(
                "memory of the whole service",
                _pss_mb(tree),
                "MB PSS",
                note=f"{len(tree)} processes",
            )
        )
        before = _cpu_seconds(tree)
        time.sleep(IDLE_SECONDS)
        share = (_cpu_seconds(_tree(ours.up.process.pid)) - before) / IDLE_SECONDS * 100
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
    eventually(lambda: _yes(ours), 60)
    gap = time.monotonic() - began
    time.sleep(5)  # until the run file names the new process
    return gap


def _tree(root: int) -> list[int]:
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(stat.parent.name)] = int(stat.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
    found, front = [root], {root}
    while front := {child for child, parent in parents.items() if parent in front}:
        found += front
    return found


def _pss_mb(pids: list[int]) -> float:
    total = 0
    for pid in pids:
        try:
            rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
        except OSError:
            continue
        total += sum(int(x.split()[1]) for x in rollup.splitlines() if x.startswith("Pss:"))
    return total / 1024


def _cpu_seconds(pids: list[int]) -> float:
    ticks = 0
    for pid in pids:
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")
