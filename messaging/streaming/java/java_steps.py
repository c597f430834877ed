"""Steps that run Java operators: batches go to a JVM, and results come back; the state stays in the Python worker."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from messaging.streaming.api.partition import Key
from messaging.streaming.api.stage import Instance
from messaging.streaming.java.java_host import JavaError, JavaHost, plain
from messaging.streaming.stateful.state.values import KeyedState

PACKAGE = "io.ray.streaming.python"

Operators = tuple[tuple[str, str], ...]
"""Java operators in their order: the verb, and the name of the class."""


@dataclass(frozen=True, slots=True)
class OperatorsMaker:
    """Makes the step of some Java operators."""

    operators: Operators

    def __call__(self) -> JavaOperators:
        """Return a new step."""
        return JavaOperators(self.operators)


class JavaOperators:
    """Hands batches to a JVM of its own. An exception counts for its record alone; a JVM that dies is replaced."""

    def __init__(self, operators: Sequence[tuple[str, str]]) -> None:
        lines = "\n".join(f"{verb} {name}".rstrip() for verb, name in operators)
        self._host = JavaHost(f"{PACKAGE}.OperatorHost", lines)

    def open(self, instance: Instance, state: KeyedState) -> None:
        """See Step."""

    def process(self, record: Any) -> Iterable[Any]:
        """See Step. Raises JavaError."""
        return _single_result(self.process_all([record]))

    def process_all(self, records: Sequence[Any]) -> Sequence[Iterable[Any] | Exception]:
        """See Step. Raises WorkerLost when no JVM answers."""
        arguments = [plain(record) for record in records]
        good = [one for one in arguments if not isinstance(one, JavaError)]
        answers = iter(self._host.call("apply", good))
        results: list[Iterable[Any] | Exception] = []
        for argument in arguments:
            if isinstance(argument, JavaError):
                results.append(argument)
            else:
                outputs, error = next(answers)
                results.append(JavaError(error) if outputs is None else outputs)
        return results


class JavaReduce:
    """A fold in Java of the value that `value` takes from each record; the state of the key stays here."""

    def __init__(
        self, key: Callable[[Any], Key], java_class: str, value: Callable[[Any], Any]
    ) -> None:
        self._key = key
        self._value = value
        self._host = JavaHost(f"{PACKAGE}.ReduceHost", java_class)
        self._state = KeyedState()

    def open(self, instance: Instance, state: KeyedState) -> None:
        """See Step."""
        self._state = state

    def process(self, record: Any) -> Iterable[Any]:
        """See Step. Raises JavaError."""
        return _single_result(self.process_all([record]))

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
        answers = iter(self._host.call("fold", good, states))
        results: list[Iterable[Any] | Exception] = []
        for key, value in zip(keys, values, strict=True):
            if isinstance(value, JavaError):
                results.append(value)
            else:
                output, error = next(answers)
                results.append(JavaError(error) if output is None else self._assign(key, output[0]))
        return results

    def _assign(self, key: Key, value: Any) -> Iterator[Any]:
        self._state[key] = value
        yield value


def _single_result(results: Sequence[Iterable[Any] | Exception]) -> Iterable[Any]:
    (result,) = results
    if isinstance(result, Exception):
        raise result
    return result
