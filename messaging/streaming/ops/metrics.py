"""Figures of instances: counters for Ray's metrics endpoint, and restarts."""

from collections.abc import Mapping
from typing import Any

from ray.util.metrics import Counter, Gauge

_COUNTED = {"in": "taken", "out": "sent", "set_aside": "set aside"}


class WorkerMetrics:
    """Reads the statuses of a process's instances into `streaming_records_…` and `streaming_waiting_batches`."""

    def __init__(self, job: str) -> None:
        self._job = job
        self._counters = {
            key: Counter(f"streaming_records_{key}", f"Records {done}.", ("job", "worker"))
            for key, done in _COUNTED.items()
        }
        self._lag = Gauge(
            "streaming_waiting_batches", "Batches not acknowledged.", ("job", "worker")
        )
        self._last: dict[tuple[str, str], int] = {}

    def read(self, status: Mapping[str, Any]) -> None:
        """Add the records since the last reading of this instance."""
        worker = status["name"]
        tags = {"job": self._job, "worker": worker}
        for key, counter in self._counters.items():
            now, last = status.get(key, 0), self._last.get((worker, key), 0)
            added = now - last if now >= last else now  # one that was built anew counts from 0
            if added > 0:  # Ray refuses to add nothing
                counter.inc(added, tags)
            self._last[worker, key] = now
        self._lag.set(status.get("lag", 0), tags)


class RestartCounter:
    """Counts the processes of each instance."""

    def __init__(self) -> None:
        self._pids: dict[str, list[int]] = {}

    def count(self, name: str, pid: int) -> int:
        """Return the number of restarts that have been noticed, with this process."""
        pids = self._pids.setdefault(name, [])
        if pid not in pids:
            pids.append(pid)
        return len(pids) - 1
