"""Counts the deliveries that this process brought to a state, by provider; for the metrics."""

from collections import Counter
from collections.abc import Iterable

Step = tuple[str, str]
"""The provider of a delivery, and the state that it came to."""


class Counters:
    """Counts from the start of the process. Add only what is committed: a transaction may be tried again."""

    def __init__(self) -> None:
        self._counts: Counter[Step] = Counter()

    def add(self, steps: Iterable[Step]) -> None:
        """Count these."""
        self._counts.update((via, str(state)) for via, state in steps)

    def snapshot(self) -> dict[str, dict[str, int]]:
        """Return the counts by provider and state, ready for JSON."""
        found: dict[str, dict[str, int]] = {}
        for (via, state), number in self._counts.items():
            found.setdefault(via, {})[state] = number
        return found
