"""Parses ages: `90m`, `12h`, `3d`."""

import re
from datetime import UTC, datetime, timedelta

import typer

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def moment_before(age: str | None) -> datetime | None:
    """Return the moment that long ago, None for no age. Raises typer.BadParameter."""
    if age is None:
        return None
    match = re.fullmatch(r"([0-9]{1,6})([smhd])", age.strip().lower())
    if match is None:
        raise typer.BadParameter(f"{age!r} is no age; write 90m, 12h or 3d")
    return datetime.now(UTC) - timedelta(**{_UNITS[match[2]]: int(match[1])})
