"""Remembers which providers had no room a moment ago, so that nothing is leased to them in vain."""

import time
from collections.abc import Callable, Collection
from typing import Final

CROWDED_SECONDS: Final = 1.0


class FullProviders:
    """What is accepted for a crowded provider goes to the queue at once, and `due` hands it on when there is room.

    Without this each batch for a network that is stuck would be leased, offered in vain and written again.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._until: dict[str, float] = {}

    def note(self, accounts: Collection[str]) -> None:
        """These had no room just now."""
        until = self._clock() + CROWDED_SECONDS
        self._until.update(dict.fromkeys(accounts, until))

    def now(self) -> frozenset[str]:
        """Return the providers that nothing shall be offered to."""
        moment = self._clock()
        return frozenset(via for via, until in self._until.items() if until > moment)
