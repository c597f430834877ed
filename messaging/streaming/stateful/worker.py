"""Around one keeper: a thread to work on, a pump for each receiver, and back-pressure. Knows nothing of Ray."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import Any

from messaging.streaming.api.errors import StageFailed, WorkerLost
from messaging.streaming.api.graph import Graph, Stage
from messaging.streaming.runtime.channel import Answer, settle
from messaging.streaming.runtime.output import Runtime, receiver_of
from messaging.streaming.runtime.routes import Routes
from messaging.streaming.stateful.batches import MAX_RECORDS, Batch, Head
from messaging.streaming.stateful.executor import TaskExecutor
from messaging.streaming.stateful.guard import DeadLetter
from messaging.streaming.stateful.outbox_sender import OutboxSender
from messaging.streaming.stateful.state.base import Store
from messaging.streaming.stateful.state.values import Entry
from messaging.streaming.stateful.task import StatefulTask

IDLE_SECONDS = 0.05
READ_IDLE_SECONDS = 0.005  # shorter means more and smaller commits, and records that are older
TICK_SECONDS = 0.1
MAX_MERGED = 32


class StatefulWorker:
    """Runs one instance of a READER or KEEPER stage. Belongs to the event loop that it is made on."""

    def __init__(
        self, graph: Graph, stage: Stage, index: int, store: Store, runtime: Runtime
    ) -> None:
        self.stage = stage
        self.name = f"{stage.name}/{index}"
        self.operator = stage.build()
        self.ended = asyncio.Event()
        self._graph = graph
        self._index = index
        self._store = store
        self._inbox: list[tuple[Batch | Sequence[Any], asyncio.Future[None]]] = []
        self._unanswered: set[asyncio.Future[None]] = set()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._serving = self._reloading = False
        self._paused = self._draining = self._announced = False
        self._since = time.time()
        self._tidying: asyncio.TimerHandle | None = None
        receivers = Routes(graph, stage.name, index).receivers
        reached = {
            name: receiver_of(graph, self.name, receiver, number, runtime)
            for name, (receiver, number) in receivers.items()
        }
        self._pumps = OutboxSender(reached, lambda: self._thread.keeper, self._sent)
        self._thread = TaskExecutor(self.name, self._life, self._pumps.start, self._lost)
        if hasattr(self.operator, "tick"):
            self._spawn(self._ticking())

    # -- a stage that is given records

    async def take(self, batches: Sequence[Batch]) -> None:
        """Return when the batches are committed: that is the acknowledgement. Raises StageFailed."""
        await asyncio.gather(*map(self._put, batches))

    async def process(self, records: list[Any]) -> Sequence[Answer]:
        """Take records that nobody numbered. Refuses none; raises StageFailed."""
        if records:
            await self._put(records)
        return [None] * len(records)

    async def _put(self, arrival: Batch | Sequence[Any]) -> None:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._inbox.append((arrival, future))
        self._unanswered.add(future)
        future.add_done_callback(self._unanswered.discard)
        if not self._serving:
            self._serving = True
            self._spawn(self._serve())
        await future

    async def _serve(self) -> None:
        """What arrives while one commit runs is committed together by the next."""
        while self._inbox:
            await self._pumps.wait_for_room()
            taken, self._inbox = self._inbox[:MAX_MERGED], self._inbox[MAX_MERGED:]
            try:
                await self._thread.work(StatefulTask.take_any, [arrival for arrival, _ in taken])
                error = None
            except StageFailed as failure:
                error = failure
            for _, future in taken:
                settle(future, error)
        self._serving = False

    # -- a source

    async def run(self) -> None:
        """Read the source to its end, however often the store fails."""
        while not self.ended.is_set():
            await self._pumps.wait_for_room()
            if self._paused or self._draining:
                await asyncio.sleep(IDLE_SECONDS)
                continue
            try:
                count = await self._thread.work(lambda keeper: keeper.read(MAX_RECORDS))
            except StageFailed:
                await asyncio.sleep(1)
                continue
            if self._thread.keeper and self._thread.keeper.head.ended:
                self.ended.set()
            elif not count:
                await asyncio.sleep(getattr(self.operator, "idle_seconds", READ_IDLE_SECONDS))

    def pause(self, paused: bool) -> None:
        """Stop reading, or go on."""
        self._paused = paused

    # -- its keeper

    def _life(self) -> StatefulTask:
        routes = Routes(self._graph, self.stage.name, self._index)
        instance = self._graph.instance(self.stage, self._index)
        return StatefulTask(self.stage, instance, self.operator, routes, self._store)

    def _lost(self) -> None:
        if not self._reloading:
            self._reloading = True
            self._spawn(self.load())

    async def load(self) -> None:
        """Begin with what the store has: send what was not acknowledged, without waiting for anything new."""
        await self._thread.surely(lambda keeper: None)
        self._reloading = False

    def _sent(self) -> None:
        """Everything is acknowledged: forget it in the store, unless more comes soon and takes that along."""
        self._leave_untidy()
        loop = asyncio.get_running_loop()
        self._tidying = loop.call_later(IDLE_SECONDS, lambda: self._spawn(self._tidy()))

    def _leave_untidy(self) -> None:
        if self._tidying is not None:
            self._tidying.cancel()

    async def _tidy(self) -> None:
        if self._thread.keeper and self.idle:
            await self._thread.quietly(lambda keeper: keeper.tidy())

    async def _ticking(self) -> None:
        while True:
            await asyncio.sleep(TICK_SECONDS)
            await self._pumps.wait_for_room()
            await self._thread.quietly(lambda keeper: keeper.tick(time.time()))

    # -- every worker

    @property
    def idle(self) -> bool:
        """Whether nothing is in work and everything emitted is acknowledged."""
        return self._pumps.idle and not (self._inbox or self._thread.busy or self._serving)

    def announce_drain(self) -> None:
        """Say from now on that it is draining, while everything is still taken."""
        self._announced = True

    async def drain(self) -> None:
        """Read nothing new, and return when nothing is in work."""
        self._draining = True
        await self.settle()

    async def finish(self) -> None:
        """Everything upstream has ended: do what waits for the end. May be called again."""
        await self.settle()
        await self._thread.surely(lambda keeper: keeper.finish())
        await self.settle()

    async def settle(self) -> None:
        """Return when nothing is in work."""
        while not self.idle:  # noqa: ASYNC110 - many small events end idleness; asking is simpler
            await asyncio.sleep(0.02)

    async def state_entries(self) -> tuple[list[tuple[bytes, bytes]], Head]:
        """Return the state, and where the instance stands, for a savepoint."""
        return await self._thread.work(lambda keeper: (keeper.state_entries(), keeper.head))

    async def entry(self, token: bytes) -> Entry | None:
        """Return the committed value of a key, with the key. Raises StageFailed."""
        return await self._thread.work(lambda keeper: keeper.entry(token))

    async def entries(self, limit: int | None = None) -> list[Entry]:
        """Return all committed keys and values, or so many. Raises StageFailed."""
        return await self._thread.work(lambda keeper: keeper.entries(limit))

    async def set_aside(self) -> list[DeadLetter]:
        """Return the newest records that were set aside."""
        return await self._thread.work(lambda keeper: keeper.set_aside())

    def status(self) -> dict[str, Any]:
        """Return what the instance says about itself, ready for JSON."""
        keeper = self._thread.keeper
        counts = keeper.head.counts if keeper else {"in": 0, "out": 0, "set_aside": 0}
        return {
            "stage": self.stage.name,
            "name": self.name,
            "up_seconds": round(time.time() - self._since, 1),
            "draining": self._draining or self._announced,
            "idle": self.idle,
            "ended": self.ended.is_set(),
            "lag": sum(keeper.outbox.waiting) if keeper else 0,
            "last_error": (keeper.last_error if keeper else "") or self._thread.failure,
            "refused": 0,
            **counts,
        }

    async def close(self) -> None:
        """Let go of everything, and close the user's functions and the store."""
        self.abandon()
        keeper = self._thread.keeper
        await self._thread.run(keeper.close if keeper else self._store.close)
        self._thread.close()

    def abandon(self) -> None:
        """End in the middle of everything, as a process does that is killed."""
        self._pumps.stop()
        self._leave_untidy()
        for task in self._tasks:
            task.cancel()
        for future in list(self._unanswered):
            settle(future, WorkerLost(self.name))

    def _spawn(self, work: Any) -> asyncio.Task[Any]:
        task = asyncio.create_task(work, name=self.name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task
