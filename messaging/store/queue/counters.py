"""Counts the deliveries that this process brought to a state, by provider; for the metrics."""

from collections import Counter

Step = tuple[str, str]
"""The account of a delivery, and its new state."""


class Counters(Counter[Step]):
    """Counts from the start of the process. Update it after the commit only: a transaction may be tried again."""

    def snapshot(self) -> dict[str, dict[str, int]]:
        """Return the counts by account and state, ready for JSON."""
        counts: dict[str, dict[str, int]] = {}
        for (via, state), number in self.items():
            counts.setdefault(via, {})[str(state)] = number
        return counts
