"""Turns: what shares a key goes one after another, in the order in which it came; everything else side by side."""

import asyncio
from collections.abc import Hashable
from weakref import WeakValueDictionary


class KeyedLocks:
    """The queues, one for each key. Belongs to one event loop; not to be pickled."""

    def __init__(self) -> None:
        # A lock lives as long as somebody holds or awaits it.
        self._locks: WeakValueDictionary[Hashable, asyncio.Lock] = WeakValueDictionary()

    def __len__(self) -> int:
        """Return for how many keys somebody has the turn or waits for it."""
        return len(self._locks)

    def of(self, key: Hashable) -> asyncio.Lock:
        """Return what to hold during a turn: `async with turns.of(key)`. First come, first served."""
        lock = self._locks.get(key)
        if lock is None:
            lock = self._locks[key] = asyncio.Lock()
        return lock
