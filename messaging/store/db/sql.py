"""Constant SQL for the statements that run for every message: the ORM takes longer to compose one than to run it.

Values only ever travel as parameters.
"""

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from django.db import DEFAULT_DB_ALIAS, connection, connections
from django.db.backends.utils import CursorWrapper

Row = tuple[Any, ...]

ONE_OF: Final = {
    "sqlite": "{} IN (SELECT value FROM json_each(%s))",
    "postgresql": "{} = ANY(%s)",
}
"""The condition that a column has one of the values of a list, by the kind of the store. One parameter for any number
of values, so that the statement is constant."""


_PARAMETERS: Final[Mapping[str, Callable[[Collection[Any]], Any]]] = {
    "sqlite": lambda values: json.dumps(list(values)) if values else "[]",
    "postgresql": list,
}


class Select:
    """A SELECT for lists of values. Each `{}` of the statement is the condition that a column has one of a list.

    With `locks` the rows are locked until the transaction ends, where the store can: SQLite has one writer at a time.
    SQLite returns booleans as 0 and 1.
    """

    def __init__(self, statement: str, *columns: str, locks: bool = False) -> None:
        self._statements = {
            vendor: statement.format(*map(one_of.format, columns))
            + (" FOR UPDATE" if locks and vendor == "postgresql" else "")
            for vendor, one_of in ONE_OF.items()
        }

    def __call__(self, *lists: Collection[Any]) -> list[Row]:
        """Return the rows for these lists, one for each column: one query, or none when all lists are empty."""
        if not any(lists):
            return []
        # Each attribute of `connection` is found by ten calls.
        store = connections[DEFAULT_DB_ALIAS]
        as_parameter = _PARAMETERS[store.vendor]
        # A list that is there several times is made a parameter once.
        parameters = {id(values): as_parameter(values) for values in lists}
        with store.cursor() as cursor:
            cursor.execute(
                self._statements[store.vendor], [parameters[id(values)] for values in lists]
            )
            return list(cursor.fetchall())


def list_parameter(values: Collection[Any]) -> Any:
    """Return the list as the parameter of `ONE_OF`."""
    return _PARAMETERS[connection.vendor](values)


def storable_time(moment: datetime | None) -> Any:
    """Return the moment as this database takes it for a parameter."""
    return connection.ops.adapt_datetimefield_value(moment)


def insert(table: str, columns: Sequence[str], rows: Sequence[Row]) -> None:
    """Insert all rows with one statement; none without rows."""
    if rows:
        places = f"({', '.join(['%s'] * len(columns))})"
        with connection.cursor() as cursor:
            head = f"INSERT INTO {table} ({', '.join(columns)}) VALUES "  # noqa: S608
            execute_values(cursor, head, places, rows)


def execute_values(
    cursor: CursorWrapper, head: str, places: str, rows: Sequence[Row], tail: str = ""
) -> None:
    """Run one statement: `head`, `places` with the values of each row, `tail`."""
    if cursor.db.vendor == "postgresql":
        # psycopg parses the placeholders of a long statement every time, of a short one once: bind row by row.
        bound = ", ".join(cursor.mogrify(places, row) for row in rows)
        cursor.execute(head + bound + tail)
    else:
        parameters = [value for row in rows for value in row]
        cursor.execute(head + ", ".join([places] * len(rows)) + tail, parameters)
