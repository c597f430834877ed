"""Windows of time and joins in them: by event time against a plain computation, through crashes; and by the clock."""

import asyncio
from collections import defaultdict
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from messaging.streaming import DeclarationError, InlineJob, StreamingContext
from messaging.streaming.windows.window_steps import Window
from tests.support.eventually import eventually
from tests.support.streaming.simulated import Simulation
from tests.unit.streaming.test_crashes import Moves, play

Event = tuple[str, float, int]

EVENTS = st.lists(
    st.tuples(st.sampled_from("ab"), st.integers(0, 40).map(float), st.integers(0, 9)), max_size=20
)


def at(event: Event) -> float:
    return event[1]


def plainly(events: list[Event], size: float, slide: float) -> dict[tuple[str, float], int]:
    sums: dict[tuple[str, float], int] = defaultdict(int)
    for key, moment, value in events:
        start = moment // slide * slide
        while start + size > moment:
            sums[key, start] += value
            start -= slide
    return dict(sums)


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(EVENTS, st.sampled_from([(10.0, 10.0), (10.0, 5.0), (6.0, 2.0), (4.0, 8.0)]), Moves)
def test_event_time_windows_sum_every_record_once_whatever_crashes(
    events: list[Event], frame: tuple[float, float], moves: list[tuple[str, int]]
) -> None:
    size, slide = frame
    seen: dict[Any, Any] = {}

    def keep(key: Any, window: Window) -> None:
        assert seen.setdefault(key, window.value) == window.value, "a window came twice"

    context = StreamingContext()
    stream = context.from_values(*events).set_parallelism(2) if events else context.from_values()
    windows = stream.key_by(0).window(size, slide, time=at, lateness_seconds=50).sum(2)
    windows.set_parallelism(2).sink_once(keep, key=lambda w: (w.key, w.start))
    simulation = Simulation(context.graph())
    for move, number in moves:
        play(simulation, move, number)
    simulation.settle()
    assert seen == plainly(events, size, slide)


def test_windows_are_given_as_soon_as_event_time_passes_and_late_records_are_set_aside() -> None:
    seen: list[Window] = []
    context = StreamingContext()
    events = context.from_values(
        ("a", 1.0), ("a", 9.0), ("a", 12.0), ("a", 3.0), ("a", 15.0), ("a", 2.0)
    )
    events.key_by(0).window(10, time=at, lateness_seconds=5).count(name="counts").sink(seen.append)
    simulation = Simulation(context.graph(), batch=1)
    for expected in ([], [], [], [], [Window("a", 0, 10, 3)]):
        simulation.read("values-0/0")
        simulation.deliver("values-0/0", "counts/0")
        assert seen == expected
    simulation.settle()
    assert seen == [Window("a", 0, 10, 3), Window("a", 10, 20, 2)]
    (late,) = simulation.task("counts/0").dead_letters()
    assert late.record == ("a", 2.0)
    assert late.error.startswith("Late: 8 s after")


def test_a_sender_that_is_behind_holds_the_windows_of_all_back() -> None:
    seen: list[Window] = []
    context = StreamingContext()
    fast = context.from_values(("a", 1.0), ("a", 100.0))
    slow = context.from_values(("a", 2.0), ("a", 50.0))
    fast.union(slow).key_by(0).window(10, time=at).count(name="counts").sink(seen.append)
    simulation = Simulation(context.graph(), batch=1)
    for _ in range(2):
        simulation.read("values-0/0")
        simulation.deliver("values-0/0", "counts/0")
    simulation.read("values-1/0")
    simulation.deliver("values-1/0", "counts/0")
    assert seen == []
    simulation.settle()
    assert seen[0] == Window("a", 0, 10, 2)


def test_two_streams_join_by_key_within_a_window() -> None:
    seen: list[Window] = []
    context = StreamingContext()
    orders = context.from_values(("a", 1.0, "tea"), ("a", 2.0, "rum"), ("b", 3.0, "oil"))
    payments = context.from_values(("a", 4.0, "paid"), ("b", 13.0, "paid"))
    joined = orders.key_by(0).window_join(payments.key_by(0), 10, time=at, lateness_seconds=9)
    joined.sink(seen.append)
    simulation = Simulation(context.graph())
    simulation.settle()
    assert seen == [
        Window("a", 0, 10, (("a", 1.0, "tea"), ("a", 4.0, "paid"))),
        Window("a", 0, 10, (("a", 2.0, "rum"), ("a", 4.0, "paid"))),
    ]


@pytest.mark.anyio
async def test_windows_by_the_clock_end_by_themselves() -> None:
    seen: list[Window] = []
    context = StreamingContext()
    words = context.inlet("in").key_by(lambda word: word)
    words.window(0.3).collect().sink(seen.append)
    async with InlineJob(context.graph()) as job:
        await asyncio.gather(*(job.inlet("in").emit(word) for word in ("a", "b", "a")))
        await eventually(lambda: sum(len(window.value) for window in seen) == 3)
    assert {window.key for window in seen} == {"a", "b"}
    assert all(window.end - window.start == pytest.approx(0.3) for window in seen)


async def _event_time_from_an_inlet() -> list[Window]:
    seen: list[Window] = []
    context = StreamingContext()
    context.inlet("in").key_by(0).window(10, time=at).count().sink(seen.append)
    async with InlineJob(context.graph()) as job:
        for moment in (1.0, 2.0, 11.0):
            await job.inlet("in").emit(("a", moment))
        return seen


def test_event_time_goes_on_for_records_without_numbers() -> None:
    assert asyncio.run(_event_time_from_an_inlet()) == [Window("a", 0, 10, 2)]


def test_windows_that_make_no_sense_are_refused() -> None:
    stream = StreamingContext().from_values(1)
    with pytest.raises(DeclarationError, match="needs key_by"):
        stream.window(10)
    with pytest.raises(DeclarationError, match="windows of 0 s"):
        stream.key_by(str).window(0)
    with pytest.raises(DeclarationError, match=r"window_join at .* needs key_by"):
        stream.key_by(str).window_join(stream, 10)
