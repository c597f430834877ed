"""The command of the soak: runs it and prints its counts and resources; exit code 1 when something did not hold."""

import argparse
import os
import secrets
import signal
import sys
from dataclasses import replace
from pathlib import Path

from chaos import table
from chaos.command import STORES
from chaos.scenario import Scenario
from chaos.soak.run import JUDGED_MESSAGES, SoakOptions, SoakResult, run_soak
from chaos.soak.samples import NOT_JUDGED, Series

MESSAGES = 200_000


def main() -> int:
    """Read the arguments, run, and report."""
    options = _arguments()
    # The servers of a run end with it.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    for name in [name for name in os.environ if name.startswith("SATBRIDGE_")]:
        del os.environ[name]
    print(f"{options.messages} messages, {options.store}, seed {options.seed}\n", flush=True)
    result = run_soak(options)
    print(report(options.store, result))
    return 1 if result.problems else 0


def report(store: str, result: SoakResult) -> str:
    """Return the tables of a soak, ready for a document, and its problems below."""
    scenario = Scenario(name="soak", description="", inject=lambda field: None)
    counts = replace(result.counts, problems=tuple(result.problems))
    faults = ", ".join(f"{name} {n}" for name, n in sorted(result.injected.items()))
    is_judged = result.counts.offered >= JUDGED_MESSAGES
    lines = [table.table_head(), table.table_line(scenario, store, counts), ""]
    lines += ["| of | measure | second quarter | last quarter | highest | flat |"]
    lines += ["|---|---|--:|--:|--:|---|", *(_line(one, is_judged) for one in result.series)]
    lines += ["", f"faults: {faults}"]
    if not is_judged:
        lines.append(f"resources are judged from {JUDGED_MESSAGES} messages on")
    lines.append("A PART DID NOT HOLD" if result.problems else "everything held")
    return "\n".join(lines)


def _line(series: Series, is_judged: bool) -> str:
    values = f"{series.second:.1f} | {series.last:.1f} | {series.highest:.1f}"
    flat = "yes" if series.is_flat else "NO"
    if not is_judged or series.role in NOT_JUDGED:
        flat = "not judged"
    return f"| {series.role} | {series.measure} | {values} | {flat} |"


def _arguments() -> SoakOptions:
    parser = argparse.ArgumentParser(prog="python -m chaos.soak", description=__doc__)
    parser.add_argument("--count", type=int, default=MESSAGES, help="how many messages")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10**6))
    parser.add_argument("--store", choices=STORES, default="sqlite")
    parser.add_argument("--without", default="", help="beginnings of names of faults to leave out")
    parser.add_argument("--spool", type=Path, help="where to keep offers, arrivals and samples")
    given = parser.parse_args()
    return SoakOptions(
        messages=given.count,
        store=given.store,
        seed=given.seed,
        without=tuple(filter(None, given.without.split(","))),
        spool=given.spool,
    )
