"""From one emitting instance to one receiving instance: one batch in flight, and what arrives meanwhile is the next.

That gives order, back-pressure and group commit at once. No order is asked of the transport below. Records that are
`first` have batches of their own, beside the others: they neither wait for those nor keep them waiting.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from tenacity import (
    AsyncRetrying,
    retry_if_exception_type,
    retry_if_result,
    wait_exponential,
)

from messaging.streaming.api.errors import StageFailed, StreamingError, WorkerLost, whereabouts
from messaging.streaming.api.graph import Handover

log = logging.getLogger(__name__)

Answer = Exception | None
"""What became of one record: taken, or refused with this exception."""

Call = Callable[[list[Any]], Awaitable[Sequence[Answer]]]
"""Hands a batch to an instance and returns an answer for each record. Raises StreamingError for the whole batch."""

_Put = tuple[Any, asyncio.Future[None]]

PAUSES = wait_exponential(multiplier=0.05, max=1.0)
FAILURES_BEFORE_GIVING_UP = 10


class Channel:
    """Carries records to one instance. Belongs to one event loop."""

    def __init__(
        self,
        name: str,
        call: Call,
        handover: Handover,
        max_batch: int,
        capacity: int,
        first: Callable[[Any], bool] | None = None,
    ) -> None:
        self.name = name
        self._call = call
        self._deliver = {
            Handover.REQUEST: self._ask,
            Handover.AT_LEAST_ONCE: self._insist,
            Handover.AT_MOST_ONCE: self._once,
        }[handover]
        self._max_batch = max_batch
        self._capacity = capacity
        self._room = asyncio.Semaphore(capacity)
        self._offered = 0
        self._is_first = first or _nothing_is
        self._lanes = {False: _Lane(), True: _Lane()}
        self._lost = False

    @property
    def idle(self) -> bool:
        """Whether every record has its answer."""
        return all(lane.pump is None for lane in self._lanes.values())

    @property
    def has_room(self) -> bool:
        """Whether one more record may be offered."""
        return self._offered < self._capacity

    async def put(self, record: Any) -> None:
        """Wait for room and for the answer. Raises what the record was refused with, or StreamingError.

        A caller that stops waiting takes the record back if it has not been handed over yet.
        """
        await self._room.acquire()
        try:
            await self._append(record)
        finally:
            self._room.release()

    def offer(self, record: Any) -> None:
        """Hand the record over without waiting; ask `has_room` first. A refusal is logged, not raised."""
        self._offered += 1
        self._append(record).add_done_callback(self._offer_answered)

    def _offer_answered(self, future: asyncio.Future[None]) -> None:
        self._offered -= 1
        if error := future.exception():
            log.warning("%s: a record was not taken: %s", self.name, type(error).__name__)

    def _append(self, record: Any) -> asyncio.Future[None]:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        lane = self._lanes[self._is_first(record)]
        lane.waiting.append((record, future))
        if lane.pump is None:
            lane.pump = asyncio.create_task(self._run(lane), name=f"channel {self.name}")
        return future

    async def _run(self, lane: "_Lane") -> None:
        try:
            while batch := self._next_batch(lane.waiting):
                answers = await self._answers([record for record, _ in batch])
                for (_, future), answer in zip(batch, answers, strict=True):
                    settle(future, answer)
        finally:
            lane.pump = None

    async def _answers(self, records: list[Any]) -> Sequence[Answer]:
        """Whatever the call raises, every record gets an answer: who emitted it would wait for ever."""
        try:
            return await self._deliver(records)
        except Exception as error:
            log.error("%s: %d records: %s", self.name, len(records), whereabouts(error))
            return [StageFailed(type(error).__name__)] * len(records)

    def _next_batch(self, waiting: "deque[_Put]") -> "list[_Put]":
        batch: list[_Put] = []
        while waiting and len(batch) < self._max_batch:
            record, future = waiting.popleft()
            if not future.cancelled():
                batch.append((record, future))
        return batch

    async def _ask(self, records: list[Any]) -> Sequence[Answer]:
        """Deliver however often the worker is lost; its refusals go back to the emitters."""
        try:
            return _checked(records, await self._until_reached(records))
        except StreamingError as error:
            return [error] * len(records)

    async def _insist(self, records: list[Any]) -> Sequence[Answer]:
        """Deliver until everything is taken. A stage that fails again and again on a batch is given up on."""
        owed = _Owed(records)
        await AsyncRetrying(retry=retry_if_result(bool), wait=PAUSES)(self._press, owed)
        return [None] * len(records)

    async def _press(self, owed: "_Owed") -> int:
        answers = await self._ask(owed.records)
        owed.records = [r for r, a in zip(owed.records, answers, strict=True) if a is not None]
        owed.failures += any(isinstance(answer, StageFailed) for answer in answers)
        if owed.failures >= FAILURES_BEFORE_GIVING_UP:
            log.error("%s: gave up on %d records", self.name, len(owed.records))
            owed.records = []
        return len(owed.records)

    async def _once(self, records: list[Any]) -> Sequence[Answer]:
        """Deliver at most once. After a loss, wait until the worker answers again before the next batch is risked."""
        if self._lost:
            await self._until_reached([])
            self._lost = False
        try:
            return _checked(records, await self._call(records))
        except StreamingError as error:
            self._lost = isinstance(error, WorkerLost)
            return [error] * len(records)

    async def _until_reached(self, records: list[Any]) -> Sequence[Answer]:
        async for attempt in AsyncRetrying(
            retry=retry_if_exception_type(WorkerLost),
            wait=PAUSES,
            before_sleep=lambda state: self._say_lost(state.attempt_number),
        ):
            with attempt:
                return await self._call(records)
        raise WorkerLost(self.name)

    def _say_lost(self, attempt_number: int) -> None:
        if attempt_number == 1:
            log.warning("%s: worker lost, trying again", self.name)


def _nothing_is(_record: Any) -> bool:
    """No record goes before another."""
    return False


def _checked(records: list[Any], answers: Sequence[Answer]) -> Sequence[Answer]:
    if len(answers) != len(records):
        raise StageFailed(f"{len(answers)} answers to {len(records)} records")
    return answers


def settle(future: asyncio.Future[None], answer: Answer) -> None:
    """Tell whoever waits, if anybody still does."""
    if future.done():
        return
    if answer is None:
        future.set_result(None)
    else:
        future.set_exception(answer)


@dataclass(slots=True)
class _Lane:
    """What waits, and who hands it over while there is anything."""

    waiting: deque[_Put] = field(default_factory=deque)
    pump: asyncio.Task[None] | None = None


@dataclass(slots=True)
class _Owed:
    records: list[Any]
    failures: int = 0
