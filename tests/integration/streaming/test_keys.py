"""Keys: the same in every process, and equal when Python says that they are equal."""

import subprocess
import sys
from dataclasses import dataclass
from enum import Enum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messaging.streaming.api.partition import (
    KEY_GROUPS,
    group_of,
    owner_of,
    owner_of_group,
    token_of,
)

Simple = st.one_of(
    st.none(), st.booleans(), st.integers(-3, 3), st.floats(-3, 3), st.text(max_size=2)
)
KEYS = st.one_of(Simple, st.tuples(Simple, Simple))


@given(KEYS, KEYS)
def test_keys_have_one_token_exactly_when_they_are_equal(one: object, other: object) -> None:
    assert (token_of(one) == token_of(other)) == (one == other)


class Colour(Enum):
    RED = 1


@dataclass(frozen=True)
class Place:
    name: str


def test_a_key_is_the_same_in_another_process() -> None:
    program = "from messaging.streaming.api.partition import *; print(token_of(('ä', 7, None, b'x', 2.5)).hex())"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert bytes.fromhex(done.stdout) == token_of(("ä", 7, None, b"x", 2.5))


def test_enumerations_and_frozen_dataclasses_are_keys_and_bare_objects_are_not() -> None:
    assert token_of(Colour.RED) != token_of(Place("sea")) != token_of(Place("hill"))
    with pytest.raises(TypeError, match="cannot be a key"):
        token_of(object())
    with pytest.raises(TypeError):
        token_of([1])  # type: ignore[arg-type]


@pytest.mark.parametrize("parallelism", [1, 2, 3, 7, 128])
def test_the_groups_are_divided_evenly(parallelism: int) -> None:
    owners = [owner_of_group(group, parallelism) for group in range(KEY_GROUPS)]
    assert owners == sorted(owners)
    counts = [owners.count(index) for index in range(parallelism)]
    assert max(counts) - min(counts) <= 1
    group = group_of(token_of("a"))
    assert group < KEY_GROUPS
    assert owner_of(token_of("a"), parallelism) == owners[group]
