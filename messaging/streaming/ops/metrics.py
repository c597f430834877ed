"""Figures of instances: counters for Ray's metrics endpoint, records per second, and restarts."""

from collections import deque
from collections.abc import Mapping
from typing import Any

from ray.util.metrics import Counter, Gauge

METER_SECONDS = 1.0
RATE_SAMPLES = 6

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


class Rates:
    """Records in and out per second, over the last few seconds."""

    def __init__(self) -> None:
        self._samples: deque[tuple[float, int, int]] = deque(maxlen=RATE_SAMPLES)

    def read(self, status: Mapping[str, Any], now: float) -> None:
        """Take a sample at `now`, in seconds. Counts that a restarted worker loads from its store are no work."""
        records_in, records_out = status.get("in", 0), status.get("out", 0)
        if records_in or records_out:
            self._samples.append((now, records_in, records_out))

    def per_second(self) -> dict[str, float]:
        """Return the rates as they stand in a status."""
        if len(self._samples) < 2:
            return {"in_per_second": 0.0, "out_per_second": 0.0}
        (began, *first), (now, *last) = self._samples[0], self._samples[-1]
        taken, sent = ((b - a) / (now - began) for a, b in zip(first, last, strict=True))
        return {"in_per_second": round(taken, 1), "out_per_second": round(sent, 1)}


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
