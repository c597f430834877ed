"""The thermostats of the book: stateful processing that a second stream controls while it runs."""

import asyncio
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from messaging.streaming import InlineJob, StreamingContext
from tests.support.examples import examples

Event = tuple[str, str, float]
"""Room, kind, degrees."""

Reading = tuple[str, str, float]
"""Stream, room, degrees."""

Limits = tuple[float, bool | None]

ROOMS = ("hall", "attic", "cellar")
STREAMS = ("sensors north", "sensors south", "settings")
START: Limits = (20.0, None)

readings = st.tuples(
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


def in_sequence(given: list[Reading]) -> list[tuple[str, str]]:
    """What one process without failures would command."""
    state: dict[str, Limits] = {}
    commands = []
    for stream, room, degrees in given:
        state[room], outputs = thermostat(state.get(room), (room, stream, degrees))
        commands += outputs
    return commands


async def commands(given: list[Reading | None]) -> list[Any]:
    """What a job of two instances commands: a record may come by any stream, its state is that of its key.

    None is a crash of both.
    """
    seen: list[Any] = []
    context = StreamingContext()
    streams = [context.inlet(name) for name in STREAMS]
    keyed = streams[0].union(*streams[1:]).key_by(0)
    keyed.stateful(thermostat, name="thermostat").set_parallelism(2).sink(seen.append)
    async with InlineJob(context.graph()) as job:
        inlets = {name: job.inlet(name) for name in STREAMS}
        for reading in given:
            if reading is None:
                for index in (0, 1):
                    job.lose("thermostat", index)
                    job.restart("thermostat", index)
            else:
                stream, room, degrees = reading
                await inlets[stream].emit((room, stream, degrees))
    return seen


@given(given=st.lists(st.none() | readings, max_size=30))
@settings(max_examples=examples(40))
def test_whatever_stream_a_record_comes_by_and_whoever_crashes_each_room_is_kept_as_it_was_set(
    given: list[Reading | None],
) -> None:
    expected = in_sequence([reading for reading in given if reading])
    assert asyncio.run(commands(given)) == expected


def test_a_second_stream_changes_what_a_running_job_does() -> None:
    given = [
        ("sensors north", "hall", 18.0),
        ("sensors south", "hall", 18.0),
        ("settings", "hall", 14.0),
        None,
        ("sensors north", "hall", 18.0),
        ("sensors north", "attic", 18.0),
    ]
    assert asyncio.run(commands(given)) == [("hall", "ON"), ("hall", "OFF"), ("attic", "ON")]
