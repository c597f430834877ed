"""Sources with a position: every record once among all instances, and again from where one stood."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from messaging.streaming import Instance, StreamingContext
from messaging.streaming.connectors.sources import TextFile, Values
from tests.support.streaming.simulated import Simulation


def all_of(source: Any, instance: Instance, count: int) -> list[Any]:
    source.open(instance)
    position, found = None, []
    while (result := source.read(position, count)) is not None:
        records, position = result
        found += records
    return found


@given(
    st.lists(st.text(st.characters(exclude_characters="\r\n", codec="utf-8")), max_size=12),
    st.booleans(),
    st.integers(1, 5),
    st.integers(1, 4),
)
def test_the_lines_of_a_file_are_read_once_however_it_is_divided(
    tmp_path_factory: Any, lines: list[str], newline_at_end: bool, instances: int, count: int
) -> None:
    path: Path = tmp_path_factory.mktemp("lines") / "text"
    text = "\n".join(lines) + ("\n" if newline_at_end and lines else "")
    path.write_bytes(text.encode())
    parts = [all_of(TextFile(str(path)), Instance(i, instances), count) for i in range(instances)]
    expected = text.removesuffix("\n").split("\n") if text else []
    assert [line for part in parts for line in part] == expected


@given(st.lists(st.integers()), st.integers(1, 4), st.integers(1, 3))
def test_values_are_divided_and_not_copied(values: list[int], instances: int, count: int) -> None:
    parts = [all_of(Values(values), Instance(i, instances), count) for i in range(instances)]
    assert sorted(v for part in parts for v in part) == sorted(values)


class Countdown:
    """A user's own source: ends, says at times that there is nothing, and resumes."""

    def read(self, position: int | None, count: int) -> tuple[Sequence[int], int] | None:
        left = 5 if position is None else position
        if left == 0:
            return None
        return ([left] if left % 2 else [], left - 1)


def test_a_source_of_the_users_own_resumes_where_it_was_committed() -> None:
    seen: list[int] = []
    context = StreamingContext()
    context.read_from(Countdown, name="countdown").sink(seen.append)
    simulation = Simulation(context.graph())
    for _ in range(3):
        simulation.read("countdown/0")
        simulation.crash("countdown/0")
    simulation.settle()
    assert seen == [5, 3, 1]
