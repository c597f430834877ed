"""Counts the deliveries that this process brought to a state, by provider; for the metrics."""

from collections import Counter
from collections.abc import Sequence

from messaging.store.outcome_log import log_deliveries
from messaging.store.queue.delivery_state import DeliveryState

Step = tuple[str, str]
"""The account of a delivery, and its new state."""


class Counters(Counter[Step]):
    """Counts from the start of the process.

    `unreached` counts the recipients of emergencies that were not reached within an hour, and those whose delivery has
    failed.
    """

    unreached = 0

    def note(self, rows: Sequence[DeliveryState]) -> None:
        """Count and log the states of these deliveries. After the commit only: a transaction may be tried again."""
        self.update((row.via, row.state) for row in rows)
        log_deliveries(rows)

    def snapshot(self) -> dict[str, dict[str, int]]:
        """Return the counts by account and state, ready for JSON."""
        counts: dict[str, dict[str, int]] = {}
        for (via, state), number in self.items():
            counts.setdefault(via, {})[str(state)] = number
        return counts
