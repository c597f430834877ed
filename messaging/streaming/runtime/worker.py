"""One instance of a stage: its operator, where it emits, and what it can say about itself. Knows nothing of Ray."""

import asyncio
import inspect
import logging
import time
from collections.abc import Sequence
from concurrent.futures import Future
from typing import Any

from messaging.streaming.api.errors import (
    DeclarationError,
    StageFailed,
    StreamingError,
    whereabouts,
)
from messaging.streaming.api.functions import open_function
from messaging.streaming.api.graph import Instance, Kind, Stage
from messaging.streaming.runtime.channel import Answer
from messaging.streaming.runtime.operator_thread import OperatorThread, Results
from messaging.streaming.runtime.output import Output

log = logging.getLogger(__name__)


class Worker:
    """Runs one instance. Belongs to the event loop that it is made on."""

    def __init__(self, stage: Stage, instance: Instance, operator: Any, outlet: Output) -> None:
        index = instance.index
        self.stage = stage
        self.ended = asyncio.Event()
        self.name = f"{stage.name}/{index}"
        self.outlet = outlet
        self.operator = operator
        self._loop = asyncio.get_running_loop()
        self._thread: OperatorThread | None = None
        self._busy = 0
        self._counts = {"in": 0, "out": 0, "refused": 0}
        self._draining = False
        self._since = time.time()
        self._takes_single = hasattr(operator, "process_single")
        open_function(operator, instance)
        outlet.routes.open(instance)
        if stage.kind is not Kind.SOURCE:
            self._prepare()

    def _prepare(self) -> None:
        if self._takes_single:
            if self.stage.durable:
                raise DeclarationError(f"durable stage {self.stage.name!r} needs process()")
            return
        if not inspect.iscoroutinefunction(self.operator.process):
            self._thread = OperatorThread(self.name, self.operator.process)
        if self.stage.durable and self.outlet.leads_on and not hasattr(self.operator, "released"):
            raise DeclarationError(f"durable stage {self.stage.name!r} needs released()")

    # -- a stage that is given records

    async def process(self, records: list[Any]) -> Sequence[Answer]:
        """Take a batch and answer each record. Raises StageFailed, saying no more than the type of the error."""
        if not records:
            return []
        self._busy += 1
        try:
            answers = await self._answers(records)
        except Exception as error:
            log.error("%s failed on %d records: %s", self.name, len(records), whereabouts(error))
            raise StageFailed(f"{self.stage.name}: {type(error).__name__}") from None
        finally:
            self._busy -= 1
        self._counts["in"] += len(records)
        self._counts["refused"] += sum(answer is not None for answer in answers)
        return answers

    async def _answers(self, records: list[Any]) -> list[Answer]:
        if self._takes_single:
            return list(await asyncio.gather(*map(self._answer_single, records)))
        results = await self._apply(records)
        return await (self._keep(results) if self.stage.durable else self._pass_on(results))

    async def _answer_single(self, record: Any) -> Answer:
        """What comes of one record goes on as soon as it is there: a crash then costs what was in work, not a batch."""
        try:
            await self.operator.process_single(record, self.emit)
        except StreamingError as error:
            return error
        except Exception as error:
            log.error("%s failed on a record: %s", self.name, whereabouts(error))
            return StageFailed(f"{self.stage.name}: {type(error).__name__}")
        return None

    async def _apply(self, records: list[Any]) -> Results:
        if self._thread is not None:
            return await self._thread.process(records)
        results: Results = await self.operator.process(records)
        if len(results) != len(records):
            raise TypeError(f"{len(results)} results for {len(records)} records")
        return results

    async def _keep(self, results: Results) -> list[Answer]:
        """A durable stage has said yes already; what it cannot hand on at once it takes back."""
        outputs = [out for outs in results if not isinstance(outs, Exception) for out in outs]
        self._counts["out"] += len(outputs)
        if left := self.outlet.offer(outputs):
            await self._take_back(left)
        return [outs if isinstance(outs, Exception) else None for outs in results]

    async def _take_back(self, left: list[Any]) -> None:
        try:
            if self._thread is not None:
                await self._thread.run(self.operator.released, left)
            else:
                await self.operator.released(left)
        except Exception as error:
            log.error("%s cannot take back %d: %s", self.name, len(left), whereabouts(error))

    async def _pass_on(self, results: Results) -> list[Answer]:
        """Without state of its own, a stage says yes when the next ones have."""
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

    # -- a source

    async def emit(self, record: Any) -> None:
        """Hand one record to the next stages; see `Outlet.emit`."""
        await self.outlet.emit(record)
        self._counts["out"] += 1

    def emit_from_thread(self, record: Any) -> Future[None]:
        """`emit` for a source that runs on a thread: it is not kept waiting, so it decides itself when to cancel.

        What is cancelled is taken back, unless it has been handed over.
        """
        return asyncio.run_coroutine_threadsafe(self._emit_patiently(record), self._loop)

    async def _emit_patiently(self, record: Any) -> None:
        await self.outlet.emit_patiently(record)
        self._counts["out"] += 1

    async def run(self) -> None:
        """Run the source until it ends. Raises whatever it raises."""
        if inspect.iscoroutinefunction(self.operator.run):
            await self.operator.run(self.emit)
        else:
            await self._on_thread(self.operator.run, self.emit_from_thread)
        self.ended.set()

    # -- every worker

    @property
    def idle(self) -> bool:
        """Whether nothing is in work and everything emitted has its answer."""
        return not self._busy and self.outlet.idle

    def announce_drain(self) -> None:
        """Say from now on that it is draining, while everything is still taken; the operator may say so too."""
        self._draining = True
        if hasattr(self.operator, "announce_drain"):
            self.operator.announce_drain()

    async def drain(self) -> None:
        """Take nothing new (a source), and return when nothing is in work."""
        self._draining = True
        if self.stage.kind is Kind.SOURCE and hasattr(self.operator, "drain"):
            if inspect.iscoroutinefunction(self.operator.drain):
                await self.operator.drain()
            else:
                await self._on_thread(self.operator.drain)
        while not self.idle:  # noqa: ASYNC110 - many small events end idleness; asking is simpler
            await asyncio.sleep(0.02)

    async def finish(self) -> None:
        """Everything upstream has ended: return when nothing is in work."""
        await self.drain()

    def status(self) -> dict[str, Any]:
        """Return what the instance says about itself, ready for JSON."""
        told = self.operator.status() if hasattr(self.operator, "status") else {}
        return {
            "stage": self.stage.name,
            "name": self.name,
            "up_seconds": round(time.time() - self._since, 1),
            "draining": self._draining,
            "idle": self.idle,
            **self._counts,
            **told,
        }

    async def close(self) -> None:
        """Let go of what the operator holds (its `close()`, if it has one) and of its thread."""
        if hasattr(self.operator, "close"):
            closing = self.operator.close()
            if inspect.isawaitable(closing):
                await closing
        self.outlet.routes.close()
        if self._thread is not None:
            self._thread.close()

    async def _on_thread(self, function: Any, *arguments: Any) -> None:
        # A thread of its own: a source may stay in `run` for ever, and the default executor is small.
        thread = OperatorThread(self.name, lambda _: [])
        try:
            await thread.run(function, *arguments)
        finally:
            thread.close()
