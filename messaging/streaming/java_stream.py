"""A stream seen from Java: its operators are named by their classes, and run in a JVM beside the Python worker."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, NoReturn

from messaging.streaming.errors import DeclarationError
from messaging.streaming.graph import Kind, Stage
from messaging.streaming.java_steps import JavaOperators
from messaging.streaming.logical import declared_at

if TYPE_CHECKING:
    from messaging.streaming.stream import DataStream


@dataclass(frozen=True, slots=True)
class JavaStream:
    """The same stream as `python`, with the same parallelism and settings. Making one needs no JVM.

    Each class has a constructor without parameters and implements the interface of its verb in
    `io.ray.streaming.api.function.impl`. Records are what MessagePack knows; tuples arrive as arrays.
    Operators that follow each other run in one JVM.
    """

    python: DataStream[Any]
    operators: tuple[tuple[str, str], ...] = ()

    def map(self, java_class: str) -> JavaStream:
        """One record in, one out."""
        return self._then("map", java_class)

    def flat_map(self, java_class: str) -> JavaStream:
        """One record in, any number out."""
        return self._then("flat_map", java_class)

    def filter(self, java_class: str) -> JavaStream:
        """Keep a record or not."""
        return self._then("filter", java_class)

    def sink(self, java_class: str) -> JavaStream:
        """End the stream: called at least once for each record."""
        return self._then("sink", java_class)

    def union(self, *others: JavaStream) -> JavaStream:
        """Merge streams."""
        return JavaStream(self.python.union(*(other.python for other in others)))

    def as_python_stream(self) -> DataStream[Any]:
        """See the stream from Python again."""
        return replace(self.python, changed=True)

    def set_parallelism(self, parallelism: int) -> JavaStream:
        """Run the operator that produces this stream in `parallelism` instances."""
        return replace(self, python=self.python.set_parallelism(parallelism))

    def with_config(self, key: str, value: str) -> JavaStream:
        """Keep a setting."""
        return replace(self, python=self.python.with_config(key, value))

    def get_config(self) -> dict[str, str]:
        """Return the settings of this stream."""
        return self.python.get_config()

    def get_parallelism(self) -> int:
        """Return how many instances produce this stream."""
        return self.python.get_parallelism()

    def get_id(self) -> int:
        """Return the number of this stream within its context."""
        return self.python.get_id()

    def key_by(self, *_: object) -> NoReturn:
        """Raise DeclarationError: a stream is divided in the language that made it."""
        raise DeclarationError(
            f"key_by, broadcast and partition_by of {self.python.names()} at {declared_at()}:"
            " call them on the Python stream, before as_java_stream"
        )

    broadcast = partition_by = key_by

    def _then(self, verb: str, java_class: str) -> JavaStream:
        operators = ((verb, java_class),)
        context = self.python.context
        stage = Stage(
            name=context.fresh(f"java-{verb}"),
            kind=Kind.KEEPER,
            make=partial(JavaOperators, operators),
        )
        return JavaStream(replace(self.python, changed=False).into(stage, java=operators))
