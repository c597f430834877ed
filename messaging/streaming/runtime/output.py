"""The output of one instance: transforms each record, chooses the receivers, and waits for their answers."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, Protocol

from messaging.streaming.api.errors import NotTaken
from messaging.streaming.api.graph import Graph
from messaging.streaming.api.stage import Stage, StageKind
from messaging.streaming.runtime.channel import Call, Channel
from messaging.streaming.runtime.routes import Routes

CHANNEL_CAPACITY = 2000


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
        targets = self._targets(record)
        if len(targets) == 1:
            channel, one = targets[0]
            await channel.put(one)
        elif targets:
            puts = (channel.put(one) for channel, one in targets)
            for answer in await asyncio.gather(*puts, return_exceptions=True):
                if answer is not None:
                    raise answer

    def offer(self, records: Iterable[Any]) -> list[Any]:
        """Start handing the records on without waiting, and return those for which there is no room now."""
        left: list[Any] = []
        for record in records:
            targets = self._targets(record)
            if all(channel.has_room for channel, _ in targets):
                for channel, one in targets:
                    channel.offer(one)
            else:
                left.append(record)
        return left

    def _targets(self, record: Any) -> list[tuple[Channel, Any]]:
        return [(self._channels[name], one) for name, one in self.routes.targets(record)]


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
