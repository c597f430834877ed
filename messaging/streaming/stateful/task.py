"""The one algorithm of every worker that keeps something: commit, acknowledge, emit, forget.

A keeper takes batches, and commits in one atomic write: what they did to the state, the position on each channel, and
the outputs, numbered, for each receiver. Only then does its worker acknowledge the batches; it emits the outputs until
each receiver has acknowledged them, and forgets them. A sender that was not acknowledged sends the same batch again,
and a batch whose number is committed is dropped. So one instance that dies is loaded from its store and goes on by
itself; nobody else goes back.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from itertools import repeat
from math import inf
from typing import Any

from messaging.streaming.api.functions import close_function, open_function
from messaging.streaming.api.graph import Instance, Stage, Transform
from messaging.streaming.runtime.routes import Routes
from messaging.streaming.stateful.batches import Batch, Head
from messaging.streaming.stateful.guard import DeadLetter, Guard
from messaging.streaming.stateful.outbox import Outbox
from messaging.streaming.stateful.state.base import Name, Store
from messaging.streaming.stateful.state.pickling import loads
from messaging.streaming.stateful.state.values import Entry, State

UNKEPT = ""
"""Stands among the senders for all that keep nothing, and so number nothing."""


class StatefulTask:
    """One life of one instance, from its store. Knows nothing of Ray, of threads or of event loops.

    Raises StoreFailed; the keeper is then of no use any more, and a new one has to be made.
    """

    def __init__(
        self, stage: Stage, instance: Instance, step: Any, routes: Routes, store: Store
    ) -> None:
        self._stage = stage
        self._step = step
        self._routes = routes
        self._store = store
        self._state = State()
        self._guard = Guard(self._state.undo)
        stored = list(store.load())
        self.head: Head = _head(stored)
        name = f"{stage.name}/{instance.index}"
        self.outbox = Outbox(name, routes, self.head, self._cannot_be_sent)
        self._load(stored)
        self._open(instance)
        self._advance(self.head.watermark)

    # -- what comes in

    def take(self, batches: Sequence[Batch]) -> None:
        """Do the work of the batches that are new, and commit. On return they may be acknowledged."""
        new = [b for b in batches if b.number > self.head.positions.get(b.sender, 0)]
        for batch in new:
            self._take(batch)
        if new:
            self._advance(self._watermark())
            self._commit()

    def take_any(self, arrivals: Sequence[Batch | Sequence[Any]]) -> None:
        """Take batches, and lists of records that nobody numbered."""
        self.take([arrival for arrival in arrivals if isinstance(arrival, Batch)])
        for arrival in arrivals:
            if not isinstance(arrival, Batch):
                self.take_records(arrival)

    def take_records(self, records: Sequence[Any]) -> None:
        """Take records without a number, from a sender that keeps nothing: once for each time they are offered."""
        self._work(records)
        if hasattr(self._step, "latest"):
            seen = self.head.seen.get(UNKEPT, -inf)
            self.head.seen[UNKEPT] = max(seen, self._step.latest)
        self._advance(self._watermark())
        self._commit()

    def read(self, count: int) -> int:
        """Read from the source and commit its position with what was read. Returns how many records there were."""
        if self.head.ended:
            return 0
        result = self._step.read(self.head.source, count)
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
        """Let a step that goes by the time of day do what is due."""
        if outputs := list(self._step.tick(now)):
            self._fire(outputs)
            self._commit()

    def finish(self) -> None:
        """Nothing more will come: do what waits for the end of time. May be called again."""
        self._advance(inf)
        self._commit()

    # -- about it

    @property
    def last_error(self) -> str:
        """The stage and the type of what was raised last."""
        return self._guard.last_error

    def tidy(self) -> None:
        """Forget in the store, too, what was acknowledged."""
        if self.outbox.forgettable:
            self._commit()

    def entry(self, token: bytes) -> Entry | None:
        """Return a key and its value. Between two calls nothing is known here that is not committed."""
        return self._state.entry(token)

    def entries(self, limit: int | None) -> list[Entry]:
        """Return all keys with their values, as committed, or so many of them."""
        return self._state.some(limit)

    def state_entries(self) -> list[tuple[bytes, bytes]]:
        """Return the state as the store has it, for a savepoint."""
        return [(name, value) for (kind, name), value in self._store.load() if kind == "state"]

    def set_aside(self) -> list[DeadLetter]:
        """Return the newest records that were set aside."""
        return [loads(value) for (kind, _), value in self._store.load() if kind == "aside"]

    def close(self) -> None:
        """Close the user's functions, and the store."""
        self._routes.close()
        close_function(self._step)
        self._store.close()

    # -- the work

    def _take(self, batch: Batch) -> None:
        seen, records = batch.open()
        self._work(records)
        self.head.positions[batch.sender] = batch.number
        if seen is not None:
            self.head.seen[batch.sender] = seen

    def _work(self, records: Sequence[Any]) -> None:
        for record, process in zip(records, self._processes(records), strict=True):
            outputs = self._guard(process, record, self._stage.name)
            self._state.settle()
            for out in outputs:
                self._route(out)
        self.head.counts["in"] += len(records)

    def _processes(self, records: Sequence[Any]) -> Iterable[Transform]:
        """What to call for each record: the step, unless it did the whole batch at once and this record succeeded."""
        process: Transform = self._step.process
        if not hasattr(self._step, "process_all"):
            return repeat(process, len(records))
        results = self._step.process_all(records)
        return [process if isinstance(r, Exception) else partial(_known, r) for r in results]

    def _route(self, record: Any) -> None:
        for receiver, one in self._routes.targets(record, self._guard):
            self.outbox.put(receiver, one)

    def _watermark(self) -> float:
        """Up to when all senders have sent everything, by event time. Never goes back."""
        seen = (self.head.seen.get(name, -inf) for name in self._stage.senders)
        self.head.watermark = max(self.head.watermark, min(seen, default=-inf))
        return self.head.watermark

    def _advance(self, watermark: float) -> None:
        if hasattr(self._step, "advance"):
            self._fire(self._step.advance(watermark))

    def _fire(self, outputs: Iterable[Any]) -> None:
        done = list(outputs)
        self._state.settle()
        for out in done:
            self._route(out)

    def _cannot_be_sent(self, record: Any, error: Exception) -> None:
        self._guard.put_aside(record, self._stage.name, error)

    def _commit(self) -> None:
        changes = self.outbox.changes()
        changes |= {("state", name): value for name, value in self._state.changes()}
        changes |= self._guard.changes(self.head)
        changes["head", b""] = self.head.packed()
        self._store.write(changes)
        for part in (self.outbox, self._state, self._guard):
            part.committed()

    # -- the beginning

    def _load(self, stored: Iterable[tuple[Name, bytes]]) -> None:
        states: list[tuple[bytes, bytes]] = []
        for (kind, name), value in stored:
            if kind == "state":
                states.append((name, value))
            elif kind == "out":
                self.outbox.load(name, value)
        self._state.load(states)

    def _open(self, instance: Instance) -> None:
        if hasattr(self._step, "process"):
            self._step.open(instance, self._state)
        else:
            open_function(self._step, instance)
        self._routes.open(instance)


def _head(stored: Iterable[tuple[Name, bytes]]) -> Head:
    return next((Head.unpacked(data) for (kind, _), data in stored if kind == "head"), Head())


def _known(result: Iterable[Any], record: Any) -> Iterable[Any]:
    return result
