"""Scenarios in which the wall clock of the gateway's Python steps (`clock.c`, preloaded into all its processes)."""

import mmap
import struct
import subprocess
from pathlib import Path

from chaos.context import Context
from chaos.scenario import Environment, Scenario

SOURCE = Path(__file__).with_name("clock.c")
CLOCK_FILE = "clock"
HOUR_SECONDS = 3600


def clock_scenarios() -> list[Scenario]:
    """Return the scenarios of this module."""
    return [
        Scenario(
            name="clock-steps",
            description="the clock steps an hour forward, back to the truth, an hour back, and to the truth again;"
            " a worker is killed and the networks falter each time",
            inject=_steps,
            environment=Environment.FALSE_CLOCK,
        )
    ]


def preloaded_clock(folder: Path) -> dict[str, str]:
    """Return the variables that preload the clock into a process. Raises OSError without a C compiler."""
    library = folder / "clock.so"
    build = ["cc", "-shared", "-fPIC", "-O2", "-o", str(library), str(SOURCE), "-ldl"]
    subprocess.run(build, check=True)
    (folder / CLOCK_FILE).write_bytes(bytes(mmap.PAGESIZE))
    return {"LD_PRELOAD": str(library), "CHAOS_CLOCK": str(folder / CLOCK_FILE)}


def set_clock(folder: Path, offset_seconds: int) -> None:
    """Set the offset of the clock, in seconds; every process reads it at its next call."""
    with (
        (folder / CLOCK_FILE).open("r+b") as file,
        mmap.mmap(file.fileno(), mmap.PAGESIZE) as page,
    ):
        page[:8] = struct.pack("=q", offset_seconds)


def _steps(field: Context) -> None:
    folder = field.gateway.folder
    for offset in (HOUR_SECONDS, 0, -HOUR_SECONDS, 0):
        field.wait_random(2, 3)
        field.gateway.set_faults("hive", "twilio", "mail", error_rate=0.3)
        field.wait_random(0.5, 1.5)
        set_clock(folder, offset)
        field.wait_random(0.5, 1.5)
        field.kill_workers(field.random.choice(("hive-out/0", "twilio-out/0", "ledger/0")))
        field.wait(1)
        field.gateway.set_faults("hive", "twilio", "mail")
    field.wait(3)
