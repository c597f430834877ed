"""The output of one instance: routes each record through chained functions to its receivers, and waits for answers."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from messaging.streaming.api.errors import NotTaken
from messaging.streaming.api.functions import Transform, close_function, open_function
from messaging.streaming.api.graph import Edge, Graph
from messaging.streaming.api.partition import Choose, Ends
from messaging.streaming.api.stage import Instance, Stage, StageKind
from messaging.streaming.runtime.batch_redelivery import Call, Channel

CHANNEL_CAPACITY = 2000

Target = tuple[str, Any]
"""The name of a receiving instance, and the record for it."""

Guard = Callable[[Callable[[Any], Iterable[Any]], Any, str], Iterable[Any]]
"""Calls a function of the user's with a record; decides about the exceptions that it raises."""


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

    def targets(self, record: Any, guard: Guard | None = None) -> Iterable[Target]:
        """Return the receivers, each with its record. Chained sinks are called on the way.

        Without a guard an exception of a function reaches the caller.
        """
        if self._only is not None:
            if guard is None:
                return self._only.targets(record)
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

    def _follow(self, fork: _Fork, record: Any, guard: Guard | None, targets: list[Target]) -> None:
        for end in fork.ends:
            targets += guard(end.targets, record, end.edge) if guard else end.targets(record)
        for transform, branch in fork.branches:
            outputs = guard(transform, record, transform.name) if guard else transform(record)
            for output in outputs:
                self._follow(branch, output, guard, targets)

    def _end(self, receiver: Stage, edge: Edge) -> _End:
        ends = Ends(self._index, self._stage.parallelism, receiver.parallelism)
        names = receiver.instances
        for index in edge.partition.channels(ends):
            self.receivers[names[index]] = (receiver, index)
        clock = Clock(edge.time) if edge.time else None
        if clock:
            self.clocks.setdefault(receiver.name, []).append(clock)
        choose = edge.partition.chooser(ends)
        return _End(f"{edge.upstream} to {receiver.name}", names, choose, clock)


class Runtime(Protocol):
    """How instances reach each other. Implemented in one process and on Ray."""

    def method(self, stage: Stage, index: int, name: str) -> Callable[..., Awaitable[Any]]:
        """Return an async function that calls a method of an instance's worker. It raises StreamingError."""

    def function(self, stage: Stage, graph: Graph) -> Call:
        """Return the call that runs a FUNCTION stage on a batch and hands its outputs on."""


class Output:
    """All edges that leave one instance. `patience_seconds` bounds the wait of `emit`; None is for ever."""

    def __init__(
        self, routes: Routes, channels: Mapping[str, Channel], patience_seconds: float | None = None
    ) -> None:
        self.routes = routes
        self._channels = channels
        self._patience_seconds = patience_seconds

    @property
    def leads_on(self) -> bool:
        """Whether any stage follows."""
        return bool(self._channels)

    @property
    def idle(self) -> bool:
        """Whether every record that was emitted has its answer."""
        return all(channel.idle for channel in self._channels.values())

    async def emit(self, record: Any) -> None:
        """Return when every receiver has taken the record. Raises the exception of a refusal, or StreamingError."""
        try:
            async with asyncio.timeout(self._patience_seconds):
                await self.emit_patiently(record)
        except TimeoutError:
            stages = {stage.name for stage, _ in self.routes.receivers.values()}
            names = " and the ".join(sorted(stages))
            raise NotTaken(f"the {names} did not take it in time") from None

    async def emit_patiently(self, record: Any) -> None:
        """`emit`, however long it takes."""
        targets = list(self.routes.targets(record))
        if len(targets) == 1:
            name, one = targets[0]
            await self._channels[name].put(one)
        elif targets:
            puts = (self._channels[name].put(one) for name, one in targets)
            for answer in await asyncio.gather(*puts, return_exceptions=True):
                if answer is not None:
                    raise answer

    def offer(self, records: Iterable[Any]) -> list[Any]:
        """Start handing the records on without waiting, and return those for which there is no room now."""
        left: list[Any] = []
        for record in records:
            targets = list(self.routes.targets(record))
            if all(self._channels[name].free for name, _ in targets):
                for name, one in targets:
                    self._channels[name].offer(one)
            else:
                left.append(record)
        return left


def output_of(
    graph: Graph, stage: str, index: int, runtime: Runtime, patience_seconds: float | None = None
) -> Output:
    """Build the output of one instance. Channels that several edges share are shared."""
    routes = Routes(graph, stage, index)
    channels = {
        name: channel_to(graph, f"{stage}/{index}", receiver, number, runtime)
        for name, (receiver, number) in routes.receivers.items()
    }
    return Output(routes, channels, patience_seconds)


def channel_to(graph: Graph, sender: str, receiver: Stage, index: int, runtime: Runtime) -> Channel:
    """Build the channel from one instance to another."""
    if receiver.kind is StageKind.FUNCTION:
        call = runtime.function(receiver, graph)
    else:
        call = runtime.method(receiver, index, "process")
    name = f"{sender} to {receiver.name}/{index}"
    return Channel(
        name, call, receiver.handover, receiver.max_batch, CHANNEL_CAPACITY, receiver.first
    )
