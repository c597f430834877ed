"""Our gateway as an operator runs it, with a hanging satellite network, so that only acceptance is measured."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.support.acceptance.running_gateway import RunningGateway, running

NETWORK_HANGS = {"hang_before_rate": 1.0, "hang_seconds": 600}


@contextmanager
def gateway(database_url: str | None = None, **settings: str) -> Iterator[RunningGateway]:
    """Run it on SQLite, or on the store given, without the limits that a single author would meet."""
    with tempfile.TemporaryDirectory(prefix="satbridge-bench-") as name:
        folder = Path(name)
        url = database_url or f"sqlite:///{folder}/store.sqlite3"
        limits = {
            "MAX_WAITING_PER_SUBSCRIBER": "0",
            "LOG_LEVEL": "WARNING",
            "LEASE_SECONDS": "3600",
            "HIVE_TIMEOUT_SECONDS": "600",
            # The end would wait for requests that hang at the Hive.
            "DRAIN_SECONDS": "1",
        }
        with running(url, folder, **{**limits, **settings}) as found:
            yield found


def make_network_hang(found: RunningGateway) -> None:
    """Make the Hive hang."""
    httpx.put(f"{found.hive}/sim/faults", json=NETWORK_HANGS).raise_for_status()
