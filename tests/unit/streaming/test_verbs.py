"""Every verb, run inline: what comes out of what goes in."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from messaging.streaming import DeclarationError, InlineJob, Instance, StreamingContext

pytestmark = pytest.mark.anyio


async def run(context: StreamingContext) -> list[dict[str, Any]]:
    async with InlineJob(context.graph()) as job:
        await job.wait()
        return job.status()


@dataclass(frozen=True)
class Reading:
    place: str
    degrees: int


async def test_the_word_count_of_the_readme(tmp_path: Path) -> None:
    path = tmp_path / "text"
    path.write_text("ray of light\nray of hope of ray")
    seen: list[tuple[str, int]] = []
    ctx = StreamingContext.Builder().build()
    ctx.read_text_file(path).set_parallelism(1).flat_map(lambda x: x.split()).map(
        lambda x: (x, 1)
    ).key_by(lambda x: x[0]).reduce(lambda old, new: (old[0], old[1] + new[1])).filter(
        lambda x: "ray" not in x
    ).sink(seen.append)
    await run(ctx)
    assert seen == [("of", 1), ("light", 1), ("of", 2), ("hope", 1), ("of", 3)]


async def test_falsy_records_do_not_end_anything() -> None:
    seen: list[object] = []
    context = StreamingContext()
    context.from_values(0, "", None, [], False, 1).map(lambda x: x).sink(seen.append)
    await run(context)
    assert seen == [0, "", None, [], False, 1]


async def test_a_flat_map_may_return_an_iterable_or_use_a_collector() -> None:
    seen: list[str] = []

    def letters(word: str, collector: Any) -> None:
        for letter in word:
            collector.collect(letter)

    context = StreamingContext()
    context.from_values("ab c", "d").flat_map(str.split).flat_map(letters).sink(seen.append)
    await run(context)
    assert seen == ["a", "b", "c", "d"]


@pytest.mark.parametrize(
    ("records", "key"),
    [
        ([("a", 1), ("b", 2), ("a", 3)], 0),
        ([("a", 1), ("b", 2), ("a", 3)], lambda pair: pair[0]),
    ],
)
async def test_keys_by_index_or_function(records: list[Any], key: Any) -> None:
    seen: list[tuple[str, int]] = []
    context = StreamingContext()
    context.from_collection(records).key_by(key).sum(1).sink(seen.append)
    await run(context)
    assert seen == [("a", 1), ("b", 2), ("a", 4)]


async def test_keys_and_sums_by_attribute() -> None:
    seen: list[tuple[str, int]] = []
    context = StreamingContext()
    readings = context.from_values(Reading("sea", 4), Reading("hill", 1), Reading("sea", 5))
    readings.key_by("place").sum("degrees").sink(seen.append)
    await run(context)
    assert seen == [("sea", 4), ("hill", 1), ("sea", 9)]


async def test_a_key_without_a_text_of_its_own_is_set_aside() -> None:
    context = StreamingContext()
    context.from_values(object()).key_by(lambda x: x).sum(lambda x: 1, name="sum")
    assert (await run(context))[0]["set_aside"] == 1


async def test_a_fork_gives_each_branch_every_record_and_runs_what_they_share_once() -> None:
    looked: list[int] = []
    tens: list[int] = []
    ones: list[int] = []
    context = StreamingContext()
    numbers = context.from_values(1, 2).inspect(looked.append)
    numbers.map(lambda n: n * 10).sink(tens.append)
    numbers.map(lambda n: n + 1).sink(ones.append)
    await run(context)
    assert (looked, tens, ones) == ([1, 2], [10, 20], [2, 3])


async def test_a_union_brings_the_records_of_all_its_streams() -> None:
    seen: list[int] = []
    context = StreamingContext()
    first, second = context.from_values(1, 2), context.from_values(3)
    first.union(second, context.from_values(4)).map(lambda n: -n).sink(seen.append)
    await run(context)
    assert sorted(seen) == [-4, -3, -2, -1]


async def test_stateful_keeps_what_a_function_returns_and_forgets_none() -> None:
    seen: list[Any] = []

    def pairs(waiting: str | None, record: str) -> tuple[str | None, list[str]]:
        return (record, []) if waiting is None else (None, [waiting + record])

    context = StreamingContext()
    context.from_values(*"abcde").key_by(lambda _: "all").stateful(pairs, name="pairs").sink(
        seen.append
    )
    async with InlineJob(context.graph()) as job:
        await job.wait()
    assert seen == ["ab", "cd"]


class Scaled:
    """A function object: it is told where it runs, and closed."""

    def __init__(self, log: list[str]) -> None:
        self.log = log
        self.factor = 0

    def open(self, context: Instance) -> None:
        self.factor = int(context.config["factor"]) * int(context.job_config["unit"])
        self.log.append(f"open {context.index} of {context.parallelism} in {context.stage}")

    def __call__(self, number: int) -> int:
        return number * self.factor

    def close(self) -> None:
        self.log.append("close")


@pytest.mark.parametrize("chained", [True, False])
async def test_function_objects_are_opened_with_their_settings_and_closed(chained: bool) -> None:
    log: list[str] = []
    seen: list[int] = []
    context = StreamingContext.Builder().option("unit", 10).option(conf={"empty": ""}).build()
    scaled = (
        context.from_values(1, 2)
        .with_config("factor", "the source's")
        .map(Scaled(log))
        .with_config("factor", "2")
        .with_config(conf={"other": ""})
    )
    if not chained:
        scaled.disable_chain()
    scaled.sink(seen.append)
    await run(context)
    assert seen == [20, 40]
    assert scaled.get_config() == {"factor": "2", "other": ""}
    assert context.options["empty"] == ""
    assert log[0].startswith("open 0 of 1 in ")
    assert log[1:] == ["close"]


async def test_poison_is_tried_again_and_set_aside_with_stage_and_error() -> None:
    seen: list[int] = []
    tries: list[int] = []

    def fussy(number: int) -> int:
        tries.append(number)
        if number == 13:
            raise ValueError("unlucky")
        return number

    context = StreamingContext()
    numbers = context.from_values(12, 13, 14).map(fussy)
    numbers.key_by(lambda _: 0).reduce(max).sink(seen.append)
    async with InlineJob(context.graph()) as job:
        await job.wait()
        (aside,) = await job.dead_letters()
    assert seen == [12, 14]
    assert tries == [12, 13, 13, 13, 14]
    assert (aside.stage, aside.error, aside.record) == ("map-1", "ValueError: unlucky", 13)


async def test_a_failing_branch_of_a_fork_does_not_repeat_the_other_one() -> None:
    seen: list[int] = []

    def broken(number: int) -> None:
        raise OSError("disk full")

    context = StreamingContext()
    numbers = context.from_values(1)
    numbers.sink(seen.append)
    numbers.sink(broken)
    (row,) = await run(context)
    assert seen == [1]
    assert row["set_aside"] == 1


async def test_options_without_a_value_are_refused() -> None:
    with pytest.raises(DeclarationError, match="'a' has no value"):
        StreamingContext.Builder().option("a", None)


@pytest.mark.parametrize(
    ("mistake", "words"),
    [
        (lambda s: s.union(), "with nothing"),
        (lambda s: s.reduce(max), "reduce at .* needs key_by"),
        (lambda s: s.sum(), "sum at .* needs key_by"),
        (lambda s: s.set_parallelism(0), "parallelism 0"),
        (lambda s: s.with_config("a", 1), "settings are text"),
        (lambda s: s.map("pkg.Mapper"), "map at .*: a str is no function"),
        (lambda s: s.filter(None), "filter at .*: a NoneType is no function"),
        (lambda s: s.flat_map(1), "flat_map at .*: a int is no function"),
        (lambda s: s.sink([]), "sink at .*: a list is no function"),
        (lambda s: s.partition_by(2), "partition_by at .*: a int is no function"),
        (lambda s: s.sink_once(0, key=0), "sink_once at .*: a int is no function"),
        (lambda s: s.key_by(0).reduce(0), "reduce at .*: a int is no function"),
        (lambda s: s.key_by(0).stateful(0), "stateful at .*: a int is no function"),
        (lambda s: s.key_by(0).window(1).reduce(0), "window at .*: a int is no function"),
        (lambda s: s.join(s).where(0).equal_to(0).with_(0), "join at .*: a int is no function"),
    ],
)
def test_a_mistake_is_told_with_the_stream_and_its_line(
    mistake: Callable[[Any], Any], words: str
) -> None:
    stream = StreamingContext().from_values(1).map(lambda n: n)
    with pytest.raises(DeclarationError, match=words) as told:
        mistake(stream)
    assert "stream 'map-1' (declared at " in str(told.value)
    assert "test_verbs.py:" in str(told.value)


def test_an_empty_collection_is_a_mistake() -> None:
    with pytest.raises(DeclarationError, match=r"empty collection .*test_verbs.py:"):
        StreamingContext().from_collection([])
