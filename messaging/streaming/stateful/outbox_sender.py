"""Sends what a keeper has committed: a pump for each receiver, one call in flight on each channel."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from tenacity import AsyncRetrying, retry_if_exception_type

from messaging.streaming.api.errors import StreamingError
from messaging.streaming.runtime.channel import PAUSES
from messaging.streaming.runtime.output import Receiver
from messaging.streaming.stateful.batches import Batch
from messaging.streaming.stateful.flow_control import FlowControl
from messaging.streaming.stateful.task import StatefulTask

SILENT_SECONDS = 0.2
MAX_CALL_BYTES = 64 * 1024
"""Ray carries up to 100 KB within a call; what is larger makes a detour through the object store."""


class OutboxSender:
    """Belongs to one event loop. `current` returns the keeper of the moment, `done` is called when all is sent."""

    def __init__(
        self,
        receivers: Mapping[str, Receiver],
        current: Callable[[], StatefulTask | None],
        done: Callable[[], object],
    ) -> None:
        self._receivers = receivers
        self._current = current
        self._done = done
        self._running: dict[str, asyncio.Task[None]] = {}
        self._asking: set[asyncio.Task[None]] = set()
        self._allowances = {name: FlowControl() for name in receivers}
        self._room = asyncio.Event()

    @property
    def idle(self) -> bool:
        """Whether everything is acknowledged."""
        return not self._running

    def start(self) -> None:
        """Send what there is to send now."""
        for receiver in self._receivers:
            if self._first(receiver) and receiver not in self._running:
                self._running[receiver] = asyncio.create_task(self._pump(receiver))
        self._room.set()

    def stop(self) -> None:
        """Send no more."""
        for task in (*self._running.values(), *self._asking):
            task.cancel()

    async def wait_for_room(self) -> None:
        """Return when no receiver lags further behind than it may."""
        while (keeper := self._current()) and self._crowded(keeper):
            self._room.clear()
            await self._room.wait()

    def _crowded(self, keeper: StatefulTask) -> bool:
        outbox = keeper.outbox
        return any(
            allowance.full(outbox.waiting_for(receiver), partial(outbox.bytes_for, receiver))
            for receiver, allowance in self._allowances.items()
        )

    def _first(self, receiver: str) -> Sequence[Batch]:
        keeper, most = self._current(), self._allowances[receiver].at_once
        return keeper.outbox.first_few(receiver, most, MAX_CALL_BYTES) if keeper else ()

    async def _pump(self, receiver: str) -> None:
        try:
            while batches := self._first(receiver):
                began = time.monotonic()
                await self._delivered(receiver, batches)
                if keeper := self._current():
                    keeper.outbox.acknowledged(receiver, batches[-1].number)
                    waiting, took = keeper.outbox.waiting_for(receiver), time.monotonic() - began
                    self._allowances[receiver].acknowledged(len(batches), waiting, took)
                self._room.set()
        finally:
            del self._running[receiver]
        self._done()

    async def _delivered(self, receiver: str, batches: Sequence[Batch]) -> None:
        """Send until they are acknowledged; the numbers make that harmless."""
        retrying: Any = retry_if_exception_type(StreamingError)
        watch = asyncio.get_running_loop().call_later(SILENT_SECONDS, self._watch, receiver)
        try:
            async for attempt in AsyncRetrying(retry=retrying, wait=PAUSES):
                with attempt:
                    await self._receivers[receiver].deliver(batches)
        finally:
            watch.cancel()

    def _watch(self, receiver: str) -> None:
        """The receiver is slow, or away: Ray needs more than a second to tell, so it is asked."""
        task = asyncio.create_task(self._ask(receiver, self._first(receiver)[:1]))
        self._asking.add(task)
        task.add_done_callback(self._asking.discard)

    async def _ask(self, receiver: str, first: Sequence[Batch]) -> None:
        while first and self._first(receiver)[:1] == first:
            try:
                async with asyncio.timeout(SILENT_SECONDS):
                    await self._receivers[receiver].answers()
            except (TimeoutError, StreamingError):
                self._allowances[receiver].away()
                self._room.set()
                return
            await asyncio.sleep(SILENT_SECONDS)
