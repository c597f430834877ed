"""Output of the commands: tables and lines for people, JSON for programs, errors on standard error."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, is_dataclass
from datetime import datetime
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

Json = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]

out = Console(soft_wrap=True, highlight=False)
err = Console(stderr=True, soft_wrap=True, highlight=False)


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


def print_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a table for people."""
    table = Table(title=title or None, title_justify="left", box=None, pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(escape(_format_cell(cell)) for cell in row))
    out.print(table)


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
