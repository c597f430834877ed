"""Scenarios in which the wall clock of the gateway's Python steps (`clock.c`, preloaded into all its processes)."""

import mmap
import struct
import subprocess
from pathlib import Path

from chaos.field import Field
from chaos.scenario import Ground, Scenario

SOURCE = Path(__file__).with_name("clock.c")
CLOCK_FILE = "clock"
HOUR_SECONDS = 3600


def clock_scenarios() -> list[Scenario]:
    """All of them."""
    return [
        Scenario(
            name="clock-steps",
            what="the clock steps an hour forward, back to the truth, an hour back, and to the truth again;"
            " a worker is killed and the networks falter each time",
            strike=_steps,
            ground=Ground.FALSE_CLOCK,
        )
    ]


def false_clock(folder: Path) -> dict[str, str]:
    """The environment of processes whose clock `set_clock` sets. Raises OSError where there is no C compiler."""
    library = folder / "clock.so"
    build = ["cc", "-shared", "-fPIC", "-O2", "-o", str(library), str(SOURCE), "-ldl"]
    subprocess.run(build, check=True)
    (folder / CLOCK_FILE).write_bytes(bytes(mmap.PAGESIZE))
    return {"LD_PRELOAD": str(library), "CHAOS_CLOCK": str(folder / CLOCK_FILE)}


def set_clock(folder: Path, offset_seconds: int) -> None:
    """Set the clock so far off; at the next look everybody sees it."""
    with (
        (folder / CLOCK_FILE).open("r+b") as file,
        mmap.mmap(file.fileno(), mmap.PAGESIZE) as page,
    ):
        page[:8] = struct.pack("=q", offset_seconds)


def _steps(field: Field) -> None:
    folder = field.gateway.folder
    for offset in (HOUR_SECONDS, 0, -HOUR_SECONDS, 0):
        field.a_while(2, 3)
        field.gateway.set_faults("hive", "twilio", "mail", error_rate=0.3)
        field.a_while(0.5, 1.5)
        set_clock(folder, offset)
        field.a_while(0.5, 1.5)
        field.kill_workers(field.chance.choice(("hive-out/0", "twilio-out/0", "ledger/0")))
        field.wait(1)
        field.gateway.set_faults("hive", "twilio", "mail")
    field.wait(3)
