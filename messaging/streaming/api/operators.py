"""The interfaces of operators and function objects. Each method is optional but the one that does the work."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

from messaging.streaming.api.stage import Instance

Results = Sequence[Sequence[Any] | Exception]
"""For each record of a batch: the list of its outputs, or the exception that refuses it."""

Emit = Callable[[Any], Awaitable[None]]
"""Hands an output to the next stages; returns when they have taken it, and raises when one refused it."""


@runtime_checkable
class Opens(Protocol):
    """An operator or function object that is told its place before the first record."""

    def open(self, instance: Instance, /) -> object:
        """Begin with these settings."""


@runtime_checkable
class Closes(Protocol):
    """An operator or function object that holds something."""

    def close(self) -> object:
        """Release it. The `close` of an operator may be async."""


@runtime_checkable
class Source(Protocol):
    """The operator of a SOURCE stage: brings records in until it returns."""

    def run(self, emit: Callable[[Any], Any], /) -> Any:
        """Emit all records; see `Dataflow.source`. May be async."""


@runtime_checkable
class BatchOperator(Protocol):
    """An operator that takes records in batches."""

    def process(self, records: list[Any], /) -> Any:
        """Return the `Results`. May be async."""


@runtime_checkable
class RecordOperator(Protocol):
    """An operator whose records take their time, each on its own."""

    def process_single(self, record: Any, emit: Emit, /) -> Awaitable[None]:
        """Emit the outputs of one record."""


@runtime_checkable
class AnswersEarly(Protocol):
    """A record operator whose records are answered as soon as work on them has begun, in the order of their arrival.

    No batch waits for its slowest record. The owner of a record learns by its own means how it ended.
    """

    max_in_work: int
    """How many records are in work at most; others wait, unless their stage takes them first."""


@runtime_checkable
class TakesBack(Protocol):
    """A durable operator that can keep outputs for later."""

    def take_back(self, outputs: list[Any], /) -> Any:
        """Take back outputs that the next stages have no room for. May be async."""


@runtime_checkable
class Drainable(Protocol):
    """A source that can stop."""

    def drain(self) -> Any:
        """Take nothing new, finish the records in work, and let `run` return. May be async."""


@runtime_checkable
class AnnouncesDrain(Protocol):
    """An operator that tells its own clients about a drain that is about to begin."""

    def announce_drain(self) -> object:
        """Announce it; everything is still taken."""


@runtime_checkable
class Reports(Protocol):
    """An operator that adds to the status of its instance."""

    def status(self) -> Mapping[str, Any]:
        """Return the additional fields, ready for JSON."""
