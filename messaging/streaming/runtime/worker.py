"""The workers of the gateway's stages: one instance, its operator, its output and its status. Knows nothing of Ray."""

from __future__ import annotations

import asyncio
import inspect
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import Future
from typing import Any, Protocol

from messaging.streaming.api.errors import (
    DeclarationError,
    StageFailed,
    StreamingError,
    whereabouts,
)
from messaging.streaming.api.functions import open_function
from messaging.streaming.api.graph import Graph
from messaging.streaming.api.operators import (
    AnnouncesDrain,
    AnswersEarly,
    BatchOperator,
    Closes,
    Drainable,
    RecordOperator,
    Reports,
    Results,
    Source,
    TakesBack,
)
from messaging.streaming.api.stage import Instance, Stage, StageKind
from messaging.streaming.runtime.batch_redelivery import Answer
from messaging.streaming.runtime.operator_thread import OperatorThread
from messaging.streaming.runtime.output import Output, Runtime, output_of

log = logging.getLogger(__name__)

IDLE_POLL_SECONDS = 0.02


class InstanceWorker(Protocol):
    """The worker of one instance, as the runtimes see it. Belongs to the event loop that it is made on."""

    name: str
    operator: Any
    ended: asyncio.Event

    async def begin(self) -> None:
        """Do the work that starts with the instance: a source runs until it ends. Raises the source's error."""

    async def process(self, records: list[Any]) -> Sequence[Answer]:
        """Take a batch and answer each record. Raises StageFailed."""

    def announce_drain(self) -> None:
        """Show in the status that it is draining, while everything is still taken."""

    async def drain(self) -> None:
        """Take nothing new (a source), and return when nothing is in work."""

    async def finish(self) -> None:
        """Return when nothing is in work. Called when everything upstream has ended."""

    def status(self) -> dict[str, Any]:
        """Return the status of the instance, ready for JSON."""

    async def close(self) -> None:
        """Release the resources of the operator and the worker."""


class Worker:
    """Runs one instance that has no state of the dataflow's. Subclassed for sources and for operators."""

    def __init__(self, stage: Stage, instance: Instance, operator: Any, output: Output) -> None:
        self.stage = stage
        self.name = instance.name
        self.operator = operator
        self.output = output
        self.ended = asyncio.Event()
        self._counts = {"in": 0, "out": 0, "refused": 0}
        self._busy = 0
        self._draining = False
        self._since = time.time()
        open_function(operator, instance)
        output.routes.open(instance)

    async def begin(self) -> None:
        """See InstanceWorker."""

    async def process(self, records: list[Any]) -> Sequence[Answer]:
        """See InstanceWorker."""
        raise StageFailed(f"{self.stage.name} takes no records")

    async def emit(self, record: Any) -> None:
        """Hand one record to the next stages; see `Output.emit`."""
        await self.output.emit(record)
        self._counts["out"] += 1

    @property
    def idle(self) -> bool:
        """Whether nothing is in work and everything emitted has its answer."""
        return not self._busy and self.output.idle

    def announce_drain(self) -> None:
        """See InstanceWorker. The operator may announce it to its own clients."""
        self._draining = True
        if isinstance(self.operator, AnnouncesDrain):
            self.operator.announce_drain()

    async def drain(self) -> None:
        """See InstanceWorker."""
        self._draining = True
        while not self.idle:  # noqa: ASYNC110 - many small events end idleness; asking is simpler
            await asyncio.sleep(IDLE_POLL_SECONDS)

    async def finish(self) -> None:
        """See InstanceWorker."""
        await self.drain()

    def status(self) -> dict[str, Any]:
        """See InstanceWorker."""
        report: Mapping[str, Any] = {}
        if isinstance(self.operator, Reports):
            report = self.operator.status()
        return {
            "stage": self.stage.name,
            "name": self.name,
            "up_seconds": round(time.time() - self._since, 1),
            "draining": self._draining,
            "idle": self.idle,
            **self._counts,
            **report,
        }

    async def close(self) -> None:
        """See InstanceWorker."""
        if isinstance(self.operator, Closes):
            closing = self.operator.close()
            if inspect.isawaitable(closing):
                await closing
        self.output.routes.close()


class SourceWorker(Worker):
    """Runs one instance of a SOURCE stage."""

    operator: Source

    def __init__(self, stage: Stage, instance: Instance, operator: Source, output: Output) -> None:
        super().__init__(stage, instance, operator, output)
        self._loop = asyncio.get_running_loop()

    async def begin(self) -> None:
        """Run the source until it ends. Raises the source's error."""
        if inspect.iscoroutinefunction(self.operator.run):
            await self.operator.run(self.emit)
        else:
            await self._run_on_thread(self.operator.run, self.emit_from_thread)
        self.ended.set()

    def emit_from_thread(self, record: Any) -> Future[None]:
        """`emit` for a source on a thread: it does not wait, so it decides itself when to cancel.

        A cancelled record is taken back, unless it has been handed over.
        """

        async def emit_patiently() -> None:
            await self.output.emit_patiently(record)
            self._counts["out"] += 1

        return asyncio.run_coroutine_threadsafe(emit_patiently(), self._loop)

    async def drain(self) -> None:
        """See InstanceWorker."""
        self._draining = True
        if isinstance(self.operator, Drainable):
            if inspect.iscoroutinefunction(self.operator.drain):
                await self.operator.drain()
            else:
                await self._run_on_thread(self.operator.drain)
        await super().drain()

    async def _run_on_thread(self, function: Callable[..., Any], *arguments: Any) -> None:
        # A thread of its own: a source may stay in `run` for ever, and the default executor is small.
        thread = OperatorThread(self.name, lambda _: [])
        try:
            await thread.run(function, *arguments)
        finally:
            thread.close()


class RecordWorker(Worker):
    """Runs one instance whose operator takes the records of a batch side by side."""

    operator: RecordOperator

    def __init__(
        self, stage: Stage, instance: Instance, operator: RecordOperator, output: Output
    ) -> None:
        super().__init__(stage, instance, operator, output)
        self._tasks: set[asyncio.Task[None]] = set()
        self._room = (
            asyncio.Semaphore(operator.max_in_work) if isinstance(operator, AnswersEarly) else None
        )

    async def process(self, records: list[Any]) -> Sequence[Answer]:
        """See InstanceWorker."""
        if self._room is not None:
            for record in records:
                await self._begin(record, self._room)
            return [None] * len(records)
        self._busy += 1
        try:
            answers = await asyncio.gather(*map(self._process_one, records))
        finally:
            self._busy -= 1
        self._counts["in"] += len(records)
        self._counts["refused"] += sum(answer is not None for answer in answers)
        return answers

    async def close(self) -> None:
        """See InstanceWorker."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await super().close()

    async def _begin(self, record: Any, room: asyncio.Semaphore) -> None:
        """Start the work on a record that was answered. One that its stage takes first needs no room."""
        is_first = self.stage.first is not None and self.stage.first(record)
        if not is_first:
            await room.acquire()
        self._busy += 1
        self._counts["in"] += 1

        async def work() -> None:
            try:
                answer = await self._process_one(record)
                self._counts["refused"] += answer is not None
            finally:
                self._busy -= 1
                if not is_first:
                    room.release()

        task = asyncio.create_task(work(), name=self.name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _process_one(self, record: Any) -> Answer:
        # Each output goes on at once: a crash then costs the records in work, not a batch.
        try:
            await self.operator.process_single(record, self.emit)
        except StreamingError as error:
            return error
        except Exception as error:
            log.error("%s failed on a record: %s", self.name, whereabouts(error))
            return StageFailed(f"{self.stage.name}: {type(error).__name__}")
        return None


class BatchWorker(Worker):
    """Runs one instance whose operator takes batches. A synchronous operator has a thread of its own."""

    operator: BatchOperator

    def __init__(
        self, stage: Stage, instance: Instance, operator: BatchOperator, output: Output
    ) -> None:
        super().__init__(stage, instance, operator, output)
        self._thread: OperatorThread | None = None
        self._apply: Callable[[list[Any]], Awaitable[Results]]
        if inspect.iscoroutinefunction(operator.process):
            self._apply = operator.process
        else:
            self._thread = OperatorThread(self.name, operator.process)
            self._apply = self._thread.process
        self._answer = self._pass_on
        if stage.durable:
            self._answer = self._store
            if output.leads_on and not isinstance(operator, TakesBack):
                raise DeclarationError(f"durable stage {stage.name!r} needs take_back()")

    async def process(self, records: list[Any]) -> Sequence[Answer]:
        """Take a batch and answer each record. Raises StageFailed with no more than the type of the error."""
        if not records:
            return []
        self._busy += 1
        try:
            results = await self._apply(records)
            if len(results) != len(records):
                raise TypeError(f"{len(results)} results for {len(records)} records")
            answers = await self._answer(results)
        except Exception as error:
            log.error("%s failed on %d records: %s", self.name, len(records), whereabouts(error))
            raise StageFailed(f"{self.stage.name}: {type(error).__name__}") from None
        finally:
            self._busy -= 1
        self._counts["in"] += len(records)
        self._counts["refused"] += sum(answer is not None for answer in answers)
        return answers

    async def close(self) -> None:
        """See InstanceWorker."""
        await super().close()
        if self._thread is not None:
            self._thread.close()

    async def _store(self, results: Results) -> list[Answer]:
        """Answer for a durable stage, which has stored the records; outputs without room are given back to it."""
        outputs = [out for outs in results if not isinstance(outs, Exception) for out in outs]
        self._counts["out"] += len(outputs)
        if left := self.output.offer(outputs):
            await self._give_back(left)
        return [outs if isinstance(outs, Exception) else None for outs in results]

    async def _give_back(self, outputs: list[Any]) -> None:
        try:
            if not isinstance(self.operator, TakesBack):
                raise DeclarationError(f"{self.stage.name} has no take_back()")
            if self._thread is not None:
                await self._thread.run(self.operator.take_back, outputs)
            else:
                await self.operator.take_back(outputs)
        except Exception as error:
            log.error("%s cannot take back %d: %s", self.name, len(outputs), whereabouts(error))

    async def _pass_on(self, results: Results) -> list[Answer]:
        """Answer for a stage without state: a record is taken when the next stages have taken its outputs."""
        return list(await asyncio.gather(*map(self._pass_on_one, results)))

    async def _pass_on_one(self, outputs: Sequence[Any] | Exception) -> Answer:
        if isinstance(outputs, Exception):
            return outputs
        try:
            for output in outputs:
                await self.emit(output)
        except Exception as error:
            return error
        return None


def make_worker(
    graph: Graph, stage: Stage, index: int, runtime: Runtime, patience_seconds: float | None
) -> InstanceWorker:
    """Build the operator and its worker. Raises the operator's errors, and DeclarationError for an unusable one."""
    patience = patience_seconds if stage.kind is StageKind.SOURCE else None
    output = output_of(graph, stage.name, index, runtime, patience)
    return worker_of(stage, graph.instance(stage, index), stage.build(), output)


def worker_of(stage: Stage, instance: Instance, operator: object, output: Output) -> Worker:
    """Return the worker that fits the operator. Raises DeclarationError when none does."""
    if stage.kind is StageKind.SOURCE:
        if isinstance(operator, Source):
            return SourceWorker(stage, instance, operator, output)
        raise DeclarationError(f"source {stage.name!r} needs run()")
    if isinstance(operator, RecordOperator) and not stage.durable:
        return RecordWorker(stage, instance, operator, output)
    if isinstance(operator, BatchOperator):
        return BatchWorker(stage, instance, operator, output)
    raise DeclarationError(f"{stage.name!r} needs process()")
