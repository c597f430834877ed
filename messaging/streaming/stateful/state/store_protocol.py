"""Stores of stateful workers: named values, written together or not at all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol

from messaging.streaming.api.errors import StreamingError

Name = tuple[str, bytes]
"""The kind of a value (`head`, `state`, `out`, `aside`) and its name within the kind."""

Changes = Mapping[Name, bytes | None]
"""New values by name; None takes one away."""


class StoreFailed(StreamingError):
    """The store did not answer, or refused. The changes may or may not have been written."""


class Store(Protocol):
    """The values of one worker. Used from one thread. Every method raises StoreFailed."""

    def load(self) -> Iterable[tuple[Name, bytes]]:
        """Return everything, in the order of the names."""

    def write(self, changes: Changes) -> None:
        """Make all changes, or none; they stand when this returns. Only after `load`."""

    def close(self) -> None:
        """Close files and connections."""


class MemoryStore:
    """Keeps the values in memory: for tests, and for jobs whose state may be lost."""

    def __init__(self) -> None:
        self.values: dict[Name, bytes] = {}

    def load(self) -> Iterable[tuple[Name, bytes]]:
        """See Store."""
        return sorted(self.values.items())

    def write(self, changes: Changes) -> None:
        """See Store."""
        for name, value in changes.items():
            if value is None:
                self.values.pop(name, None)
            else:
                self.values[name] = value

    def close(self) -> None:
        """See Store."""
