"""What a stream tells about itself, and the verbs that have an older name, too."""

import pytest

from messaging.streaming import InlineJob, Instance, StreamingContext
from messaging.streaming.windows.window_steps import Window


def test_a_stream_tells_what_it_was_made_from() -> None:
    context = StreamingContext()
    source = context.from_values(("a", 1))
    keyed = source.key_by(0)
    sums = keyed.sum(1)
    assert sums.get_input_stream() == keyed != source
    assert source.get_input_stream() is None
    assert sums.get_streaming_context() is context
    assert (source.get_id(), sums.get_id(), sums.get_language()) == (0, 1, "python")


def test_the_input_of_a_stream_can_be_used_again_with_its_key() -> None:
    context = StreamingContext()
    again = context.from_values(("a", 1)).key_by(0).sum(1).get_input_stream()
    assert again is not None
    again.reduce(max, name="highest")
    assert [edge.partition.label for edge in context.graph().edges] == ["by key", "by key"]


def test_a_union_was_made_from_its_first_stream() -> None:
    context = StreamingContext()
    first, second = context.from_values(1), context.from_values(2)
    assert first.union(second).get_input_stream() == first


@pytest.mark.anyio
async def test_partition_and_time_window_are_older_names() -> None:
    seen: list[Window] = []
    context = StreamingContext()
    numbers = context.from_values(0, 1, 2, 3).partition(lambda number, n: number % n)
    spread = numbers.map(lambda n: n).set_parallelism(2)
    spread.key_by(lambda _: "all").time_window(20_000).count().sink(seen.append)
    async with InlineJob(context.graph()) as job:
        await job.wait()
        rows = {row["name"]: row["in"] for row in job.status()}
    assert (rows["map-1/0"], rows["map-1/1"]) == (2, 2)
    assert sum(window.value for window in seen) == 4
    assert {window.end - window.start for window in seen} == {20.0}


class Told:
    """A function object as Ray Streaming's users wrote them."""

    def __init__(self, told: list[object]) -> None:
        self._told = told

    def open(self, runtime_context: Instance) -> None:
        self._told += [
            runtime_context.get_task_id(),
            runtime_context.get_task_index(),
            runtime_context.get_parallelism(),
            dict(runtime_context.get_config()),
            dict(runtime_context.get_job_config()),
        ]

    def __call__(self, record: object) -> object:
        return record


@pytest.mark.anyio
async def test_a_function_object_asks_its_runtime_context() -> None:
    told: list[object] = []
    context = StreamingContext.Builder().option("unit", 1).build()
    context.from_values(1).map(Told(told)).with_config("a", "b").sink(told.append)
    async with InlineJob(context.graph()) as job:
        await job.wait()
    assert told == ["values-0/0", 0, 1, {"a": "b"}, {"unit": "1"}, 1]
