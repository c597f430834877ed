"""Tables break no word: addresses, ids and states can be copied from a terminal of any width."""

import pytest
from rich.console import Console

from messaging.cli.output import print_table

COLUMNS = ("id", "from", "to", "state", "reason")
ROW = (
    "4c2f00aa91d3",
    "alice.with.a.long.name@example.net",
    "300234010753370",
    "undeliverable",
    "the packet is not in the devices' message format",
)


def printed(
    width: int | None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> str:
    """Return a table for a terminal of that width, or for a program."""
    monkeypatch.delenv("COLUMNS", raising=False)
    if width is not None:
        monkeypatch.setenv("COLUMNS", str(width))
    print_table("", COLUMNS, [ROW, ROW], Console(soft_wrap=True, highlight=False, width=width))
    return capsys.readouterr().out


@pytest.mark.parametrize("width", [40, 60, 80, 100, 200])
def test_no_width_breaks_a_word(
    width: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    text = printed(width, monkeypatch, capsys)
    for word in " ".join(ROW).split():
        assert text.count(word) >= 2, (word, text)


def test_a_narrow_terminal_gets_a_block_for_each_row(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    block = "".join(f"{name:6}  {text}\n" for name, text in zip(COLUMNS, ROW, strict=True))
    assert printed(80, monkeypatch, capsys) == f"{block}\n{block}\n"


def test_a_wide_terminal_gets_lines_that_fit(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = printed(100, monkeypatch, capsys).splitlines()
    assert lines[0].split() == list(COLUMNS)
    assert max(map(len, lines)) <= 100


def test_a_program_gets_one_line_for_each_row(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = printed(None, monkeypatch, capsys).splitlines()
    assert [line.split() for line in lines[1:]] == [" ".join(ROW).split()] * 2
