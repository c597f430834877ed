"""Figures of instances: records and waiting batches for Ray's metrics endpoint, and how often each was restarted."""

from collections.abc import Mapping
from typing import Any

from ray.util.metrics import Counter, Gauge

_COUNTED = {"in": "taken", "out": "sent", "set_aside": "set aside"}


class Meters:
    """Reads an instance's status into metrics named `streaming_records_…` and `streaming_waiting_batches`."""

    def __init__(self, job: str, worker: str) -> None:
        self._tags = {"job": job, "worker": worker}
        self._counters = {
            key: Counter(f"streaming_records_{key}", f"Records {what}.", ("job", "worker"))
            for key, what in _COUNTED.items()
        }
        self._lag = Gauge(
            "streaming_waiting_batches", "Batches not acknowledged.", ("job", "worker")
        )
        self._last = dict.fromkeys(_COUNTED, 0)

    def read(self, status: Mapping[str, Any]) -> None:
        """Add what has come since the last reading."""
        for key, counter in self._counters.items():
            added = status.get(key, 0) - self._last[key]
            if added > 0:  # Ray refuses to add nothing
                counter.inc(added, self._tags)
                self._last[key] += added
        self._lag.set(status.get("lag", 0), self._tags)


class Lives:
    """Counts how often the process behind a name was another one than before."""

    def __init__(self) -> None:
        self._pids: dict[str, list[int]] = {}

    def seen(self, name: str, pid: int) -> int:
        """Return how many restarts have been noticed."""
        pids = self._pids.setdefault(name, [])
        if pid not in pids:
            pids.append(pid)
        return len(pids) - 1
