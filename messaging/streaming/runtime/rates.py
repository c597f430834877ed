"""Records per second of an instance."""

from collections import deque
from collections.abc import Mapping
from typing import Any

METER_SECONDS = 1.0
RATE_SAMPLES = 6


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
