"""Batches between stateful workers, and the head: the positions that are committed with every batch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, fields
from math import inf
from typing import Any

from messaging.streaming.stateful.state.pickling import dumps, loads

MAX_RECORDS = 1000


@dataclass(frozen=True, slots=True)
class Batch:
    """Some records from one instance to another. The number counts what this sender has sent to this receiver.

    A batch that is sent again has the same number and the same content. `data` holds the records, and the latest
    event time that the sender has seen, if the receiver works by event time.
    """

    sender: str
    number: int
    data: bytes

    def open(self) -> tuple[float | None, list[Any]]:
        """Return the event time and the records."""
        opened: tuple[float | None, list[Any]] = loads(self.data)
        return opened


@dataclass(slots=True)
class Head:
    """The positions and counts of one instance: of each channel, of the source, and of event time."""

    positions: dict[str, int] = field(default_factory=dict)
    seen: dict[str, float] = field(default_factory=dict)
    numbers: dict[str, int] = field(default_factory=dict)
    clocks: dict[str, list[float | None]] = field(default_factory=dict)
    watermark: float = -inf
    source: Any = None
    ended: bool = False
    asides: int = 0
    counts: dict[str, int] = field(default_factory=lambda: {"in": 0, "out": 0, "set_aside": 0})

    def to_bytes(self) -> bytes:
        """Return the head as bytes."""
        return dumps({field.name: getattr(self, field.name) for field in fields(self)})

    @classmethod
    def from_bytes(cls, data: bytes) -> Head:
        """Read a head, also one of an older version."""
        return cls(**loads(data))


def chunks(records: Sequence[Any], size: int = MAX_RECORDS) -> Iterator[Sequence[Any]]:
    """Cut a long list into batches."""
    return (records[start : start + size] for start in range(0, max(len(records), 1), size))


def pack(seen: float | None, records: Iterable[Any]) -> bytes:
    """Return the data of a batch. Raises the error of a record that cannot be pickled."""
    return dumps((seen, list(records)))
