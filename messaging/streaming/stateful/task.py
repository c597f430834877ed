"""The one algorithm of every stateful stage: commit, acknowledge, emit, forget.

A task takes batches, and commits in one atomic write: their effects on the state, the position on each channel, and
the outputs, numbered, for each receiver. Only then does its worker acknowledge the batches; it emits the outputs until
each receiver has acknowledged them, and forgets them. A sender without an acknowledgement sends the same batch again,
and a batch whose number is committed is dropped. So one instance that dies is loaded from its store and goes on by
itself; no other instance goes back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from itertools import repeat
from math import inf
from typing import Any

from messaging.streaming.api.errors import DeclarationError
from messaging.streaming.api.functions import close_function, open_function
from messaging.streaming.api.stage import Instance, Stage
from messaging.streaming.runtime.output import Routes
from messaging.streaming.stateful.batches import Batch, Head
from messaging.streaming.stateful.guard import FailedRecord, Guard
from messaging.streaming.stateful.outbox import Outbox
from messaging.streaming.stateful.state.pickling import loads
from messaging.streaming.stateful.state.store_protocol import Name, Store
from messaging.streaming.stateful.state.values import Entry, KeyedState
from messaging.streaming.stateful.steps import (
    Advances,
    KnowsTime,
    PositionedSource,
    ProcessesBatches,
    Step,
    Ticks,
)

UNNUMBERED = ""
"""The sender that stands for all senders without state, which number nothing."""


class StatefulTask:
    """The work of one instance, loaded from its store. Knows nothing of Ray, of threads or of event loops.

    Raises StoreFailed; the task is then of no use any more, and a new one has to be made.
    """

    def __init__(
        self, stage: Stage, instance: Instance, operator: object, routes: Routes, store: Store
    ) -> None:
        self._stage = stage
        self._operator = operator
        # Once, since these checks cost more than a small batch.
        self._step = operator if isinstance(operator, Step) else None
        self._source = operator if isinstance(operator, PositionedSource) else None
        self._batch_step = operator if isinstance(operator, ProcessesBatches) else None
        self._event_timed = operator if isinstance(operator, Advances) else None
        self._clocked = operator if isinstance(operator, Ticks) else None
        self._time_reader = operator if isinstance(operator, KnowsTime) else None
        self._routes = routes
        self._store = store
        self._state = KeyedState()
        self._guard = Guard(self._state.undo)
        stored = list(store.load())
        self.head = next(
            (Head.from_bytes(data) for (kind, _), data in stored if kind == "head"), Head()
        )
        self.outbox = Outbox(
            *(instance.name, routes, self.head),
            lambda record, error: self._guard.put_aside(record, stage.name, error),
        )
        self._load(stored)
        if self._step is not None:
            self._step.open(instance, self._state)
        else:
            open_function(operator, instance)
        routes.open(instance)
        self._advance(self.head.watermark)

    # -- input

    def take(self, batches: Sequence[Batch]) -> None:
        """Process the batches that are new, and commit. On return they may be acknowledged."""
        new = [b for b in batches if b.number > self.head.positions.get(b.sender, 0)]
        for batch in new:
            time, records = batch.open()
            self._process(records)
            self.head.positions[batch.sender] = batch.number
            if time is not None:
                self.head.seen[batch.sender] = time
        if new:
            self._advance(self._watermark())
            self._commit()

    def take_any(self, arrivals: Sequence[Batch | Sequence[Any]]) -> None:
        """Take batches, and lists of records without a number."""
        self.take([arrival for arrival in arrivals if isinstance(arrival, Batch)])
        for arrival in arrivals:
            if not isinstance(arrival, Batch):
                self.take_records(arrival)

    def take_records(self, records: Sequence[Any]) -> None:
        """Take records without a number, from a sender without state: once for each time they are offered."""
        self._process(records)
        if self._time_reader is not None:
            latest = self.head.seen.get(UNNUMBERED, -inf)
            self.head.seen[UNNUMBERED] = max(latest, self._time_reader.latest)
        self._advance(self._watermark())
        self._commit()

    def read(self, count: int) -> int:
        """Read from the source and commit its position with the records. Returns the number of records."""
        if self.head.ended:
            return 0
        if self._source is None:
            raise DeclarationError(f"source {self._stage.name!r} needs read()")
        result = self._source.read(self.head.source, count)
        records: Sequence[Any] = ()
        if result is None:
            self.head.ended = True
        else:
            records, self.head.source = result
        for record in records:
            self._route(record)
        self.head.counts["in"] += len(records)
        if records or self.head.ended:
            self._commit()
        return len(records)

    def tick(self, now: float) -> None:
        """Let a step that works by the time of day emit, and commit."""
        if self._clocked is not None and (outputs := list(self._clocked.tick(now))):
            self._emit(outputs)
            self._commit()

    def finish(self) -> None:
        """Advance to the end of event time: no more records will come. May be called again."""
        self._advance(inf)
        self._commit()

    def tidy(self) -> None:
        """Remove acknowledged batches from the store, too."""
        if self.outbox.has_removals:
            self._commit()

    # -- questions

    @property
    def last_error(self) -> str:
        """The stage and the type of the last error."""
        return self._guard.last_error

    def entry(self, token: bytes) -> Entry | None:
        """Return a key and its value. Between two calls all state here is committed."""
        return self._state.entry(token)

    def entries(self, limit: int | None) -> list[Entry]:
        """Return all keys with their values, as committed, or so many of them."""
        return self._state.some(limit)

    def state_entries(self) -> list[tuple[bytes, bytes]]:
        """Return the state in the form of the store, for a savepoint."""
        return [(name, value) for (kind, name), value in self._store.load() if kind == "state"]

    def dead_letters(self) -> list[FailedRecord]:
        """Return the newest dead letters."""
        return [loads(value) for (kind, _), value in self._store.load() if kind == "aside"]

    def close(self) -> None:
        """Close the user's functions, and the store."""
        self._routes.close()
        close_function(self._operator)
        self._store.close()

    # -- the work

    def _process(self, records: Sequence[Any]) -> None:
        for record, process in zip(records, self._processes(records), strict=True):
            outputs = self._guard(process, record, self._stage.name)
            self._state.settle()
            for output in outputs:
                self._route(output)
        self.head.counts["in"] += len(records)

    def _processes(self, records: Sequence[Any]) -> Iterable[Callable[[Any], Iterable[Any]]]:
        """Return a function for each record: the step, or the result that the step gave for the whole batch."""
        if self._step is None:
            raise DeclarationError(f"stage {self._stage.name!r} needs open() and process()")
        process = self._step.process
        if self._batch_step is None:
            return repeat(process, len(records))
        results = self._batch_step.process_all(records)
        # A record that failed in its batch is tried again alone.
        return [process if isinstance(r, Exception) else partial(_result, r) for r in results]

    def _route(self, record: Any) -> None:
        for receiver, one in self._routes.targets(record, self._guard):
            self.outbox.put(receiver, one)

    def _watermark(self) -> float:
        """Return the event time up to which all senders have sent everything. Never goes back."""
        times = (self.head.seen.get(name, -inf) for name in self._stage.senders)
        self.head.watermark = max(self.head.watermark, min(times, default=-inf))
        return self.head.watermark

    def _advance(self, watermark: float) -> None:
        if self._event_timed is not None:
            self._emit(list(self._event_timed.advance(watermark)))

    def _emit(self, outputs: Sequence[Any]) -> None:
        self._state.settle()
        for output in outputs:
            self._route(output)

    def _commit(self) -> None:
        changes = self.outbox.changes()
        changes |= {("state", name): value for name, value in self._state.changes()}
        changes |= self._guard.changes(self.head)
        changes["head", b""] = self.head.to_bytes()
        self._store.write(changes)
        for part in (self.outbox, self._state, self._guard):
            part.mark_committed()

    def _load(self, stored: Iterable[tuple[Name, bytes]]) -> None:
        state: list[tuple[bytes, bytes]] = []
        for (kind, name), value in stored:
            if kind == "state":
                state.append((name, value))
            elif kind == "out":
                self.outbox.load(name, value)
        self._state.load(state)


def _result(result: Iterable[Any], record: Any) -> Iterable[Any]:
    return result
