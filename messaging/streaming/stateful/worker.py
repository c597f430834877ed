"""The worker of one stateful instance: a task on a thread, the sender of its outbox, and back-pressure."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine, Sequence
from typing import Any

from messaging.streaming.api.errors import StageFailed, WorkerLost
from messaging.streaming.api.graph import Graph
from messaging.streaming.api.stage import Stage, StageKind
from messaging.streaming.runtime.batch_redelivery import Answer
from messaging.streaming.runtime.output import Routes, Runtime
from messaging.streaming.runtime.worker import IDLE_POLL_SECONDS
from messaging.streaming.stateful.batches import MAX_RECORDS, Batch, Head
from messaging.streaming.stateful.executor import TaskExecutor
from messaging.streaming.stateful.guard import FailedRecord
from messaging.streaming.stateful.outbox_sender import OutboxSender, receiver_of
from messaging.streaming.stateful.state.store_protocol import Store
from messaging.streaming.stateful.state.values import Entry
from messaging.streaming.stateful.steps import Idles, Ticks
from messaging.streaming.stateful.task import StatefulTask

IDLE_SECONDS = 0.05
READ_IDLE_SECONDS = 0.005  # shorter means more and smaller commits, and records that are older
FAILED_READ_SECONDS = 1.0
TICK_SECONDS = 0.1
MAX_MERGED = 32


class StatefulWorker:
    """Runs one instance of a READER or STATEFUL stage. Belongs to the event loop that it is made on."""

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
        self._tasks: set[asyncio.Task[None]] = set()
        self._serving = self._reloading = False
        self._paused = self._draining = self._announced = False
        self._since = time.time()
        self._tidy_timer: asyncio.TimerHandle | None = None
        receivers = {
            name: receiver_of(graph, self.name, receiver, number, runtime)
            for name, (receiver, number) in Routes(graph, stage.name, index).receivers.items()
        }
        self._sender = OutboxSender(receivers, lambda: self._executor.task, self._tidy_soon)
        self._executor = TaskExecutor(self.name, self._make_task, self._sender.start, self._reload)
        if isinstance(self.operator, Ticks):
            self._spawn(self._tick())

    async def begin(self) -> None:
        """See InstanceWorker. A reader reads its source to the end; any other stage loads its store."""
        await (self._read() if self.stage.kind is StageKind.READER else self._load())

    # -- input

    async def ping(self) -> None:
        """Return at once: it proves that this process answers, however busy its task is."""

    async def take(self, batches: Sequence[Batch]) -> None:
        """Return when the batches are committed: that is the acknowledgement. Raises StageFailed."""
        await asyncio.gather(*map(self._put, batches))

    async def process(self, records: list[Any]) -> Sequence[Answer]:
        """Take records without a number. Refuses none; raises StageFailed."""
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
        """Commit the batches of the inbox; those that arrive during one commit share the next one."""
        while self._inbox:
            await self._sender.wait_for_room()
            batches, self._inbox = self._inbox[:MAX_MERGED], self._inbox[MAX_MERGED:]
            error: StageFailed | None = None
            try:
                await self._executor.call(StatefulTask.take_any, [one for one, _ in batches])
            except StageFailed as failure:
                error = failure
            for _, future in batches:
                _settle(future, error)
        self._serving = False

    async def _read(self) -> None:
        idle = self.operator.idle_seconds if isinstance(self.operator, Idles) else READ_IDLE_SECONDS
        while not self.ended.is_set():
            await self._sender.wait_for_room()
            if self._paused or self._draining:
                await asyncio.sleep(IDLE_SECONDS)
                continue
            try:
                count = await self._executor.call(lambda task: task.read(MAX_RECORDS))
            except StageFailed:
                await asyncio.sleep(FAILED_READ_SECONDS)
                continue
            if self._executor.task and self._executor.task.head.ended:
                self.ended.set()
            elif not count:
                await asyncio.sleep(idle)

    def pause(self, paused: bool) -> None:
        """Stop reading, or go on."""
        self._paused = paused

    # -- its task

    def _make_task(self) -> StatefulTask:
        routes = Routes(self._graph, self.stage.name, self._index)
        instance = self._graph.instance(self.stage, self._index)
        return StatefulTask(self.stage, instance, self.operator, routes, self._store)

    def _reload(self) -> None:
        if not self._reloading:
            self._reloading = True
            self._spawn(self._load())

    async def _load(self) -> None:
        """Load the store and send the batches without acknowledgement, without waiting for new ones."""
        await self._executor.call_until_done(lambda task: None)
        self._reloading = False

    def _tidy_soon(self) -> None:
        """Everything is acknowledged: remove it from the store, unless a later commit soon does that as well."""
        self._cancel_tidying()
        loop = asyncio.get_running_loop()
        self._tidy_timer = loop.call_later(IDLE_SECONDS, lambda: self._spawn(self._tidy()))

    def _cancel_tidying(self) -> None:
        if self._tidy_timer is not None:
            self._tidy_timer.cancel()

    async def _tidy(self) -> None:
        if self._executor.task and self.idle:
            await self._executor.try_call(lambda task: task.tidy())

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(TICK_SECONDS)
            await self._sender.wait_for_room()
            await self._executor.try_call(lambda task: task.tick(time.time()))

    # -- as every worker

    @property
    def idle(self) -> bool:
        """Whether nothing is in work and everything emitted is acknowledged."""
        return self._sender.idle and not (self._inbox or self._executor.busy or self._serving)

    def announce_drain(self) -> None:
        """See InstanceWorker."""
        self._announced = True

    async def drain(self) -> None:
        """Read nothing new, and return when nothing is in work."""
        self._draining = True
        await self.settle()

    async def finish(self) -> None:
        """Everything upstream has ended: advance to the end of event time. May be called again."""
        await self.settle()
        await self._executor.call_until_done(lambda task: task.finish())
        await self.settle()

    async def settle(self) -> None:
        """Return when nothing is in work."""
        while not self.idle:  # noqa: ASYNC110 - many small events end idleness; asking is simpler
            await asyncio.sleep(IDLE_POLL_SECONDS)

    async def state_entries(self) -> tuple[list[tuple[bytes, bytes]], Head]:
        """Return the state and the head of the instance, for a savepoint."""
        return await self._executor.call(lambda task: (task.state_entries(), task.head))

    async def entry(self, token: bytes) -> Entry | None:
        """Return the committed value of a key, with the key. Raises StageFailed."""
        return await self._executor.call(lambda task: task.entry(token))

    async def entries(self, limit: int | None = None) -> list[Entry]:
        """Return all committed keys and values, or so many. Raises StageFailed."""
        return await self._executor.call(lambda task: task.entries(limit))

    async def dead_letters(self) -> list[FailedRecord]:
        """Return the newest dead letters."""
        return await self._executor.call(lambda task: task.dead_letters())

    def status(self) -> dict[str, Any]:
        """See InstanceWorker."""
        task = self._executor.task
        counts = task.head.counts if task else {"in": 0, "out": 0, "set_aside": 0}
        return {
            "stage": self.stage.name,
            "name": self.name,
            "up_seconds": round(time.time() - self._since, 1),
            "draining": self._draining or self._announced,
            "idle": self.idle,
            "ended": self.ended.is_set(),
            "lag": sum(task.outbox.waiting) if task else 0,
            "last_error": (task.last_error if task else "") or self._executor.failure,
            "refused": 0,
            **counts,
        }

    async def close(self) -> None:
        """See InstanceWorker."""
        self.abandon()
        task = self._executor.task
        await self._executor.run(task.close if task else self._store.close)
        self._executor.close()

    def abandon(self) -> None:
        """End in the middle of everything, like a process that is killed."""
        self._sender.stop()
        self._cancel_tidying()
        for task in self._tasks:
            task.cancel()
        for future in list(self._unanswered):
            _settle(future, WorkerLost(self.name))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work, name=self.name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _settle(future: asyncio.Future[None], error: Exception | None) -> None:
    if future.done():
        return  # its sender has given up
    if error is None:
        future.set_result(None)
    else:
        future.set_exception(error)
