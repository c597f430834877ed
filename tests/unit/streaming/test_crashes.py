"""The commit algorithm against every crash that hypothesis can think of, compared with a run in one loop."""

from collections import Counter, defaultdict
from itertools import accumulate
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from messaging.streaming import DataStream, StreamingContext
from tests.support.examples import examples
from tests.support.streaming.simulated import Simulation

WORDS = ["a", "b", "c", "", "a b", "b c d", "d d", "a c"]

Moves = st.lists(
    st.tuples(
        st.sampled_from(
            ["read", "deliver", "deliver", "deliver", "lost", "crash", "before", "after", "tidy"]
        ),
        st.integers(0, 10**6),
    ),
    max_size=120,
)


class Seen:
    """What the sinks were called with. Sinks are outside, so a crash does not take it back."""

    def __init__(self) -> None:
        self.counts: dict[str, list[int]] = defaultdict(list)
        self.totals: dict[int, list[int]] = defaultdict(list)
        self.once: dict[Any, int] = {}

    def count(self, record: tuple[str, int]) -> None:
        self.counts[record[0]].append(record[1])

    def total(self, record: tuple[int, int]) -> None:
        self.totals[record[0]].append(record[1])

    def write(self, key: Any, record: Any) -> None:
        """As an outside world that knows the key would."""
        self.once.setdefault(key, record[1])


def declared(texts: list[str], seen: Seen) -> StreamingContext:
    """Two sources, a union, keyed state, an unchained stage without state, a fork, keyed state again, three sinks.

    The second sum adds up the running counts by the length of the word, so every count must arrive exactly once.
    """
    context = StreamingContext()
    left: DataStream[str] = context.from_values(*texts).set_parallelism(2).flat_map(str.split)
    right: DataStream[str] = context.from_values(*reversed(texts)).flat_map(str.split)
    counts = (
        left.union(right)
        .map(lambda word: (word, 1))
        .key_by(0)
        .reduce(lambda old, new: (old[0], old[1] + new[1]), name="count")
        .set_parallelism(2)
    )
    counts.round_robin().sink(seen.count, name="counts").set_parallelism(2)
    spread = counts.round_robin().map(lambda pair: (len(pair[0]), 1)).set_parallelism(3)
    totals = spread.key_by(0).sum(1, name="total").set_parallelism(2)
    totals.sink(seen.total)
    totals.sink_once(seen.write, key=lambda pair: pair, name="once")
    return context


@settings(max_examples=examples(150), suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.sampled_from(WORDS), min_size=1, max_size=12), Moves)
def test_state_is_exactly_once_and_sinks_at_least_once_after_any_crashes(
    texts: list[str], moves: list[tuple[str, int]]
) -> None:
    seen = Seen()
    simulation = Simulation(declared(texts, seen).graph())
    for move, number in moves:
        play(simulation, move, number)
    simulation.settle()

    words = Counter(word for text in texts for word in text.split())
    expected = {word: 2 * count for word, count in words.items()}
    assert {word: pair[1] for word, pair in simulation.state("count").items()} == expected
    lengths: Counter[int] = Counter()
    for word, count in expected.items():
        lengths[len(word)] += count
    assert simulation.state("total") == dict(lengths)
    assert seen.once == {(n, i): i for n, total in lengths.items() for i in range(1, total + 1)}
    for word, count in expected.items():
        assert set(seen.counts[word]) == set(range(1, count + 1))
    for length, total in lengths.items():
        # Again and again, perhaps, but in order: nothing is seen before what comes before it.
        firsts = list(dict.fromkeys(seen.totals[length]))
        assert firsts == list(range(1, total + 1))
    if not any(move in ("crash", "before", "after") for move, _ in moves):
        assert all(list(accumulate([1] * n)) == seen.totals[k] for k, n in lengths.items())


def play(simulation: Simulation, move: str, number: int) -> None:
    """One step, which may be a failure."""
    names, channels, sources = simulation.names, simulation.channels(), simulation.sources()
    match move:
        case "read":
            simulation.read(sources[number % len(sources)])
        case "deliver" | "lost":
            simulation.deliver(*channels[number % len(channels)], fate=move)
        case "crash":
            simulation.crash(names[number % len(names)])
        case "tidy":
            simulation.tidy(names[number % len(names)])
        case _:
            simulation.stores[names[number % len(names)]].failing = move
