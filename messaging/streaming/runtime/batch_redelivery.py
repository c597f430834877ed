"""Delivers batches to an instance, and again to its successor when the instance dies in mid-batch.

A channel carries records from one emitting instance to one receiving instance: one batch is in flight, the next one
collects. That gives order, back-pressure and group commit at once, without any order from the transport below. Records
that are `first` have batches of their own beside the others: neither kind waits for the other.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from tenacity import (
    AsyncRetrying,
    RetryCallState,
    retry_if_exception_type,
    retry_if_result,
    wait_exponential,
)

from messaging.streaming.api.errors import StageFailed, StreamingError, WorkerLost, whereabouts
from messaging.streaming.api.stage import Handover

log = logging.getLogger(__name__)

Answer = Exception | None
"""The answer to one record: None when it was taken, or the exception that refuses it."""

Call = Callable[[list[Any]], Awaitable[Sequence[Answer]]]
"""Hands a batch to an instance and returns an answer for each record. Raises StreamingError for the whole batch."""

PAUSES = wait_exponential(multiplier=0.05, max=1.0)
FAILURES_BEFORE_GIVING_UP = 10


@dataclass(slots=True)
class _Lane:
    """The records that wait, with their futures, and the task that sends while there are any."""

    waiting: deque[tuple[Any, asyncio.Future[None]]] = field(default_factory=deque)
    task: asyncio.Task[None] | None = None


class Channel:
    """Carries records to one instance. Belongs to one event loop.

    `free` is the number of records that may be offered now.
    """

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
        self.free = capacity
        self._call = call
        self._deliver = {
            Handover.REQUEST: self._request,
            Handover.AT_LEAST_ONCE: self._deliver_at_least_once,
            Handover.AT_MOST_ONCE: self._deliver_at_most_once,
        }[handover]
        self._max_batch = max_batch
        self._room = asyncio.Semaphore(capacity)
        self._is_first = first
        self._lane, self._first_lane = _Lane(), _Lane()
        self._lost = False

    @property
    def idle(self) -> bool:
        """Whether every record has its answer."""
        return self._lane.task is None and self._first_lane.task is None

    async def put(self, record: Any) -> None:
        """Wait for room and for the answer. Raises the exception that refuses the record, or StreamingError.

        A caller that stops waiting takes the record back if it has not been handed over yet.
        """
        await self._room.acquire()
        try:
            await self._append(record)
        finally:
            self._room.release()

    def offer(self, record: Any) -> None:
        """Hand the record over without waiting, while there are `free` places. A refusal is logged, not raised."""
        self.free -= 1
        self._append(record).add_done_callback(self._end_offer)

    def _end_offer(self, future: asyncio.Future[None]) -> None:
        self.free += 1
        if error := future.exception():
            log.warning("%s: a record was not taken: %s", self.name, type(error).__name__)

    def _append(self, record: Any) -> asyncio.Future[None]:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        is_first = self._is_first is not None and self._is_first(record)
        lane = self._first_lane if is_first else self._lane
        lane.waiting.append((record, future))
        if lane.task is None:
            lane.task = asyncio.create_task(self._run(lane), name=f"channel {self.name}")
        return future

    async def _run(self, lane: _Lane) -> None:
        try:
            while lane.waiting:
                batch: list[tuple[Any, asyncio.Future[None]]] = []
                while lane.waiting and len(batch) < self._max_batch:
                    record, future = lane.waiting.popleft()
                    if not future.cancelled():
                        batch.append((record, future))
                if not batch:
                    break
                try:
                    answers = await self._deliver([record for record, _ in batch])
                    if len(answers) != len(batch):
                        raise ValueError(f"{len(answers)} answers to {len(batch)} records")
                except Exception as error:
                    # Without an answer the emitter would wait for ever.
                    log.error("%s: %d records: %s", self.name, len(batch), whereabouts(error))
                    answers = [StageFailed(type(error).__name__)] * len(batch)
                for (_, future), answer in zip(batch, answers, strict=True):
                    if future.done():
                        continue  # its emitter has given up
                    if answer is None:
                        future.set_result(None)
                    else:
                        future.set_exception(answer)
        finally:
            lane.task = None

    # -- the three handovers

    async def _request(self, records: list[Any]) -> Sequence[Answer]:
        """Send again after each loss of the worker; refusals go back to the emitters."""

        def log_loss(state: RetryCallState) -> None:
            if state.attempt_number == 1:
                log.warning("%s: worker lost, trying again", self.name)

        try:
            async for attempt in AsyncRetrying(
                retry=retry_if_exception_type(WorkerLost), wait=PAUSES, before_sleep=log_loss
            ):
                with attempt:
                    return await self._call(records)
        except StreamingError as error:
            return [error] * len(records)
        return []

    async def _deliver_at_least_once(self, records: list[Any]) -> Sequence[Answer]:
        """Send until everything is taken. Gives up on a batch on which the stage fails again and again."""
        left, failures = records, 0
        async for attempt in AsyncRetrying(retry=retry_if_result(bool), wait=PAUSES):
            answers = await self._request(left)
            left = [r for r, answer in zip(left, answers, strict=True) if answer is not None]
            failures += any(isinstance(answer, StageFailed) for answer in answers)
            if failures >= FAILURES_BEFORE_GIVING_UP:
                log.error("%s: gave up on %d records", self.name, len(left))
                break
            if not left:
                break
            attempt.retry_state.set_result(True)
        return [None] * len(records)

    async def _deliver_at_most_once(self, records: list[Any]) -> Sequence[Answer]:
        """Send once. After a loss, wait until the worker answers again before the next batch is risked."""
        if self._lost:
            await self._request([])
            self._lost = False
        try:
            return await self._call(records)
        except StreamingError as error:
            self._lost = isinstance(error, WorkerLost)
            return [error] * len(records)
