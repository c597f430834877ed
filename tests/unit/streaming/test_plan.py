"""Which verbs share an actor, which instances are wired to which, and how both are shown."""

from typing import Any

import pytest

from messaging.streaming import DataStream, StreamingContext
from messaging.streaming.api.graph import Graph

ALL_4_TO_2 = [(a, b) for a in range(4) for b in range(2)]


def wiring(how: Any, senders: int, receivers: int) -> list[tuple[int, int]]:
    context = StreamingContext()
    stream: DataStream[Any] = context.from_values(1).set_parallelism(senders)
    how(stream).map(str).disable_chain().set_parallelism(receivers)
    graph = context.graph()
    return graph.channels(graph.edges[0])


@pytest.mark.parametrize(
    ("how", "channels"),
    [
        (lambda s: s.forward(), [(0, 0), (1, 1), (2, 0), (3, 1)]),
        (lambda s: s.rescale(), [(0, 0), (1, 0), (2, 1), (3, 1)]),
        (lambda s: s.shuffle(), ALL_4_TO_2),
        (lambda s: s.key_by(str), ALL_4_TO_2),
        (lambda s: s.broadcast(), ALL_4_TO_2),
        (lambda s: s.round_robin(), ALL_4_TO_2),
        (lambda s: s.partition_by(lambda r, n: 0), ALL_4_TO_2),
        (lambda s: s, ALL_4_TO_2),
        (lambda s: s.broadcast().forward(), [(0, 0), (1, 1), (2, 0), (3, 1)]),
    ],
    ids=[
        "forward",
        "rescale",
        "shuffle",
        "key",
        "broadcast",
        "round-robin",
        "custom",
        "default",
        "last-one-wins",
    ],
)
def test_four_instances_are_wired_to_two(how: Any, channels: list[tuple[int, int]]) -> None:
    assert wiring(how, 4, 2) == channels


def test_two_instances_are_wired_to_four() -> None:
    assert wiring(lambda s: s.rescale(), 2, 4) == [(0, 0), (0, 1), (1, 2), (1, 3)]
    assert wiring(lambda s: s.forward(), 2, 4) == [(0, 0), (1, 1)]
    assert wiring(lambda s: s.rescale(), 2, 3) == [(0, 0), (1, 1), (1, 2)]


def stages(graph: Graph) -> dict[str, int]:
    return {stage.name: stage.parallelism for stage in graph.stages}


def test_four_verbs_without_state_are_one_actor() -> None:
    context = StreamingContext()
    context.from_values(1).map(str).filter(bool).sink(print)
    assert stages(context.graph()) == {"values-0": 1}


def test_what_breaks_a_chain() -> None:
    context = StreamingContext()
    source = context.from_values(1)
    source.map(str, label="same").sink(print, name="same")
    source.map(str).set_parallelism(2).sink(print)
    source.shuffle().map(str)
    source.map(str).disable_chain().map(str)
    found = stages(context.graph())
    assert found == {"values-0": 1, "map-3": 2, "map-5": 1, "map-6": 1, "map-7": 1}


def test_parallelism_is_inherited_or_set_for_all_but_sources() -> None:
    context = StreamingContext()
    context.from_values(1).set_parallelism(3).key_by(str).reduce(max).sink(print)
    context.set_parallelism(2)
    context.from_values(1).key_by(str).reduce(max)
    assert stages(context.graph()) == {"values-0": 3, "reduce-1": 3, "values-3": 1, "reduce-4": 2}
