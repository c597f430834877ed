"""Parts of hand-written SQL, for the statements that carry every message: Django's own cost more than the disk.

`bulk_create` and `bulk_update` spend most of a batch's time on model instances and expressions; these take plain
tuples. Columns come from the models; values only ever travel as parameters.
"""

import json
from collections.abc import Collection, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, Final

from django.db import connection, models
from django.db.backends.utils import CursorWrapper

Row = tuple[Any, ...]

MAX_LISTS = 64
"""How many lists of columns are kept; there are fewer."""

ONE_OF: Final = {
    "sqlite": "{} IN (SELECT value FROM json_each(%s))",
    "postgresql": "{} = ANY(%s)",
}
"""The condition that a column has one of the values of a list, by the kind of the store. One parameter for any number
of values, so that the statement is constant."""


def list_parameter(values: Collection[Any]) -> Any:
    """Return the list as the parameter of `ONE_OF`."""
    return list(values) if connection.vendor == "postgresql" else json.dumps(list(values))


def storable_time(moment: datetime | None) -> Any:
    """Return the moment as this database takes it for a parameter."""
    return connection.ops.adapt_datetimefield_value(moment)


def insert(
    model: type[models.Model],
    fields: Sequence[str],
    rows: Sequence[Row],
    returning: Sequence[str] = (),
) -> list[Row]:
    """Insert all rows with one statement and return the columns asked for, in no particular order."""
    if not rows:
        return []
    head = f"INSERT INTO {_table(model)} ({', '.join(_columns(model, fields))}) VALUES "  # noqa: S608
    tail = f" RETURNING {', '.join(_columns(model, returning))}" if returning else ""
    one = f"({', '.join(['%s'] * len(fields))})"
    with connection.cursor() as cursor:
        execute_values(cursor, head, one, rows, tail)
        return cursor.fetchall() if returning else []


def execute_values(
    cursor: CursorWrapper, head: str, one: str, rows: Sequence[Row], tail: str
) -> None:
    """Run `head`, then `one` for each row, separated by commas, then `tail`: one statement."""
    if connection.vendor == "postgresql":
        # psycopg parses the placeholders of a long statement every time, of a short one once: bind row by row.
        bound = ", ".join(cursor.mogrify(one, row) for row in rows)
        cursor.execute(head + bound + tail)
    else:
        parameters = [value for row in rows for value in row]
        cursor.execute(head + ", ".join([one] * len(rows)) + tail, parameters)


def update(
    model: type[models.Model], fields: Sequence[str], keys: Sequence[str], rows: Sequence[Row]
) -> None:
    """Set `fields` of every row that still has the `keys`; each tuple holds the fields, then the keys."""
    if not rows:
        return
    changes = ", ".join(f"{column} = %s" for column in _columns(model, fields))
    matches = " AND ".join(f"{column} = %s" for column in _columns(model, keys))
    with connection.cursor() as cursor:
        cursor.executemany(f"UPDATE {_table(model)} SET {changes} WHERE {matches}", rows)  # noqa: S608


def _table(model: type[models.Model]) -> str:
    return connection.ops.quote_name(model._meta.db_table)


def _columns(model: type[models.Model], names: Sequence[str]) -> tuple[str, ...]:
    return _quoted(model, tuple(names))


@lru_cache(MAX_LISTS)
def _quoted(model: type[models.Model], names: tuple[str, ...]) -> tuple[str, ...]:
    # Both stores quote names alike.
    fields = {field.name: field.column for field in model._meta.concrete_fields}
    return tuple(connection.ops.quote_name(str(fields[name])) for name in names)
