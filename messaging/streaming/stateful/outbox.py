"""The outbox of one instance: numbered batches that are committed and not acknowledged, for each receiver."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any

from messaging.streaming.runtime.output import Routes
from messaging.streaming.stateful.batches import Batch, Head, chunks, pack
from messaging.streaming.stateful.state.pickling import dumps
from messaging.streaming.stateful.state.store_protocol import Name

Refuse = Callable[[Any, Exception], None]
"""Takes a record that cannot be sent."""


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
        self._removals = 0
        self._sent_times: dict[str, float] = {}
        for stage, latest in head.clocks.items():
            for clock, moment in zip(routes.clocks.get(stage, ()), latest, strict=False):
                clock.latest = moment

    def put(self, receiver: str, record: Any) -> None:
        """Send a record with the next commit."""
        self._records[receiver].append(record)

    def load(self, name: bytes, data: bytes) -> None:
        """Take over a batch from the store: it has to be sent again."""
        receiver, _, number = name.decode().partition("\0")
        self._pending.setdefault(receiver, deque()).append(Batch(self._sender, int(number), data))

    def changes(self) -> dict[Name, bytes | None]:
        """Return the changes for the next commit: the new batches, and the removal of acknowledged ones."""
        self._removals = len(self._acknowledged)
        self._new = [
            (receiver, batch)
            for receiver in self._routes.receivers
            for batch in self._new_batches(receiver)
        ]
        removals: dict[Name, bytes | None] = dict.fromkeys(self._acknowledged[: self._removals])
        return removals | {_name(to, batch.number): batch.data for to, batch in self._new}

    def mark_committed(self) -> None:
        """Let the new batches be sent: the changes are in the store."""
        self._records.clear()
        del self._acknowledged[: self._removals]
        for receiver, batch in self._new:
            self._pending[receiver].append(batch)

    @property
    def waiting(self) -> Sequence[int]:
        """The number of batches that wait for each receiver."""
        return [len(batches) for batches in self._pending.values()]

    def waiting_for(self, receiver: str) -> int:
        """Return the number of batches that wait for one receiver."""
        return len(self._pending[receiver])

    def bytes_for(self, receiver: str) -> int:
        """Return the bytes that wait for one receiver."""
        return sum(len(batch.data) for batch in self._pending[receiver])

    @property
    def has_removals(self) -> bool:
        """Whether the store still has batches that were acknowledged."""
        return bool(self._acknowledged)

    def first(self, receiver: str) -> Batch | None:
        """Return the oldest batch that a receiver has not acknowledged."""
        pending = self._pending[receiver]
        return pending[0] if pending else None

    def first_few(self, receiver: str, most: int, most_bytes: int) -> Sequence[Batch]:
        """Return the oldest batches that a receiver has not acknowledged: one, and more while they are small."""
        few: list[Batch] = []
        size = 0
        for batch in islice(self._pending[receiver], most):
            size += len(batch.data)
            if few and size > most_bytes:
                break
            few.append(batch)
        return few

    def acknowledge(self, receiver: str, number: int) -> None:
        """Forget the batches up to this number, in the store with the next commit."""
        pending = self._pending[receiver]
        while pending and pending[0].number <= number:
            self._acknowledged.append(_name(receiver, pending.popleft().number))

    def _new_batches(self, receiver: str) -> Iterator[Batch]:
        """Yield batches of the new records; an empty one if only event time has gone on."""
        time = self._event_time(self._routes.receivers[receiver][0].name)
        records = self._records.get(receiver, ())
        if not records and time == self._sent_times.get(receiver):
            return
        if time is not None:
            self._sent_times[receiver] = time
        for chunk in chunks(records):
            number = self._head.numbers.get(receiver, 0) + 1
            self._head.numbers[receiver] = number
            self._head.counts["out"] += len(chunk)
            try:
                data = pack(time, chunk)
            except Exception:
                data = pack(time, [record for record in chunk if self._can_pack(record)])
            yield Batch(self._sender, number, data)

    def _event_time(self, stage: str) -> float | None:
        """Return the event time up to which this instance has sent everything to a stage, as far as it knows."""
        if stage not in self._routes.clocks:
            return None
        latest = self._head.clocks[stage] = [c.latest for c in self._routes.clocks[stage]]
        known = [time for time in latest if time is not None]
        return min(known) if len(known) == len(latest) else None

    def _can_pack(self, record: Any) -> bool:
        try:
            dumps(record)
        except Exception as error:
            self._refuse(record, error)
            return False
        return True


def _name(receiver: str, number: int) -> Name:
    return "out", f"{receiver}\0{number:020d}".encode()
