import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messaging.errors import Rejected
from messaging.sending.split import MAX_REST_PARTS, count_left_out, split

FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467"
WAVE = "\U0001f44b\U0001f3fd"
FLAG = "\U0001f1e9\U0001f1ea"


def size(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass"))


def unmarked(parts: list[str]) -> list[str]:
    if len(parts) == 1:
        return parts
    for number, part in enumerate(parts, 1):
        assert part.startswith(f"{number}/{len(parts)} ")
    return [part.partition(" ")[2] for part in parts]


def test_a_text_that_fits_is_one_part_without_a_number() -> None:
    assert split("hello", size, 5, 4) == ["hello"]


def test_a_longer_text_is_numbered_and_cut_between_words() -> None:
    assert split("the quick brown fox jumps", size, 15, 4) == [
        "1/3 the quick ",
        "2/3 brown fox ",
        "3/3 jumps",
    ]


def test_a_word_longer_than_a_part_is_cut() -> None:
    assert split("x" * 20, size, 14, 4) == ["1/2 " + "x" * 10, "2/2 " + "x" * 10]


def test_what_is_beyond_the_last_part_is_counted() -> None:
    parts = split("word " * 500, size, 60, 2)
    assert len(parts) == 2
    left_out = re.fullmatch(r"2/2 ((?:word ?)+) \[([\d,]+) more kept\]", parts[1])
    assert left_out
    kept = len(unmarked(parts)[0]) + len(left_out[1])
    assert int(left_out[2].replace(",", "")) in (2500 - kept, 2500 - kept - 1)
    assert "," in left_out[2]


def test_with_one_part_allowed_the_rest_is_counted_without_a_number() -> None:
    assert split("a" * 100, size, 40, 1) == ["a" * 24 + " [76 more kept]"]


def test_a_notice_that_has_no_room_is_shortened() -> None:
    assert split("a" * 30, size, 12, 2) == ["1/2 aaaaaaaa", "2/2 aa [+20]"]


def test_no_room_for_a_character_is_a_refusal() -> None:
    with pytest.raises(Rejected):
        split("hello", size, 4, 9)
    with pytest.raises(Rejected):
        split("\U0001f44b" * 3, size, 7, 9)
    with pytest.raises(Rejected):
        split("", lambda text: 200 + size(text), 192, 4)


@pytest.mark.parametrize(
    "cluster",
    [
        *(FAMILY, WAVE, FLAG, "e\u0301", "\u1112\u1161\u11ab", "❤\ufe0f", "1\ufe0f\u20e3"),
        *("\u0915\u094d\u0937", "\u0e01\u0e33", "\uff76\uff9e"),
    ],
)
@pytest.mark.parametrize("room", range(20, 45))
def test_what_people_see_as_one_character_is_not_cut(cluster: str, room: int) -> None:
    for chunk in unmarked(split(cluster * 12, size, 4 + room, 99)):
        assert len(chunk) % len(cluster) == 0


def test_parts_are_as_few_as_can_be() -> None:
    assert len(split("a" * 40, size, 24, 9)) == 2


@given(st.text(), st.integers(16, 80), st.integers(1, 12))
def test_every_part_fits_and_parts_are_no_more_than_allowed(
    text: str, limit: int, max_parts: int
) -> None:
    parts = split(text, size, limit, max_parts)
    assert len(parts) <= max_parts
    assert all(size(part) <= limit for part in parts)
    assert parts == split(text, size, limit, max_parts)


@given(st.text(max_size=100), st.integers(20, 80))
def test_parts_join_to_the_text_when_nothing_is_left_out(text: str, limit: int) -> None:
    assert "".join(unmarked(split(text, size, limit, 99))) == text


@given(st.text(), st.integers(-5, 11), st.integers(1, 4))
def test_a_tiny_limit_gives_parts_that_fit_or_a_refusal(
    text: str, limit: int, max_parts: int
) -> None:
    try:
        parts = split(text, size, limit, max_parts)
    except Rejected:
        return
    assert all(size(part) <= limit for part in parts)


@given(st.lists(st.text("abcdefgh", min_size=1, max_size=8), max_size=80), st.integers(24, 60))
def test_words_of_less_than_half_a_part_are_whole(words: list[str], limit: int) -> None:
    parts = unmarked(split(" ".join(words), size, limit, 99))
    assert [word for part in parts for word in part.split()] == words


@given(st.text(max_size=400), st.integers(20, 60))
def test_counting_characters_works_as_well_as_bytes(text: str, limit: int) -> None:
    assert all(len(part) <= limit for part in split(text, len, limit, 9))


@pytest.mark.parametrize("max_parts", [1, 2, 3])
@pytest.mark.parametrize("word", ["word ", "\u00e9\u00e9", "a\n", FAMILY])
def test_first_parts_and_rest_are_the_whole_text(word: str, max_parts: int) -> None:
    text = (word * 100)[:240].strip()
    first = split(text, size, 60, max_parts)
    left = count_left_out(first[-1])
    assert left
    rest = split(text, size, 60, max_parts, left)
    for number, part in enumerate(rest, max_parts + 1):
        assert part.startswith(f"{number}/{max_parts + len(rest)} ")
        assert size(part) <= 60
    beginning = "".join(first if max_parts == 1 else unmarked(first)).rpartition(" [")[0]
    end = "".join(one.partition(" ")[2] for one in rest)
    assert "".join((beginning + end).split()) == "".join(text.split())


def test_a_rest_of_too_many_parts_says_what_is_left() -> None:
    rest = split("word " * 1000, size, 60, 4, 4900)
    assert len(rest) == MAX_REST_PARTS
    assert rest[0].startswith("5/24 ")
    assert count_left_out(rest[-1]) > 0


def test_a_text_without_a_mark_leaves_nothing_out() -> None:
    assert count_left_out("2/2 the end [3 more") == 0
    assert count_left_out("2/2 the end [1,234 more kept]") == 1234
    assert count_left_out("2/2 the end [+7]") == 7
