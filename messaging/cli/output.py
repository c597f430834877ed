"""Output of the commands: tables and lines for people, JSON for programs, errors on standard error."""

import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import asdict, is_dataclass
from datetime import datetime
from typing import Annotated, Any

import typer
from rich.cells import cell_len
from rich.console import Console
from rich.markup import escape
from rich.table import Table

Json = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]

out = Console(soft_wrap=True, highlight=False)
err = Console(stderr=True, soft_wrap=True, highlight=False)


UNBOUNDED = 100_000
"""The width of output that is no terminal, in columns."""


def print_text(text: str) -> None:
    """Print a line for people."""
    out.print(escape(text))


def print_error(text: str) -> None:
    """Print an error on standard error."""
    err.print(f"satbridge: {escape(text)}")


def print_json(value: Any) -> None:
    """Print a value for programs, with times in ISO 8601."""
    typer.echo(to_json(value))


def to_json(value: Any) -> str:
    """Return a value as JSON text, with times in ISO 8601."""
    return json.dumps(value, default=_to_json, indent=2, ensure_ascii=False)


def _to_json(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value)


def print_table(
    title: str,
    columns: Sequence[str],
    rows: Iterable[Sequence[object]],
    to: Console = out,
) -> None:
    """Print a table for people. No word is broken: addresses and ids can be copied.

    A terminal that is too narrow for the table gets one block for each row, with a line for each column. Programs
    that read the output get a line for each row, of any length.
    """
    cells = [[_format_cell(cell) for cell in row] for row in rows]
    is_bounded = to.file.isatty() or "COLUMNS" in os.environ
    console = to if is_bounded else Console(soft_wrap=True, highlight=False, width=UNBOUNDED)
    widths = _column_widths(list(zip(columns, *cells, strict=True)), console.width)
    if widths is None and cells:
        _print_blocks(title, columns, cells)
        return
    table = Table(title=title or None, title_justify="left", box=None, pad_edge=False)
    for column, width in zip(columns, widths or map(len, columns), strict=True):
        table.add_column(column, width=width)
    for row in cells:
        table.add_row(*map(escape, row))
    console.print(table)


def _column_widths(columns: Sequence[Sequence[str]], room: int) -> list[int] | None:
    """Return the widths of columns that break no word, with two spaces behind each; None where they have no room."""
    widths = [
        max((cell_len(word) for text in one for word in text.split()), default=0) for one in columns
    ]
    room -= sum(widths) + 2 * len(columns)
    if room < 0:
        return None
    natural = [max(cell_len(line) for text in one for line in text.split("\n")) for one in columns]
    # Columns that lack least grow first: what is left is for the long sentences.
    for index in sorted(range(len(columns)), key=lambda one: natural[one] - widths[one]):
        more = min(natural[index] - widths[index], room)
        widths[index] += more
        room -= more
    return widths


def _print_blocks(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print the columns of each row below each other, and an empty line behind each row."""
    if title:
        print_text(title)
    width = max(map(len, columns))
    for row in rows:
        for column, text in zip(columns, row, strict=True):
            print_text(f"{column:{width}}  {text}".rstrip())
        print_text("")


def _format_cell(cell: object) -> str:
    match cell:
        case None:
            return ""
        case bool():
            return "yes" if cell else "no"
        case datetime():
            return f"{cell:%Y-%m-%d %H:%M:%S}"
    return str(cell)


def format_duration(seconds: float | None) -> str:
    """Return a length of time for people: `3 min`."""
    if seconds is None:
        return ""
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"
