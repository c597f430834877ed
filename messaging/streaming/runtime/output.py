"""Where an instance emits: transforms each record, chooses the receivers, and waits for their answers."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from messaging.streaming.api.errors import NotTaken
from messaging.streaming.api.graph import Graph, Kind, Stage
from messaging.streaming.runtime.channel import Call, Channel
from messaging.streaming.runtime.routes import Routes
from messaging.streaming.stateful.batches import Batch

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Receiver:
    """How a keeping instance reaches one receiver. Both raise StreamingError.

    `deliver` hands batches over and returns when all are acknowledged; `answers` returns at once if somebody is there.
    """

    deliver: Callable[[Sequence[Batch]], Awaitable[None]]
    answers: Callable[[], Awaitable[None]]


CHANNEL_CAPACITY = 2000


class Runtime(Protocol):
    """How instances reach each other. Implemented inline, in one process, and on Ray."""

    def worker(self, stage: Stage, index: int) -> Call:
        """Return what hands a batch to one instance of a stage, which answers for each record."""

    def keeper(self, stage: Stage, index: int) -> Receiver:
        """Return what hands numbered batches to one instance of a stage that keeps."""

    def function(self, stage: Stage, graph: Graph) -> Call:
        """Return what runs a FUNCTION stage on a batch and hands on what it returns."""


class Output:
    """All edges that leave one instance. `patience_seconds` bounds how long `emit` waits; None is for ever."""

    def __init__(
        self, routes: Routes, channels: Mapping[str, Channel], patience_seconds: float | None = None
    ) -> None:
        self.routes = routes
        self._channels = channels
        self._patience_seconds = patience_seconds

    @property
    def leads_on(self) -> bool:
        """Whether there is anybody to emit to."""
        return bool(self._channels)

    @property
    def idle(self) -> bool:
        """Whether every record that was emitted has its answer."""
        return all(channel.idle for channel in self._channels.values())

    async def emit(self, record: Any) -> None:
        """Return when every receiver has taken the record. Raises what one refused it with, or StreamingError."""
        try:
            async with asyncio.timeout(self._patience_seconds):
                await self.emit_patiently(record)
        except TimeoutError:
            raise NotTaken(f"the {self._receivers()} did not take it in time") from None

    def _receivers(self) -> str:
        stages = {stage.name for stage, _ in self.routes.receivers.values()}
        return " and the ".join(sorted(stages))

    async def emit_patiently(self, record: Any) -> None:
        """`emit`, however long it takes."""
        targets = self._targets(record)
        if len(targets) == 1:
            await targets[0][0].put(targets[0][1])
        elif targets:
            await _all_taken(targets)

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
        return [(self._channels[name], one) for name, one in self.routes.targets(record)]


async def _all_taken(targets: list[tuple[Channel, Any]]) -> None:
    answers = await asyncio.gather(
        *(channel.put(one) for channel, one in targets), return_exceptions=True
    )
    for answer in answers:
        if answer is not None:
            raise answer


def output_of(
    graph: Graph, stage: str, index: int, runtime: Runtime, patience_seconds: float | None = None
) -> Output:
    """Build the outlet of one instance. Channels that several edges share are shared."""
    routes = Routes(graph, stage, index)
    channels = {
        name: channel_to(graph, f"{stage}/{index}", receiver, number, runtime)
        for name, (receiver, number) in routes.receivers.items()
    }
    return Output(routes, channels, patience_seconds)


def channel_to(graph: Graph, sender: str, receiver: Stage, index: int, runtime: Runtime) -> Channel:
    """Build the channel from one instance to another."""
    is_function = receiver.kind is Kind.FUNCTION
    call = runtime.function(receiver, graph) if is_function else runtime.worker(receiver, index)
    name = f"{sender} to {receiver.name}/{index}"
    return Channel(
        name, call, receiver.handover, receiver.max_batch, CHANNEL_CAPACITY, receiver.first
    )


def receiver_of(
    graph: Graph, sender: str, receiver: Stage, index: int, runtime: Runtime
) -> Receiver:
    """Return how a keeping instance hands a batch on: by its number, or record by record to who keeps no numbers."""
    if receiver.kind.keeps:
        return runtime.keeper(receiver, index)
    channel = channel_to(graph, sender, receiver, index, runtime)

    async def deliver(batches: Sequence[Batch]) -> None:
        records = [record for batch in batches for record in batch.open()[1]]
        puts = (channel.put(record) for record in records)
        for answer in await asyncio.gather(*puts, return_exceptions=True):
            if answer is not None:
                log.warning("%s: a record was not taken: %s", channel.name, type(answer).__name__)

    return Receiver(deliver, _always)


async def _always() -> None:
    """A channel of records knows by itself who is lost."""
