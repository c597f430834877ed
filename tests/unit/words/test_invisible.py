"""Superfluous white space is removed, from texts that have little of it as from others."""

from hypothesis import given
from hypothesis import strategies as st

from messaging.words.invisible import clean, one_line, remove_invisible

TEXTS = st.text(st.sampled_from("ab\n\n  \t\r\x0b\x1c\x85\xa0\u2003\u3000\u200bé"), max_size=30)


@given(TEXTS)
def test_clean_text_has_no_blank_at_a_line_end_and_no_long_gap(text: str) -> None:
    result = clean(text)
    lines = result.split("\n")
    assert [line.rstrip() for line in lines] == lines
    assert "\n\n\n\n" not in result
    assert result.strip("\n") == result
    assert "".join(result.split()) == "".join(text.replace("\u200b", "").split())


@given(TEXTS)
def test_visible_text_has_single_blanks_within_its_lines_alone(text: str) -> None:
    lines = remove_invisible(clean(text)).split("\n")
    assert [line.strip(" ") for line in lines] == lines
    assert not any("  " in line or "\t" in line for line in lines)


@given(TEXTS)
def test_one_line_has_single_blanks(text: str) -> None:
    assert one_line(text, 100) == " ".join(text.split()).replace("\u200b", "")
