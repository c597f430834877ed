"""The command of the fault harness: runs scenarios and prints the table; exit code 1 when a scenario failed."""

import argparse
import os
import secrets
import signal
import sys

from chaos import table
from chaos.judge import ScenarioResult
from chaos.run import run
from chaos.scenario import Scenario
from chaos.scenarios import all_scenarios

STORES = ("sqlite", "postgres")


def main() -> int:
    """Read the arguments and run."""
    wanted = _arguments()
    scenarios = [
        s for s in all_scenarios() if wanted.only is None or s.name in wanted.only.split(",")
    ]
    if not scenarios:
        print("there is no such scenario; these there are:", *(s.name for s in all_scenarios()))
        return 2
    # The servers of a run end with it.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    for name in [name for name in os.environ if name.startswith("SATBRIDGE_")]:
        del os.environ[name]
    os.environ["SATBRIDGE_RUNTIME"] = wanted.runtime
    print(
        f"seed {wanted.seed} (SEED={wanted.seed} makes the same throws)\n\n{table.table_head()}",
        flush=True,
    )
    stores = STORES if wanted.store is None else (wanted.store,)
    held = [run(scenarios, store, wanted.seed, _report) for store in stores]
    print("\nevery scenario passed" if all(held) else "\nA SCENARIO FAILED")
    return 0 if all(held) else 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m chaos", description=__doc__)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10**6))
    parser.add_argument("--only", help="names of scenarios, separated by commas")
    parser.add_argument("--store", choices=STORES, help="one store instead of both")
    parser.add_argument(
        "--runtime",
        choices=("ray", "inline"),
        default="ray",
        help="inline: one process without Ray, for the scenarios that kill no single actor",
    )
    return parser.parse_args()


def _report(scenario: Scenario, store: str, result: ScenarioResult) -> None:
    print(table.table_line(scenario, store, result), flush=True)
