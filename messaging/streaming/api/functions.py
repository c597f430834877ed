"""User functions on an edge: `Transform` calls one for each record, and opens and closes function objects."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from messaging.streaming.api.operators import Closes, Opens, Results
from messaging.streaming.api.stage import Instance


@dataclass(frozen=True, slots=True, eq=False)
class Transform:
    """A verb without state: the user's function, the use that the verb makes of it, and the stream's settings."""

    name: str
    function: Any
    verb: Callable[[Any, Any], Iterable[Any]]
    config: Mapping[str, str] = field(default_factory=dict)

    def __call__(self, record: Any) -> Iterable[Any]:
        """Return the outputs of one record. Raises the errors of the function."""
        return self.verb(self.function, record)


class TransformOperator:
    """Runs one transform in an actor of its own, without state."""

    def __init__(self, transform: Transform) -> None:
        self._transform = transform

    def open(self, instance: Instance) -> None:
        """Open the function object."""
        open_function(self._transform.function, instance)

    async def process(self, records: list[Any]) -> Results:
        """Return the outputs of each record, or the exception that its function raised."""
        results: list[list[Any] | Exception] = []
        for record in records:
            try:
                results.append(list(self._transform(record)))
            except Exception as error:
                results.append(error)
        return results

    def close(self) -> None:
        """Close the function object."""
        close_function(self._transform.function)


def identity(record: Any) -> Any:
    """Return the record itself."""
    return record


def keep_matching(predicate: Callable[[Any], object], record: Any) -> Iterable[Any]:
    """Keep the record if the predicate is true for it."""
    return (record,) if predicate(record) else ()


def open_function(function: object, instance: Instance) -> None:
    """Call `open(context)` of a function object that has it."""
    if isinstance(function, Opens):
        function.open(instance)


def close_function(function: object) -> None:
    """Call `close()` of a function object that has it."""
    if isinstance(function, Closes):
        function.close()
