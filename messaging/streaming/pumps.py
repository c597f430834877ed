"""Sends what a keeper has committed: a pump for each receiver, one batch in flight on each channel."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from tenacity import AsyncRetrying, retry_if_exception_type

from messaging.streaming.batches import Batch
from messaging.streaming.channel import PAUSES
from messaging.streaming.errors import StreamingError
from messaging.streaming.keeper import Keeper
from messaging.streaming.outlet import Deliver


class Pumps:
    """Belongs to one event loop. `current` returns the keeper of the moment, `done` is called when all is sent."""

    def __init__(
        self,
        deliver: Mapping[str, Deliver],
        current: Callable[[], Keeper | None],
        done: Callable[[], object],
    ) -> None:
        self._deliver = deliver
        self._current = current
        self._done = done
        self._running: dict[str, asyncio.Task[None]] = {}
        self._room = asyncio.Event()

    @property
    def idle(self) -> bool:
        """Whether everything is acknowledged."""
        return not self._running

    def start(self) -> None:
        """Send what there is to send now."""
        for receiver in self._deliver:
            if self._first(receiver) and receiver not in self._running:
                self._running[receiver] = asyncio.create_task(self._pump(receiver))
        self._room.set()

    def stop(self) -> None:
        """Send no more."""
        for task in self._running.values():
            task.cancel()

    async def wait_for_room(self) -> None:
        """Return when no receiver lags."""
        while (keeper := self._current()) and keeper.crowded:
            self._room.clear()
            await self._room.wait()

    def _first(self, receiver: str) -> Batch | None:
        keeper = self._current()
        return keeper.outbox.first(receiver) if keeper else None

    async def _pump(self, receiver: str) -> None:
        try:
            while batch := self._first(receiver):
                await self._delivered(receiver, batch)
                if keeper := self._current():
                    keeper.outbox.acknowledged(receiver, batch.number)
                self._room.set()
        finally:
            del self._running[receiver]
        self._done()

    async def _delivered(self, receiver: str, batch: Batch) -> None:
        """Send until it is acknowledged; the number makes that harmless."""
        retrying: Any = retry_if_exception_type(StreamingError)
        async for attempt in AsyncRetrying(retry=retrying, wait=PAUSES):
            with attempt:
                await self._deliver[receiver](batch)
