"""The thermostats of the book: stateful processing that a second stream controls while it runs."""

import asyncio
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from messaging.streaming import InlineJob, StreamingContext

Event = tuple[str, str, float]
Limits = tuple[float, bool | None]

ROOMS = ("hall", "attic", "cellar")
STREAMS = ("sensors north", "sensors south", "settings")
START: Limits = (20.0, None)

events = st.tuples(
    st.sampled_from(STREAMS), st.sampled_from(ROOMS), st.sampled_from([14.0, 18.0, 21.0, 25.0])
)


def thermostat(state: Limits | None, event: Event) -> tuple[Limits, list[tuple[str, str]]]:
    """Turns a heater on below the limit and off above it; the limit is set by events, too."""
    room, kind, degrees = event
    limit, heating = state or START
    if kind == "settings":
        return (degrees, heating), []
    wanted = degrees < limit
    outputs = [] if wanted == heating else [(room, "ON" if wanted else "OFF")]
    return (limit, wanted), outputs


def in_sequence(given: list[tuple[str, str, float]]) -> list[tuple[str, str]]:
    """What one process without failures would command."""
    state: dict[str, Limits] = {}
    commands = []
    for stream, room, degrees in given:
        state[room], outputs = thermostat(state.get(room), (room, stream, degrees))
        commands += outputs
    return commands


async def commands(given: list[tuple[str, str, float]], crashes: set[int]) -> list[Any]:
    """What a job of two instances commands: a record may come by any stream, its state is that of its key."""
    seen: list[Any] = []
    context = StreamingContext()
    streams = [context.inlet(name) for name in STREAMS]
    keyed = streams[0].union(*streams[1:]).key_by(0)
    keyed.stateful(thermostat, name="thermostat").set_parallelism(2).sink(seen.append)
    async with InlineJob(context.graph()) as job:
        inlets = {name: job.inlet(name) for name in STREAMS}
        for number, (stream, room, degrees) in enumerate(given):
            if number in crashes:
                for index in (0, 1):
                    job.lose("thermostat", index)
                    job.restart("thermostat", index)
            await inlets[stream].emit((room, stream, degrees))
    return seen


@given(given=st.lists(events, max_size=30), crashes=st.sets(st.integers(0, 30), max_size=3))
@settings(max_examples=40, deadline=None)
def test_whatever_stream_a_record_comes_by_and_whoever_crashes_each_room_is_kept_as_it_was_set(
    given: list[tuple[str, str, float]], crashes: set[int]
) -> None:
    assert asyncio.run(commands(given, crashes)) == in_sequence(given)


def test_a_second_stream_changes_what_a_running_job_does() -> None:
    given = [
        ("sensors north", "hall", 18.0),
        ("sensors south", "hall", 18.0),
        ("settings", "hall", 14.0),
        ("sensors north", "hall", 18.0),
        ("sensors north", "attic", 18.0),
    ]
    assert asyncio.run(commands(given, {3})) == [("hall", "ON"), ("hall", "OFF"), ("attic", "ON")]
