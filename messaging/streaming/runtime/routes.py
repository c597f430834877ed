"""The way out of one instance: chained functions applied once for each record, then the choice of the receivers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from messaging.streaming.api.functions import close_function, open_function
from messaging.streaming.api.graph import Edge, Graph, Instance, Stage, Transform
from messaging.streaming.api.partition import Choose, Ends

Target = tuple[str, Any]
"""The name of a receiving instance, and what it gets."""

Guard = Callable[[Callable[[Any], Iterable[Any]], Any, str], Iterable[Any]]
"""Calls a function of the user's with a record; decides what happens when it raises."""


def unguarded(function: Callable[[Any], Iterable[Any]], record: Any, name: str) -> Iterable[Any]:
    """Call the function and let whoever emits the record know what it raises."""
    return function(record)


@dataclass(slots=True)
class Clock:
    """The latest event time among the records that went over an edge."""

    time: Callable[[Any], float]
    latest: float | None = None

    def see(self, record: Any) -> None:
        """Take the record's time into account."""
        seen = self.time(record)
        if self.latest is None or seen > self.latest:
            self.latest = seen


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
    """Where edges that share their first functions part."""

    ends: list[_End] = field(default_factory=list)
    branches: list[tuple[Transform, _Fork]] = field(default_factory=list)

    def at(self, transform: Transform) -> _Fork:
        for known, fork in self.branches:
            if known is transform:
                return fork
        self.branches.append((transform, _Fork()))
        return self.branches[-1][1]


class Routes:
    """All edges that leave one instance."""

    def __init__(self, graph: Graph, stage: str, index: int) -> None:
        self.receivers: dict[str, tuple[Stage, int]] = {}
        self.clocks: dict[str, list[Clock]] = {}
        self._stage = graph.stage(stage)
        self._index = index
        self._root = _Fork()
        for edge in graph.outgoing(stage):
            self._add(graph, edge)
        ends = self._root.ends
        self._only = ends[0] if len(ends) == 1 and not self._root.branches else None

    def targets(self, record: Any, guard: Guard = unguarded) -> Iterable[Target]:
        """Return who gets what. Chained sinks are called on the way."""
        if self._only is not None:
            return guard(self._only.targets, record, self._only.edge)
        targets: list[Target] = []
        self._follow(self._root, record, guard, targets)
        return targets

    def open(self, instance: Instance) -> None:
        """Open the function objects on the way, each with the settings of its own stream."""
        for transform in self._transforms(self._root):
            config = getattr(transform, "config", instance.config)
            open_function(_function(transform), replace(instance, config=config))

    def close(self) -> None:
        """Close them."""
        for transform in self._transforms(self._root):
            close_function(_function(transform))

    def _follow(self, fork: _Fork, record: Any, guard: Guard, targets: list[Target]) -> None:
        for end in fork.ends:
            targets += guard(end.targets, record, end.edge)
        for transform, branch in fork.branches:
            for out in guard(transform, record, getattr(transform, "name", "")):
                self._follow(branch, out, guard, targets)

    def _add(self, graph: Graph, edge: Edge) -> None:
        fork = self._root
        for transform in edge.transforms:
            fork = fork.at(transform)
        if not edge.ends:
            fork.ends.append(self._end(graph.stage(edge.downstream), edge))

    def _end(self, receiver: Stage, edge: Edge) -> _End:
        ends = Ends(self._index, self._stage.parallelism, receiver.parallelism)
        names = [f"{receiver.name}/{index}" for index in range(receiver.parallelism)]
        for index in edge.partition.wired(ends):
            self.receivers[names[index]] = (receiver, index)
        clock = Clock(edge.time) if edge.time else None
        if clock:
            self.clocks.setdefault(receiver.name, []).append(clock)
        choose = edge.partition.chooser(ends)
        return _End(f"{edge.upstream} to {receiver.name}", names, choose, clock)

    def _transforms(self, fork: _Fork) -> Iterable[Transform]:
        for transform, branch in fork.branches:
            yield transform
            yield from self._transforms(branch)


def _function(transform: Transform) -> Any:
    return getattr(transform, "function", transform)
