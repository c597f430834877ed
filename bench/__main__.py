"""`python -m bench [name …]`: prints each figure, the peer's in the same run, and the ratio.

BENCH_PART=0.1 in the environment makes the runs of the dataflow and of webhooks shorter: a tenth.
BENCH_MAILS=1000 makes those of `fairness` longer.
"""

import os
import platform
import sys
from importlib import import_module

from bench.figures import Line, show
from messaging.store.db.connection import set_up_django

NAMES = (
    "acceptance",
    "authentication",
    "uplinks",
    "webhooks",
    "webhook_budget",
    "backlog",
    "recovery",
    "runtimes",
    "fairness",
    "words",
    "routers",
    "dataflow",
    "dataflow_latency",
    "dataflow_recovery",
    "dataflow_memory",
)


def main(names: list[str]) -> None:
    """Measure what is named, or everything."""
    unknown = set(names) - set(NAMES)
    if unknown:
        raise SystemExit(f"there are {', '.join(NAMES)}; not {', '.join(sorted(unknown))}")
    set_up_django()  # The measurements import models.
    lines: list[Line] = []
    for name in names or NAMES:
        print(f"measuring {name} …", file=sys.stderr)
        lines += import_module(f"bench.{name}").measure()
    show(lines, f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}")


if __name__ == "__main__":
    main(sys.argv[1:])
