"""The verbs and the hand-over of records, run in one process."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from typing import Any

import pytest

from messaging.streaming import Handover, InlineJob, NotTaken, StageFailed, StreamingContext
from tests.support.eventually import eventually
from tests.support.streaming.doubling_operators import Doubler, Refused, Sender

pytestmark = pytest.mark.anyio


async def test_word_count_of_values_runs_to_its_end() -> None:
    seen: list[str] = []
    context = StreamingContext.Builder().build()
    lines = context.from_values("ray of light", "ray of hope").set_parallelism(2)
    lines.flat_map(str.split).map(str.upper).filter(lambda w: w != "OF").sink(seen.append)
    async with InlineJob(context.graph()) as job:
        await job.wait()
    assert sorted(seen) == ["HOPE", "LIGHT", "RAY", "RAY"]


async def test_records_of_one_key_meet_one_instance_in_order() -> None:
    seen: list[list[int]] = []

    class Collector:
        def __init__(self) -> None:
            self.mine: list[int] = []
            seen.append(self.mine)

        async def process(self, records: list[int]) -> list[list[int]]:
            await asyncio.sleep(0)
            self.mine += records
            return [[] for _ in records]

    context = StreamingContext()
    numbers = context.inlet("in")
    numbers.key_by(lambda n: n % 7).operate("collect", Collector, parallelism=3)
    async with InlineJob(context.graph()) as job:
        inlet = job.inlet("in")
        await asyncio.gather(*(inlet.emit(n) for n in range(700)))
    assert sorted(n for mine in seen for n in mine) == list(range(700))
    assert sum(bool(mine) for mine in seen) > 1
    for key in range(7):
        homes = [mine for mine in seen if any(n % 7 == key for n in mine)]
        assert len(homes) == 1
        ours = [n for n in homes[0] if n % 7 == key]
        assert ours == sorted(ours)


async def test_a_refusal_reaches_the_emitter_of_that_record_only() -> None:
    context = StreamingContext()
    context.inlet("in").operate("double", Doubler, durable=True)
    async with InlineJob(context.graph()) as job:
        inlet = job.inlet("in")
        answers = await asyncio.gather(*(inlet.emit(n) for n in (1, -2, 3)), return_exceptions=True)
    assert answers[0] is None
    assert isinstance(answers[1], Refused)
    assert answers[2] is None


async def test_a_bug_is_answered_without_its_text() -> None:
    context = StreamingContext()
    context.inlet("in").operate("double", Doubler, durable=True)
    async with InlineJob(context.graph()) as job:
        with pytest.raises(StageFailed) as failure:
            await job.inlet("in").emit(13)
    assert "secret" not in str(failure.value)


async def test_what_arrives_while_a_batch_is_in_flight_is_one_batch_and_one_thread_works() -> None:
    context = StreamingContext()
    context.inlet("in").operate("double", Doubler, durable=True)
    async with InlineJob(context.graph()) as job:
        inlet = job.inlet("in")
        await asyncio.gather(*(inlet.emit(n) for n in range(200, 300)))
        operator = job.operator("double")
    assert len(operator.batches) <= 3
    assert len(operator.threads) == 1


async def test_a_lost_worker_is_waited_for_and_the_record_is_taken() -> None:
    context = StreamingContext()
    context.inlet("in").operate("double", Doubler, durable=True)
    async with InlineJob(context.graph(), patience_seconds=5) as job:
        job.lose("double")
        emitted = asyncio.create_task(job.inlet("in").emit(4))
        await asyncio.sleep(0.1)
        assert not emitted.done()
        job.restart("double")
        await emitted
        assert job.operator("double").batches == [[4]]


async def test_patience_ends_with_not_taken() -> None:
    context = StreamingContext()
    context.inlet("in").operate("double", Doubler, durable=True)
    async with InlineJob(context.graph(), patience_seconds=0.05) as job:
        job.lose("double")
        with pytest.raises(NotTaken, match="the double did not take it in time"):
            await job.inlet("in").emit(4)


async def test_once_is_never_repeated_and_its_refusals_stop_there() -> None:
    context = StreamingContext()
    doubled = context.inlet("in").operate("double", Doubler, durable=True)
    doubled.operate("send", Sender, handover=Handover.AT_MOST_ONCE)
    async with InlineJob(context.graph()) as job:
        inlet = job.inlet("in")
        await inlet.emit(333)
        await inlet.emit(5)
        await job.drain()
        assert job.operator("send").tries == [666, 10]


async def test_insist_repeats_until_taken() -> None:
    class Ledger:
        def __init__(self) -> None:
            self.away = 3
            self.settled: list[str] = []

        def process(self, records: list[str]) -> list[list[str] | Exception]:
            if self.away:
                self.away -= 1
                return [Refused("away") for _ in records]
            self.settled += records
            return [[] for _ in records]

    context = StreamingContext()
    sent = context.inlet("in").operate("send", Sender, handover=Handover.AT_MOST_ONCE)
    sent.operate("ledger", Ledger, durable=True, handover=Handover.AT_LEAST_ONCE)
    async with InlineJob(context.graph()) as job:
        await job.inlet("in").emit(1)
        assert job.operator("ledger").settled == ["sent 1"]
        assert job.operator("send").tries == [1]


async def test_a_function_stage_is_called_with_batches_and_its_results_go_on() -> None:
    seen: list[int] = []

    def triple(records: list[int]) -> list[list[int]]:
        return [[n * 3] for n in records]

    context = StreamingContext()
    context.inlet("in").call("triple", triple).sink(seen.append)
    async with InlineJob(context.graph()) as job:
        inlet = job.inlet("in")
        await asyncio.gather(*(inlet.emit(n) for n in range(10)))
    assert sorted(seen) == [n * 3 for n in range(10)]


async def test_a_durable_stage_takes_back_what_has_no_room() -> None:
    blocked = asyncio.Event()

    class Stuck:
        async def process(self, records: list[int]) -> list[list[int]]:
            await blocked.wait()
            return [[] for _ in records]

    context = StreamingContext()
    doubled = context.inlet("in").operate("double", Doubler, durable=True)
    doubled.operate("stuck", Stuck, handover=Handover.AT_MOST_ONCE)
    async with InlineJob(context.graph()) as job:
        inlet = job.inlet("in")
        await asyncio.gather(*(inlet.emit(n) for n in range(100, 2600)))
        assert len(job.operator("double").taken_back) == 500
        blocked.set()
        await job.drain()


async def test_a_synchronous_source_emits_from_its_own_thread() -> None:
    seen: list[int] = []

    class Counting:
        def run(self, emit: Callable[[int], Any]) -> None:
            for number in range(5):
                emit(number).result(30)

    context = StreamingContext()
    context.source("count", Counting).sink(seen.append)
    async with InlineJob(context.graph()) as job:
        await job.wait()
    assert seen == [0, 1, 2, 3, 4]


async def test_what_a_thread_emits_waits_for_a_slow_receiver_until_the_thread_takes_it_back() -> (
    None
):
    seen: list[int] = []
    going = asyncio.Event()
    blocked: list[Future[None]] = []

    class Slow:
        async def process(self, records: list[int]) -> list[list[int]]:
            await going.wait()
            seen.extend(records)
            return [[] for _ in records]

    class Patient:
        def run(self, emit: Callable[[int], "Future[None]"]) -> None:
            blocked.append(emit(0))
            time.sleep(0.05)  # by then a batch of one is in hand
            blocked.extend(emit(number) for number in (1, 2, 3))

    context = StreamingContext()
    context.source("patient", Patient).operate("slow", Slow, handover=Handover.AT_MOST_ONCE)
    async with InlineJob(context.graph(), patience_seconds=0.05) as job:
        await asyncio.sleep(0.2)
        assert not any(future.done() for future in blocked)
        blocked[2].cancel()
        await asyncio.sleep(0.01)
        going.set()
        await job.wait()
    assert seen == [0, 1, 3]


async def test_draining_ends_a_source_that_would_run_for_ever() -> None:
    seen: list[int] = []

    class Endless:
        def __init__(self) -> None:
            self.stopping = False

        async def run(self, emit: Callable[[int], Awaitable[None]]) -> None:
            number = 0
            while not self.stopping:
                await emit(number)
                number += 1
                await asyncio.sleep(0.001)

        async def drain(self) -> None:
            self.stopping = True

    context = StreamingContext()
    context.source("endless", Endless).sink(seen.append)
    async with InlineJob(context.graph()) as job:
        await eventually(lambda: seen)
        await job.drain()
        length = len(seen)
        await asyncio.sleep(0.02)
        assert length == len(seen)
        assert all(row["idle"] and row["draining"] for row in job.status())
