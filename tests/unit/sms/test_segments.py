"""How many SMS a text takes: the borders of both alphabets, and a second count of the same rules."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messaging.simulator.shared.segments import segments as counted_again
from messaging.sms.segments import segments


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", 1),
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("a" * 306, 2),
        ("a" * 307, 3),
        ("€" * 80, 1),
        ("€" * 81, 2),
        ("a" * 152 + "€" + "a" * 152, 3),  # the euro does not fit behind 152 and is not cut
        ("^{}\\[~]|\f", 1),
        ("ñÑäöüßΔ¿¡", 1),
        ("ç" * 70, 1),  # only the capital is in the alphabet
        ("ç" * 71, 2),
        ("⚓" * 70, 1),
        ("⚓" * 71, 2),
        ("⚓" * 134, 2),
        ("⚓" * 135, 3),
        ("🐟" * 35, 1),
        ("🐟" * 36, 2),
        ("🐟" * 67, 3),  # 33 pairs in each part, not 33 and a half
        ("\u2019" + "a" * 69, 1),
        ("\u2019" + "a" * 70, 2),
    ],
)
def test_the_borders_of_a_text(text: str, count: int) -> None:
    assert segments(text) == count


@given(st.text(alphabet=st.one_of(st.characters(), st.sampled_from("a€^⚓🐟")), max_size=700))
def test_two_counts_of_the_same_rules_agree(text: str) -> None:
    assert segments(text) == counted_again(text)
