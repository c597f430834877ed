"""A job in this process: it is supervised, fed and asked from other threads, drained, and stopped."""

import asyncio
import subprocess
import sys
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing, contextmanager

import pytest

from messaging.streaming.api import Dataflow, Graph, Handover, StageFailed, StreamingError
from messaging.streaming.runtime.process_job import ProcessJob
from tests.support.eventually import wait_until

Emit = Callable[[int], Awaitable[None]]


@contextmanager
def running(graph: Graph) -> Iterator[ProcessJob]:
    job = ProcessJob(graph, patience_seconds=5)
    job.start()
    try:
        yield job
    finally:
        job.stop()


class Failing:
    """A source that fails at first, and emits once it is built anew."""

    def __init__(self, builds: list[int]) -> None:
        builds.append(len(builds))
        self._number = builds[-1]
        self._closed = asyncio.Event()

    async def run(self, emit: Emit) -> None:
        if self._number == 0:
            raise ValueError("a bug")
        await emit(1)
        await self._closed.wait()

    def drain(self) -> None:
        self._closed.set()


class Collector:
    """Keeps what it gets; refuses negative numbers, and has a bug with 13."""

    def __init__(self, taken: list[int]) -> None:
        self._taken = taken

    def process(self, records: list[int]) -> list[list[int] | Exception]:
        if 13 in records:
            raise ZeroDivisionError("secret")
        self._taken += records
        return [[] for _ in records]


def test_a_source_that_fails_is_built_anew_while_the_rest_goes_on() -> None:
    builds: list[int] = []
    taken: list[int] = []
    flow = Dataflow()
    failing = flow.source("fails", lambda: Failing(builds))
    failing.union(flow.inlet("in")).operate("collect", lambda: Collector(taken), durable=True)
    with running(flow.graph()) as job:
        asyncio.run(job.inlet("in", 5)(7))
        wait_until(lambda: sorted(taken) == [1, 7])
        rows = {row["name"]: row for row in job.status()}
        assert rows["fails/0"]["restarts"] == 1
        assert rows["collect/0"]["in"] == 2
        assert job.drain(5)


def test_errors_of_a_batch_operator_are_answered_without_their_text() -> None:
    taken: list[int] = []
    flow = Dataflow()
    flow.inlet("in").operate("collect", lambda: Collector(taken), durable=True)
    with running(flow.graph()) as job:
        with pytest.raises(StageFailed) as failure:
            asyncio.run(job.inlet("in", 5)(13))
        assert "secret" not in str(failure.value)
        asyncio.run(job.inlet("in", 5)(1))
    assert taken == [1]


def test_instances_of_all_stages_reach_each_other() -> None:
    taken: list[int] = []
    flow = Dataflow()
    pairs = flow.inlet("in").key_by(lambda n: n % 7).operate("double", Doubler, parallelism=3)
    pairs.key_by(lambda n: n % 5).operate(
        "collect",
        lambda: Collector(taken),
        parallelism=2,
        durable=True,
        handover=Handover.AT_LEAST_ONCE,
    )
    with running(flow.graph()) as job:

        async def feed() -> None:
            emit = job.inlet("in", 5)
            await asyncio.gather(*(emit(2 * n) for n in range(100)))

        asyncio.run(feed())
        wait_until(lambda: len(taken) == 100)
        assert len(job.status()) == 5
    assert sorted(taken) == [4 * n for n in range(100)]


class Doubler:
    async def process(self, records: list[int]) -> list[list[int]]:
        return [[2 * record] for record in records]


def test_an_operator_that_cannot_be_made_is_an_error_of_the_start() -> None:
    def fail() -> Collector:
        raise ValueError("no such account")

    flow = Dataflow()
    flow.inlet("in").operate("collect", fail, durable=True)
    with pytest.raises(StreamingError, match="no such account"):
        ProcessJob(flow.graph(), patience_seconds=5).start()


def test_instances_of_a_loop_that_hangs_are_lost_until_it_goes_on() -> None:
    goes_on = threading.Event()

    class Blocking:
        async def run(self, emit: Emit) -> None:
            await asyncio.sleep(0)
            goes_on.wait(30)

    flow = Dataflow()
    flow.source("blocks", Blocking).operate("collect", lambda: Collector([]), durable=True)
    job = ProcessJob(flow.graph(), patience_seconds=5, answer_seconds=0.2)
    with closing(_Stop(job)):
        job.start()
        wait_until(lambda: all(row.get("lost") for row in job.status()))
        goes_on.set()
        wait_until(lambda: not any(row.get("lost") for row in job.status()))


class _Stop:
    def __init__(self, job: ProcessJob) -> None:
        self.close = job.stop


def test_the_gateway_without_ray_imports_none_of_it() -> None:
    modules = "messaging.cli.operation.up", "messaging.service.inline.service"
    program = (
        "import sys; from importlib import import_module\n"
        "from messaging.store.db.connection import set_up_django\n"
        "set_up_django()\n"
        f"for name in {modules}: import_module(name)\n"
        "print('ray' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert done.stdout == b"False\n"
