"""Joins by key that are not cut by time: every pair once, through crashes, and what bounds what is remembered."""

from collections import Counter
from operator import itemgetter

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from messaging.streaming import DataStream, DeclarationError, InlineJob, Instance, StreamingContext
from messaging.streaming.stateful.state.values import KeyedState
from messaging.streaming.windows.join import JoinStep
from tests.support.examples import examples
from tests.support.streaming.simulated import Simulation
from tests.unit.streaming.test_crashes import Moves, play

KEYS = st.lists(st.sampled_from("abc"), min_size=1, max_size=8)
Numbered = tuple[str, int]


def joining(lefts: list[str], rights: list[str], keep: int | None) -> StreamingContext:
    """Each record has a number of its own; a second stage counts how often each pair has come."""
    context = StreamingContext()
    left: DataStream[Numbered] = context.from_values(*numbered(lefts)).set_parallelism(2)
    right: DataStream[Numbered] = context.from_values(*numbered(rights))
    pairs = left.join(right, keep=keep).where(0).equal_to(0).with_(paired, name="join")
    pairs.set_parallelism(2).key_by(lambda pair: pair).sum(lambda _: 1, name="seen")
    return context


def numbered(keys: list[str]) -> list[Numbered]:
    return [(key, number) for number, key in enumerate(keys)]


def paired(left: Numbered, right: Numbered) -> tuple[Numbered, Numbered]:
    return left, right


def played(context: StreamingContext, moves: list[tuple[str, int]]) -> Simulation:
    simulation = Simulation(context.graph())
    for move, number in moves:
        play(simulation, move, number)
    simulation.settle()
    return simulation


@settings(max_examples=examples(100), suppress_health_check=[HealthCheck.too_slow])
@given(KEYS, KEYS, Moves)
def test_every_pair_with_one_key_meets_once_whatever_crashes(
    lefts: list[str], rights: list[str], moves: list[tuple[str, int]]
) -> None:
    simulation = played(joining(lefts, rights, None), moves)
    pairs = [(a, b) for a in numbered(lefts) for b in numbered(rights) if a[0] == b[0]]
    assert simulation.state("seen") == Counter(pairs)


@settings(max_examples=examples(60), suppress_health_check=[HealthCheck.too_slow])
@given(KEYS, KEYS, Moves, st.integers(1, 3))
def test_what_is_remembered_has_a_bound_that_holds_over_crashes(
    lefts: list[str], rights: list[str], moves: list[tuple[str, int]], keep: int
) -> None:
    simulation = played(joining(lefts, rights, keep), moves)
    assert set(simulation.state("seen").values()) <= {1}
    for key, sides in simulation.state("join").items():
        for side, came in zip(sides, (lefts, rights), strict=True):
            assert len(side) == min(keep, came.count(key))


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 1)), max_size=30),
    st.none() | st.integers(1, 4),
)
def test_a_record_meets_the_newest_of_the_other_side(
    came: list[tuple[str, int]], keep: int | None
) -> None:
    step = JoinStep(itemgetter(0), paired, keep)
    step.open(Instance(), KeyedState())
    for number, (key, side) in enumerate(came):
        before = enumerate(came[:number])
        others = [(key, n) for n, one in before if one == (key, 1 - side)][-(keep or 99) :]
        new = key, number
        expected = [(new, other) if side == 0 else (other, new) for other in others]
        assert step.process((key, side, new)) == expected


@pytest.mark.anyio
async def test_a_pair_comes_with_its_second_half_and_a_side_may_be_keyed_already() -> None:
    seen: list[str] = []
    context = StreamingContext()
    prices, orders = context.inlet("prices"), context.inlet("orders")
    keyed = orders.key_by(lambda order: order[0])
    keyed.join(prices, keep=1).equal_to(0).with_(
        lambda order, price: f"{order[0]} x{order[1]} at {price[1]}"
    ).sink(seen.append)
    async with InlineJob(context.graph()) as job:
        await job.inlet("orders").emit(("cod", 2))
        assert seen == []
        for price in (3, 4):
            await job.inlet("prices").emit(("cod", price))
        await job.inlet("orders").emit(("cod", 5))
        await job.inlet("orders").emit(("eel", 1))
    assert seen == ["cod x2 at 3", "cod x2 at 4", "cod x5 at 4"]


@pytest.mark.anyio
async def test_a_record_that_the_function_raises_on_is_set_aside_and_not_remembered() -> None:
    context = StreamingContext()
    lefts, rights = context.inlet("lefts"), context.inlet("rights")
    lefts.join(rights).where(lambda _: 0).equal_to(lambda _: 0).with_(
        lambda left, right: left / right, name="divide"
    )
    async with InlineJob(context.graph()) as job:
        await job.inlet("lefts").emit(8)
        for right in (0, 2):
            await job.inlet("rights").emit(right)
        (aside,) = await job.dead_letters()
        assert (await job.state("divide")) == {0: ((8,), (2,))}
    assert (aside.stage, aside.record) == ("divide", (0, 1, 0))


def test_mistakes_are_told_with_the_stream_and_its_line() -> None:
    context = StreamingContext()
    left, right = context.from_values(1), context.from_values(2)
    join = left.join(right).where(str)
    with pytest.raises(
        DeclarationError, match=r"join at .*test_joins.py:.* needs key_by: stream 'values-1' \(decl"
    ):
        join.with_(max)
    with pytest.raises(DeclarationError, match=r"test_joins.py:\d+ keeps 0 records: stream 'val"):
        left.join(right, keep=0).where(str).equal_to(str).with_(max)
    foreign = left.join(StreamingContext().from_values(1)).where(str).equal_to(str)
    with pytest.raises(DeclarationError, match=r"are of two contexts, at .*test_joins.py:"):
        foreign.with_(max)
