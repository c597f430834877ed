"""Java operators in a Python worker, which keeps the state: batches go to a JVM, and come back record by record."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from messaging.streaming.api.graph import Instance
from messaging.streaming.api.keys import Key
from messaging.streaming.java.java_host import JavaError, JavaHost, plain
from messaging.streaming.stateful.state.values import State

PACKAGE = "io.ray.streaming.python"


class JavaOperators:
    """A step: hands batches to a JVM of its own. A record's exception is that record's; a JVM that dies is replaced."""

    def __init__(self, operators: Sequence[tuple[str, str]]) -> None:
        lines = "\n".join(f"{verb} {name}".rstrip() for verb, name in operators)
        self._host = JavaHost(f"{PACKAGE}.OperatorHost", lines)

    def open(self, instance: Instance, state: State) -> None:
        """See Step."""

    def process(self, record: Any) -> Iterable[Any]:
        """See Step. Raises JavaError."""
        return _alone(self.process_all([record]))

    def process_all(self, records: Sequence[Any]) -> Sequence[Iterable[Any] | Exception]:
        """See Step. Raises WorkerLost when no JVM answers."""
        given = [plain(record) for record in records]
        good = [one for one in given if not isinstance(one, JavaError)]
        results = iter(self._host.call("apply", good))
        return [one if isinstance(one, JavaError) else _result(*next(results)) for one in given]


class JavaReduce:
    """A step: a fold in Java of what `value` takes from each record, with the state of its key kept here."""

    def __init__(
        self, key: Callable[[Any], Key], java_class: str, value: Callable[[Any], Any]
    ) -> None:
        self._key = key
        self._value = value
        self._host = JavaHost(f"{PACKAGE}.ReduceHost", java_class)
        self._state = State()

    def open(self, instance: Instance, state: State) -> None:
        """See Step."""
        self._state = state

    def process(self, record: Any) -> Iterable[Any]:
        """See Step. Raises JavaError."""
        return _alone(self.process_all([record]))

    def process_all(self, records: Sequence[Any]) -> Sequence[Iterable[Any] | Exception]:
        """See Step. The state changes when an output is taken, so in the order of the records."""
        keys = [self._key(record) for record in records]
        numbers = {key: number for number, key in enumerate(dict.fromkeys(keys))}
        values = [plain(self._value(record)) for record in records]
        good = [
            [numbers[key], value]
            for key, value in zip(keys, values, strict=True)
            if not isinstance(value, JavaError)
        ]
        states = [[self._state[key]] if key in self._state else [] for key in numbers]
        results = iter(self._host.call("fold", good, states))
        return [
            value if isinstance(value, JavaError) else self._folded(key, *next(results))
            for key, value in zip(keys, values, strict=True)
        ]

    def _folded(
        self, key: Key, output: list[Any] | None, error: str | None
    ) -> Iterable[Any] | Exception:
        return JavaError(error) if output is None else self._assigned(key, output[0])

    def _assigned(self, key: Key, value: Any) -> Iterator[Any]:
        self._state[key] = value
        yield value


def _result(outputs: list[Any] | None, error: str | None) -> Sequence[Any] | Exception:
    return JavaError(error) if outputs is None else outputs


def _alone(results: Sequence[Iterable[Any] | Exception]) -> Iterable[Any]:
    (result,) = results
    if isinstance(result, Exception):
        raise result
    return result
