"""A stream for Java: its operators are named by their classes, and run in a JVM beside the Python worker."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from messaging.streaming.api.errors import DeclarationError
from messaging.streaming.api.functions import identity
from messaging.streaming.api.logical import declared_at
from messaging.streaming.api.partition import Key
from messaging.streaming.api.stage import Stage, StageKind
from messaging.streaming.java.java_planner import operators_of
from messaging.streaming.java.java_steps import JavaReduce, OperatorsMaker

if TYPE_CHECKING:
    from messaging.streaming.context import StreamingContext
    from messaging.streaming.stream import DataStream


@dataclass(frozen=True, slots=True)
class JavaStream:
    """The same stream as `python`, with the same parallelism and settings. Making one needs no JVM.

    Each class has a constructor without parameters and implements the interface of its verb in
    `io.ray.streaming.api.function.impl`. Records are what MessagePack knows; tuples arrive as arrays.
    Operators that follow each other run in one JVM. `paired` says that `key_by` or `partition_by` in Java have put
    something beside each record, which the next operator takes away.
    """

    python: DataStream[Any]
    paired: bool = False

    # -- operators

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

    def reduce(self, java_class: str) -> JavaStream:
        """A running fold for each key, with the same state as Python's `reduce`."""
        key = self.python.key_for("reduce")
        value = itemgetter(1) if self.paired else identity
        make = partial(JavaReduce, key, java_class, value)
        return self._into("reduce", make)

    def union(self, *others: JavaStream) -> JavaStream:
        """Merge streams."""
        self._refuse_paired("union", *others)
        return JavaStream(self.python.union(*(other.python for other in others)))

    # -- partitions

    def key_by(self, java_class: str) -> JavaStream:
        """Send records with the same key to the same instance of the next operator, in order."""
        self.python.with_partition(None)
        pairs = self._then("key_by", java_class).python
        return JavaStream(pairs.key_by(lambda pair: _hashable(pair[0])), paired=True)

    def partition_by(self, java_class: str) -> JavaStream:
        """Send to the instances that the class, an `io.ray.streaming.api.partition.Partition`, chooses."""
        self.python.with_partition(None)
        pairs = self._then("partition_by", java_class).python
        return JavaStream(pairs.partition_by(lambda pair, n: pair[0]), paired=True)

    def broadcast(self) -> JavaStream:
        """Send every record to every instance of the next operator."""
        return self._with_partition(self.python.broadcast)

    def round_robin(self) -> JavaStream:
        """Deal the records out in turn."""
        return self._with_partition(self.python.round_robin)

    def rescale(self) -> JavaStream:
        """Deal the records out in turn, among neighbouring instances only."""
        return self._with_partition(self.python.rescale)

    def shuffle(self) -> JavaStream:
        """Spread the records by a hash of the whole record."""
        return self._with_partition(self.python.shuffle)

    def forward(self) -> JavaStream:
        """Send from instance i to instance i mod n."""
        return self._with_partition(self.python.forward)

    # -- settings of the operator that makes this stream

    def set_parallelism(self, parallelism: int) -> JavaStream:
        """Run the operator that produces this stream in `parallelism` instances."""
        return replace(self, python=self.python.set_parallelism(parallelism))

    def disable_chain(self) -> JavaStream:
        """Give the operator that produces this stream a JVM of its own."""
        return replace(self, python=self.python.disable_chain())

    def with_resource(self, key: str, amount: float) -> JavaStream:
        """Let each actor of that operator, which runs beside its JVM, ask its node for so much of a resource."""
        return replace(self, python=self.python.with_resource(key, amount))

    def with_config(
        self, key: str | None = None, value: str = "", *, conf: Mapping[str, str] | None = None
    ) -> JavaStream:
        """Add settings."""
        return replace(self, python=self.python.with_config(key, value, conf=conf))

    def get_config(self) -> dict[str, str]:
        """Return the settings of this stream."""
        return self.python.get_config()

    def get_parallelism(self) -> int:
        """Return the number of instances that produce this stream."""
        return self.python.get_parallelism()

    def get_id(self) -> int:
        """Return the number of this stream within its context."""
        return self.python.get_id()

    def get_streaming_context(self) -> StreamingContext:
        """Return the context in which this stream was declared."""
        return self.python.get_streaming_context()

    def get_input_stream(self) -> JavaStream | None:
        """Return the stream that this one was made from, for Java, or None for a source."""
        python = self.python.get_input_stream()
        if python is None:
            return None
        operators = operators_of(python.context.node(python.get_id()))
        paired = bool(operators) and operators[-1][0] in ("key_by", "partition_by")
        return JavaStream(python, paired)

    def get_language(self) -> str:
        """Return the language of the classes that its verbs take."""
        return "java"

    def as_python_stream(self) -> DataStream[Any]:
        """Return the stream for Python again. Raises DeclarationError right after `key_by` and `partition_by`."""
        self._refuse_paired("as_python_stream")
        return replace(self.python, new_language=True)

    def _then(self, verb: str, java_class: str) -> JavaStream:
        operators = ((("value", ""),) if self.paired else ()) + ((verb, java_class),)
        return self._into(verb, OperatorsMaker(operators))

    def _into(self, verb: str, make: Callable[[], Any]) -> JavaStream:
        name = self.python.context.fresh_name(f"java-{verb}")
        stage = Stage(name=name, kind=StageKind.STATEFUL, make=make)
        return JavaStream(self.python.into(stage))

    def _with_partition(self, divide: Callable[[], DataStream[Any]]) -> JavaStream:
        self._refuse_paired("a partition call")
        return JavaStream(divide())

    def _refuse_paired(self, verb: str, *others: JavaStream) -> None:
        if self.paired or any(other.paired for other in others):
            raise DeclarationError(
                f"{verb} at {declared_at()} right after key_by or partition_by in Java: "
                f"{self.python.names()}; their next operator has to be written in Java, too"
            )


def _hashable(key: Any) -> Key:
    """Return a key that Java made; arrays arrive as lists."""
    return tuple(map(_hashable, key)) if isinstance(key, list) else key
