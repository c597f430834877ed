"""bytewax, installed for the run into an environment of its own: it is no dependency of ours."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

VERSION = "0.21.1"
PROGRAM = Path(__file__).with_name("dataflow_bytewax.py")

Peer = Callable[..., float]
"""Runs a job: takes its name and its arguments; returns seconds."""


@contextmanager
def bytewax(parallelism: int) -> Iterator[Peer | None]:
    """Yield the peer; None where it cannot be installed."""
    with tempfile.TemporaryDirectory(prefix="satbridge-bytewax-") as folder:
        python = Path(folder) / "venv/bin/python"
        runs = iter(range(10**6))

        def run(job: str, *given: Any) -> float:
            told = json.dumps([job, given, parallelism, f"{folder}/recovery-{next(runs)}"])
            command = [str(python), str(PROGRAM), told]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            return float(done.stdout.split()[-1])

        yield run if _install(python) else None


def _install(python: Path) -> bool:
    commands = (
        [sys.executable, "-m", "venv", str(python.parents[1])],
        [str(python), "-m", "pip", "install", "--quiet", f"bytewax=={VERSION}"],
    )
    done = (subprocess.run(command, capture_output=True, check=False) for command in commands)
    return all(one.returncode == 0 for one in done)
