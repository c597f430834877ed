"""Parses moments: ages such as `90m`, `12h`, `3d`, dates, `today` and `yesterday`."""

import re
from datetime import UTC, datetime, timedelta

import typer

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_AGE = r"([0-9]{1,6})([smhd])"


def moment_before(age: str | None) -> datetime | None:
    """Return the moment that long ago, None for no age. Raises typer.BadParameter."""
    if age is None:
        return None
    match = re.fullmatch(_AGE, age.strip().lower())
    if match is None:
        raise typer.BadParameter(f"{age!r} is no age; write 90m, 12h or 3d")
    return datetime.now(UTC) - timedelta(**{_UNITS[match[2]]: int(match[1])})


def moment_of(text: str | None) -> datetime | None:
    """Return the moment that a text names, None for no text. Raises typer.BadParameter.

    A text is a date or a time in ISO 8601, which is UTC without an offset, `today`, `yesterday`, or an age.
    """
    if text is None:
        return None
    word = text.strip().lower()
    midnight = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    if word in ("today", "yesterday"):
        return midnight - timedelta(days=word == "yesterday")
    if re.fullmatch(_AGE, word):
        return moment_before(word)
    try:
        found = datetime.fromisoformat(word.upper())
    except ValueError:
        raise typer.BadParameter(
            f"{text!r} is no time; write 2026-11-30, 2026-11-30T14:00, today, yesterday, 12h or 3d"
        ) from None
    return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
