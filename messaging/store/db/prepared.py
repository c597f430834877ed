"""Composes a query once for each number of values: Django takes longer to write a SELECT than SQLite to run it."""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import Expression

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper
    from django.db.models import QuerySet
    from django.db.models.sql.compiler import SQLCompiler

Row = tuple[Any, ...]

MAX_SHAPES = 64
"""How many statements of one query are kept."""

MAX_PADDED = 1024
"""So many values are filled up to a power of two, so that there are few shapes; more are asked for as they are."""


class Prepared:
    """A query of rows (`values_list`, not flat) for sets of values, which `compose` writes with places for them.

    `compose` is called with as many sequences as there are sets and must use each whole, after `__in`: a set is
    filled up by repeating one of its values. It must depend on nothing else but the kind of the store, and a foreign
    key is asked for by `owner__id__in`, since Django wants the numbers themselves after `owner_id__in`. The values are
    texts and numbers, and are bound as they are: no field changes them. What comes back is as the ORM gives it.
    """

    def __init__(self, compose: "Callable[..., QuerySet[Any, Row]]") -> None:
        self._compose = compose
        self._statement = lru_cache(MAX_SHAPES)(self._composed)

    def __call__(self, *sets: Collection[Any]) -> list[Row]:
        """Ask the store: one query, or none where the sets are empty. TypeError when a place got lost in it."""
        padded = [_padded(list(values)) for values in sets]
        statement = self._statement(connection.vendor, tuple(map(len, padded)))
        if statement is None:
            return []
        return statement.run([value for values in padded for value in values])

    def _composed(self, _vendor: str, sizes: tuple[int, ...]) -> "_Statement | None":
        """What is kept depends on the store's kind and the sizes alone. None: there cannot be a row."""
        places = iter([_Place(number) for number in range(sum(sizes))])
        rows = self._compose(*([next(places) for _ in range(size)] for size in sizes))
        compiler = rows.query.get_compiler(connection=connection)
        try:
            sql, parameters = compiler.as_sql()
        except EmptyResultSet:
            return None
        return _Statement(sql, *_bound(parameters, sum(sizes)), tuple(_converted(compiler)))


class _Place(Expression):
    """Stands in a query where a value will; known again by its number, whatever else is bound there."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number

    def as_sql(
        self, compiler: "SQLCompiler", connection: "BaseDatabaseWrapper"
    ) -> tuple[str, tuple[Any, ...]]:
        return "%s", (self,)


@dataclass(frozen=True, slots=True)
class _Statement:
    """A statement; which of the values and constants, counted through, each parameter is; what has to be converted."""

    sql: str
    order: tuple[int, ...]
    constants: Row
    converted: tuple[tuple[int, Any], ...]

    def run(self, values: Sequence[Any]) -> list[Row]:
        known = (*values, *self.constants)
        with connection.cursor() as cursor:
            cursor.execute(self.sql, [known[number] for number in self.order])
            rows = cursor.fetchall()
        return [self._as_django_gives(row) for row in rows] if self.converted else rows

    def _as_django_gives(self, row: Row) -> Row:
        # SQLite has neither booleans nor times.
        given = list(row)
        for index, column in self.converted:
            for convert in _converters(column):
                given[index] = convert(given[index], column, connection)
        return tuple(given)


def _bound(parameters: Sequence[Any], values: int) -> tuple[tuple[int, ...], Row]:
    constants = [one for one in parameters if not isinstance(one, _Place)]
    numbers = iter(range(values, values + len(constants)))
    order = [one.number if isinstance(one, _Place) else next(numbers) for one in parameters]
    if lost := values - len({number for number in order if number < values}):
        raise TypeError(f"{lost} of {values} values have no place of their own in the statement")
    return tuple(order), tuple(constants)


def _converted(compiler: "SQLCompiler") -> Iterator[tuple[int, Any]]:
    columns = (column for column, *_ in compiler.select)
    return ((index, one) for index, one in enumerate(columns) if _converters(one))


def _converters(column: Any) -> list[Callable[..., Any]]:
    # Asked for each time: they belong to the connection of this thread.
    return [*connection.ops.get_db_converters(column), *column.get_db_converters(connection)]


def _padded(values: list[Any]) -> list[Any]:
    if not values or len(values) > MAX_PADDED:
        return values
    size = 1 << (len(values) - 1).bit_length()
    return values + values[:1] * (size - len(values))
