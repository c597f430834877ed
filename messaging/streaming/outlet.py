"""Where an instance emits: transforms each record, chooses the receivers, and waits for their answers."""

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from messaging.streaming.channel import Call, Channel
from messaging.streaming.errors import NotTaken
from messaging.streaming.graph import Edge, Graph, Kind, Stage, Transform
from messaging.streaming.partition import Choose

CHANNEL_CAPACITY = 2000


class Runtime(Protocol):
    """How instances reach each other. Implemented inline, in one process, and on Ray."""

    def worker(self, stage: Stage, index: int) -> Call:
        """Return what hands a batch to one instance of a stage."""

    def function(self, stage: Stage, graph: Graph) -> Call:
        """Return what runs a FUNCTION stage on a batch and hands on what it returns."""


@dataclass(frozen=True, slots=True)
class Branch:
    """One edge, as seen by one emitting instance."""

    transforms: tuple[Transform, ...]
    choose: Choose
    channels: Sequence[Channel]

    def targets(self, record: Any) -> Iterator[tuple[Channel, Any]]:
        """Which channels carry what, for one record."""
        records: Iterable[Any] = (record,)
        for transform in self.transforms:
            records = [out for one in records for out in transform(one)]
        for one in records:
            for index in self.choose(one):
                yield self.channels[index], one


class Outlet:
    """All edges that leave one instance. `patience_seconds` bounds how long `emit` waits; None is for ever."""

    def __init__(self, branches: Sequence[Branch], patience_seconds: float | None = None) -> None:
        self._branches = branches
        self._patience_seconds = patience_seconds

    @property
    def leads_on(self) -> bool:
        """Whether there is anybody to emit to."""
        return bool(self._branches)

    @property
    def idle(self) -> bool:
        """Whether every record that was emitted has its answer."""
        return all(channel.idle for branch in self._branches for channel in branch.channels)

    async def emit(self, record: Any) -> None:
        """Return when every receiver has taken the record. Raises what one refused it with, or StreamingError."""
        targets = self._targets(record)
        try:
            async with asyncio.timeout(self._patience_seconds):
                if len(targets) == 1:
                    await targets[0][0].put(targets[0][1])
                elif targets:
                    await _all_taken(targets)
        except TimeoutError:
            raise NotTaken("no answer in time") from None

    def offer(self, records: Iterable[Any]) -> list[Any]:
        """Start handing the records on without waiting, and return those for which there is no room now."""
        return [record for record in records if not self._offered(record)]

    def _offered(self, record: Any) -> bool:
        targets = self._targets(record)
        if not all(channel.has_room for channel, _ in targets):
            return False
        for channel, one in targets:
            channel.offer(one)
        return True

    def _targets(self, record: Any) -> list[tuple[Channel, Any]]:
        return [target for branch in self._branches for target in branch.targets(record)]


async def _all_taken(targets: list[tuple[Channel, Any]]) -> None:
    answers = await asyncio.gather(
        *(channel.put(one) for channel, one in targets), return_exceptions=True
    )
    for answer in answers:
        if answer is not None:
            raise answer


def outlet_of(
    graph: Graph, stage: str, index: int, runtime: Runtime, patience_seconds: float | None = None
) -> Outlet:
    """Build the outlet of one instance. Channels that several edges share are shared."""
    channels: dict[str, list[Channel]] = {}
    for edge in graph.outgoing(stage):
        if edge.downstream not in channels:
            receiver = graph.stage(edge.downstream)
            channels[edge.downstream] = _channels(graph, f"{stage}/{index}", receiver, runtime)
    branches = [_branch(edge, index, channels[edge.downstream]) for edge in graph.outgoing(stage)]
    return Outlet(branches, patience_seconds)


def _branch(edge: Edge, index: int, channels: list[Channel]) -> Branch:
    return Branch(edge.transforms, edge.partition.chooser(index, len(channels)), channels)


def _channels(graph: Graph, sender: str, receiver: Stage, runtime: Runtime) -> list[Channel]:
    if receiver.kind is Kind.FUNCTION:
        calls = [runtime.function(receiver, graph)] * receiver.parallelism
    else:
        calls = [runtime.worker(receiver, i) for i in range(receiver.parallelism)]
    return [
        Channel(
            f"{sender} to {receiver.name}/{i}",
            call,
            receiver.handover,
            receiver.max_batch,
            CHANNEL_CAPACITY,
        )
        for i, call in enumerate(calls)
    ]
