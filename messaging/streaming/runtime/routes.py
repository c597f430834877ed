"""Routes of one instance: chained functions applied once for each record, then the choice of the receivers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from messaging.streaming.api.functions import Transform, close_function, open_function
from messaging.streaming.api.graph import Edge, Graph
from messaging.streaming.api.partition import Choose, Ends
from messaging.streaming.api.stage import Instance, Stage

Target = tuple[str, Any]
"""The name of a receiving instance, and the record for it."""

Guard = Callable[[Callable[[Any], Iterable[Any]], Any, str], Iterable[Any]]
"""Calls a function of the user's with a record; decides about the exceptions that it raises."""


def call_function(
    function: Callable[[Any], Iterable[Any]], record: Any, name: str
) -> Iterable[Any]:
    """Call the function; its exception reaches the emitter of the record."""
    return function(record)


@dataclass(slots=True)
class Clock:
    """The latest event time among the records that went over an edge."""

    time: Callable[[Any], float]
    latest: float | None = None

    def see(self, record: Any) -> None:
        """Take the record's time into account."""
        moment = self.time(record)
        if self.latest is None or moment > self.latest:
            self.latest = moment


@dataclass(slots=True)
class _End:
    edge: str
    names: Sequence[str]
    choose: Choose
    clock: Clock | None

    def targets(self, record: Any) -> list[Target]:
        if self.clock:
            self.clock.see(record)
        return [(self.names[index], record) for index in self.choose(record)]


@dataclass(slots=True)
class _Fork:
    """The point where edges that share their first functions part."""

    ends: list[_End] = field(default_factory=list)
    branches: list[tuple[Transform, _Fork]] = field(default_factory=list)

    def branch(self, transform: Transform) -> _Fork:
        for known, fork in self.branches:
            if known is transform:
                return fork
        self.branches.append((transform, _Fork()))
        return self.branches[-1][1]

    def transforms(self) -> Iterable[Transform]:
        for transform, fork in self.branches:
            yield transform
            yield from fork.transforms()


class Routes:
    """All edges that leave one instance."""

    def __init__(self, graph: Graph, stage: str, index: int) -> None:
        self.receivers: dict[str, tuple[Stage, int]] = {}
        self.clocks: dict[str, list[Clock]] = {}
        self._stage = graph.stage(stage)
        self._index = index
        self._root = _Fork()
        for edge in graph.outgoing(stage):
            fork = self._root
            for transform in edge.transforms:
                fork = fork.branch(transform)
            if not edge.ends:
                fork.ends.append(self._end(graph.stage(edge.downstream), edge))
        ends = self._root.ends
        self._only = ends[0] if len(ends) == 1 and not self._root.branches else None

    def targets(self, record: Any, guard: Guard = call_function) -> Iterable[Target]:
        """Return the receivers, each with its record. Chained sinks are called on the way."""
        if self._only is not None:
            return guard(self._only.targets, record, self._only.edge)
        targets: list[Target] = []
        self._follow(self._root, record, guard, targets)
        return targets

    def open(self, instance: Instance) -> None:
        """Open the function objects on the way, each with the settings of its own stream."""
        for transform in self._root.transforms():
            open_function(transform.function, replace(instance, config=transform.config))

    def close(self) -> None:
        """Close them."""
        for transform in self._root.transforms():
            close_function(transform.function)

    def _follow(self, fork: _Fork, record: Any, guard: Guard, targets: list[Target]) -> None:
        for end in fork.ends:
            targets += guard(end.targets, record, end.edge)
        for transform, branch in fork.branches:
            for output in guard(transform, record, transform.name):
                self._follow(branch, output, guard, targets)

    def _end(self, receiver: Stage, edge: Edge) -> _End:
        ends = Ends(self._index, self._stage.parallelism, receiver.parallelism)
        names = receiver.instances
        for index in edge.partition.wired(ends):
            self.receivers[names[index]] = (receiver, index)
        clock = Clock(edge.time) if edge.time else None
        if clock:
            self.clocks.setdefault(receiver.name, []).append(clock)
        choose = edge.partition.chooser(ends)
        return _End(f"{edge.upstream} to {receiver.name}", names, choose, clock)
