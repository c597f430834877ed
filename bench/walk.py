"""Counts the files and functions under `messaging/` that one mail enters on its way from the socket to the satellite.

`python -m bench.walk [--list]` runs a gateway on the inline runtime, with the simulated Hive in a process of its own,
sends one mail and waits until the ledger has stored its outcome. The profiler is set before any thread starts, counts
from the first byte of the mail to the stored outcome. Long periods keep the polls of `due` and of the network out.
"""

import asyncio
import sys
import tempfile
import threading
from pathlib import Path
from types import FrameType
from typing import Any

from messaging.store.db.connection import set_up_django

ROOT = Path(__file__).parents[1]
PACKAGE = str(ROOT / "messaging")


class Walk:
    """The functions that are entered while `counting` is set."""

    def __init__(self) -> None:
        self.counting = False
        self.entered: set[tuple[str, int, str]] = set()

    def count(self, counting: bool) -> None:
        """Start or stop counting."""
        self.counting = counting

    def trace(self, frame: FrameType, event: str, _: Any) -> None:
        """Note a call of a function of the package; comprehensions and lambdas count as their function."""
        if event != "call" or not self.counting:
            return
        code = frame.f_code
        if code.co_filename.startswith(PACKAGE) and not code.co_name.startswith("<"):
            self.entered.add((code.co_filename, code.co_firstlineno, code.co_qualname))

    @property
    def files(self) -> set[str]:
        """The files of these functions."""
        return {file for file, _, _ in self.entered}


def main() -> None:
    """Print the counts, and with `--list` every function."""
    set_up_django()
    # The pipeline imports models, so Django comes first.
    from bench.one_mail import gateway, send_one, simulated_hive

    walk = Walk()
    threading.setprofile(walk.trace)
    sys.setprofile(walk.trace)
    with tempfile.TemporaryDirectory() as folder, simulated_hive() as url:
        asyncio.run(send_one(gateway(Path(folder), url), walk.count))
    threading.setprofile(None)
    sys.setprofile(None)
    if "--list" in sys.argv:
        for file, line, name in sorted(walk.entered):
            print(f"{Path(file).relative_to(ROOT)}:{line} {name}")
    print(f"one mail enters {len(walk.files)} files and {len(walk.entered)} functions")


if __name__ == "__main__":
    main()
