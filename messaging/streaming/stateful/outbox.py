"""What one instance has committed and its receivers have not acknowledged: numbered batches, channel by channel."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any

from messaging.streaming.runtime.routes import Routes
from messaging.streaming.stateful.batches import Batch, Head, chunks, packed
from messaging.streaming.stateful.state.base import Name
from messaging.streaming.stateful.state.pickling import dumps

Refuse = Callable[[Any, Exception], None]
"""Told of a record that cannot be sent."""


class Outbox:
    """Filled with records, committed as batches, emptied by acknowledgements."""

    def __init__(self, sender: str, routes: Routes, head: Head, refuse: Refuse) -> None:
        self._sender = sender
        self._routes = routes
        self._head = head
        self._refuse = refuse
        self._records: defaultdict[str, list[Any]] = defaultdict(list)
        self._new: list[tuple[str, Batch]] = []
        self._pending: dict[str, deque[Batch]] = {name: deque() for name in routes.receivers}
        self._acknowledged: list[Name] = []
        self._forgotten = 0
        self._told: dict[str, float] = {}
        for stage, latest in head.clocks.items():
            for clock, seen in zip(routes.clocks.get(stage, ()), latest, strict=False):
                clock.latest = seen

    def put(self, receiver: str, record: Any) -> None:
        """Send a record with the next commit."""
        self._records[receiver].append(record)

    def load(self, name: bytes, data: bytes) -> None:
        """Take over a batch from the store: it has to be sent again."""
        receiver, _, number = name.decode().partition("\0")
        self._pending.setdefault(receiver, deque()).append(Batch(self._sender, int(number), data))

    def changes(self) -> dict[Name, bytes | None]:
        """What the next commit has to keep, and what it may forget."""
        self._forgotten = len(self._acknowledged)
        self._new = [
            pair for receiver in self._routes.receivers for pair in self._batches(receiver)
        ]
        forget: dict[Name, bytes | None] = dict.fromkeys(self._acknowledged[: self._forgotten])
        return forget | {_name(receiver, batch.number): batch.data for receiver, batch in self._new}

    def committed(self) -> None:
        """The changes are in the store: the new batches may be sent."""
        self._records.clear()
        del self._acknowledged[: self._forgotten]
        for receiver, batch in self._new:
            self._pending[receiver].append(batch)

    @property
    def waiting(self) -> Sequence[int]:
        """How many batches wait for each receiver."""
        return [len(batches) for batches in self._pending.values()]

    def waiting_for(self, receiver: str) -> int:
        """How many batches wait for one receiver."""
        return len(self._pending[receiver])

    def bytes_for(self, receiver: str) -> int:
        """How much waits for one receiver."""
        return sum(len(batch.data) for batch in self._pending[receiver])

    @property
    def forgettable(self) -> bool:
        """Whether the store still has batches that were acknowledged."""
        return bool(self._acknowledged)

    def first(self, receiver: str) -> Batch | None:
        """The oldest batch that a receiver has not acknowledged."""
        pending = self._pending[receiver]
        return pending[0] if pending else None

    def first_few(self, receiver: str, most: int, most_bytes: int) -> Sequence[Batch]:
        """The oldest batches that a receiver has not acknowledged: one, and more while they are small together."""
        few: list[Batch] = []
        size = 0
        for batch in islice(self._pending[receiver], most):
            size += len(batch.data)
            if few and size > most_bytes:
                break
            few.append(batch)
        return few

    def acknowledged(self, receiver: str, number: int) -> None:
        """Forget this batch, in the store with the next commit."""
        pending = self._pending[receiver]
        while pending and pending[0].number <= number:
            self._acknowledged.append(_name(receiver, pending.popleft().number))

    def _batches(self, receiver: str) -> Iterator[tuple[str, Batch]]:
        """What there is to send to a receiver: records, or the news that event time went on."""
        seen = self._latest(self._routes.receivers[receiver][0].name)
        records = self._records.get(receiver, ())
        if not records and seen == self._told.get(receiver):
            return
        if seen is not None:
            self._told[receiver] = seen
        for chunk in chunks(records):
            number = self._head.numbers.get(receiver, 0) + 1
            self._head.numbers[receiver] = number
            self._head.counts["out"] += len(chunk)
            yield receiver, Batch(self._sender, number, self._packed(seen, chunk))

    def _latest(self, stage: str) -> float | None:
        """The event time up to which this instance has sent everything to a stage, as far as it knows."""
        if stage not in self._routes.clocks:
            return None
        latest = self._head.clocks[stage] = [c.latest for c in self._routes.clocks[stage]]
        known = [time for time in latest if time is not None]
        return min(known) if len(known) == len(latest) else None

    def _packed(self, seen: float | None, records: Sequence[Any]) -> bytes:
        try:
            return packed(seen, records)
        except Exception:
            return packed(seen, [r for r in records if self._packable(r)])

    def _packable(self, record: Any) -> bool:
        try:
            dumps(record)
        except Exception as error:
            self._refuse(record, error)
            return False
        return True


def _name(receiver: str, number: int) -> Name:
    return "out", f"{receiver}\0{number:020d}".encode()
