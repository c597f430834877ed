"""Sends the committed batches of a task: one call in flight to each receiver."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from tenacity import AsyncRetrying, retry_if_exception_type

from messaging.streaming.api.errors import StreamingError
from messaging.streaming.api.graph import Graph
from messaging.streaming.api.stage import Stage
from messaging.streaming.runtime.batch_redelivery import PAUSES
from messaging.streaming.runtime.output import Runtime, channel_to
from messaging.streaming.stateful.batches import Batch
from messaging.streaming.stateful.flow_control import FlowControl
from messaging.streaming.stateful.task import StatefulTask

log = logging.getLogger(__name__)

SILENT_SECONDS = 0.2
MAX_CALL_BYTES = 64 * 1024
"""Ray carries up to 100 KB within a call; larger arguments make a detour through the object store."""


@dataclass(frozen=True, slots=True)
class Receiver:
    """The way from a stateful instance to one receiver. Both calls raise StreamingError.

    `deliver` hands batches over and returns when all are acknowledged; `ping` returns at once if the process answers.
    """

    deliver: Callable[[Sequence[Batch]], Awaitable[None]]
    ping: Callable[[], Awaitable[None]]


def receiver_of(graph: Graph, sender: str, stage: Stage, index: int, runtime: Runtime) -> Receiver:
    """Return the way to an instance: batches to a stateful one, and record by record to any other."""
    if stage.kind.is_stateful:
        take, ping = (runtime.method(stage, index, name) for name in ("take", "ping"))
        return Receiver(take, ping)
    channel = channel_to(graph, sender, stage, index, runtime)

    async def deliver(batches: Sequence[Batch]) -> None:
        records = [record for batch in batches for record in batch.open()[1]]
        puts = (channel.put(record) for record in records)
        for answer in await asyncio.gather(*puts, return_exceptions=True):
            if answer is not None:
                log.warning("%s: a record was not taken: %s", channel.name, type(answer).__name__)

    async def always_answers() -> None:
        """Return at once: the channel itself repeats after a loss."""

    return Receiver(deliver, always_answers)


class OutboxSender:
    """Belongs to one event loop. `current` returns the task of the moment; `on_sent` is called when all is sent."""

    def __init__(
        self,
        receivers: Mapping[str, Receiver],
        current: Callable[[], StatefulTask | None],
        on_sent: Callable[[], object],
    ) -> None:
        self._receivers = receivers
        self._current = current
        self._on_sent = on_sent
        self._sending: dict[str, asyncio.Task[None]] = {}
        self._pinging: set[asyncio.Task[None]] = set()
        self._flow = {name: FlowControl() for name in receivers}
        self._room = asyncio.Event()

    @property
    def idle(self) -> bool:
        """Whether everything is acknowledged."""
        return not self._sending

    def start(self) -> None:
        """Send the batches that wait."""
        for receiver in self._receivers:
            if self._next(receiver) and receiver not in self._sending:
                self._sending[receiver] = asyncio.create_task(self._send(receiver))
        self._room.set()

    def stop(self) -> None:
        """Send no more."""
        for task in (*self._sending.values(), *self._pinging):
            task.cancel()

    async def wait_for_room(self) -> None:
        """Return when no receiver lags further behind than it may."""
        while (task := self._current()) and self._is_full(task):
            self._room.clear()
            await self._room.wait()

    def _is_full(self, task: StatefulTask) -> bool:
        outbox = task.outbox
        return any(
            flow.is_full(outbox.waiting_for(receiver), partial(outbox.bytes_for, receiver))
            for receiver, flow in self._flow.items()
        )

    def _next(self, receiver: str) -> Sequence[Batch]:
        task, most = self._current(), self._flow[receiver].at_once
        return task.outbox.first_few(receiver, most, MAX_CALL_BYTES) if task else ()

    async def _send(self, receiver: str) -> None:
        try:
            while batches := self._next(receiver):
                began = time.monotonic()
                await self._deliver(receiver, batches)
                if task := self._current():
                    task.outbox.acknowledge(receiver, batches[-1].number)
                    waiting, seconds = task.outbox.waiting_for(receiver), time.monotonic() - began
                    self._flow[receiver].note_acknowledgement(len(batches), waiting, seconds)
                self._room.set()
        finally:
            del self._sending[receiver]
        self._on_sent()

    async def _deliver(self, receiver: str, batches: Sequence[Batch]) -> None:
        """Send until the batches are acknowledged; their numbers make repetitions harmless."""

        def watch() -> None:
            # The receiver is slow or away: Ray needs more than a second to tell, so it is asked.
            task = asyncio.create_task(self._ping_while_first(receiver, batches[0]))
            self._pinging.add(task)
            task.add_done_callback(self._pinging.discard)

        retrying: Any = retry_if_exception_type(StreamingError)
        timer = asyncio.get_running_loop().call_later(SILENT_SECONDS, watch)
        try:
            async for attempt in AsyncRetrying(retry=retrying, wait=PAUSES):
                with attempt:
                    await self._receivers[receiver].deliver(batches)
        finally:
            timer.cancel()

    async def _ping_while_first(self, receiver: str, batch: Batch) -> None:
        while (waiting := self._next(receiver)) and waiting[0] == batch:
            try:
                async with asyncio.timeout(SILENT_SECONDS):
                    await self._receivers[receiver].ping()
            except (TimeoutError, StreamingError):
                self._flow[receiver].note_away()
                self._room.set()
                return
            await asyncio.sleep(SILENT_SECONDS)
