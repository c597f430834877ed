"""What every stream is: where it comes from, how it is divided, and the settings of the verb that makes it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from math import inf
from typing import TYPE_CHECKING, Any, Self

from messaging.streaming.api.errors import DeclarationError
from messaging.streaming.api.graph import Kind
from messaging.streaming.api.keys import Key, Selector, selecting
from messaging.streaming.api.logical import Input, Node, declared_at
from messaging.streaming.api.partition import (
    Broadcast,
    ByKey,
    Custom,
    Forward,
    Partition,
    Rescale,
    RoundRobin,
    Shuffle,
)

if TYPE_CHECKING:
    from messaging.streaming.api.context import StreamingContext


@dataclass(frozen=True, slots=True)
class Declared:
    """A stream made by one verb or, after `union`, by several. `changed` says that its language just changed."""

    context: StreamingContext
    inputs: tuple[Input, ...]
    key: Callable[[Any], Key] | None = None
    changed: bool = False

    # -- settings of the verb that makes this stream

    def set_parallelism(self, parallelism: int) -> Self:
        """Run the verb that produces this stream in `parallelism` instances."""
        return self._change(parallelism=parallelism)

    def disable_chain(self) -> Self:
        """Give the verb that produces this stream actors of its own."""
        return self._change(chain=False)

    def with_resource(self, key: str, amount: float) -> Self:
        """Let each actor of the verb that produces this stream ask its node for so much of a resource.

        `key` is `CPU`, `GPU`, `memory` (bytes) or a resource of the cluster's own, and `amount` a part of one or a
        whole number. Nothing is asked for without this. Whoever asks gets actors of its own, unless the stream that
        feeds it asks for just the same; what asks for nothing runs with what feeds it, as ever.
        """
        for node in self._made_by():
            whole = float(amount).is_integer()
            if not 0 < amount < inf or (amount > 1 and not whole):
                raise DeclarationError(f"{node}: {amount} of resource {key!r}")
            if node.stage.kind is Kind.INLET:
                raise DeclarationError(f"{node}: an inlet has no actor that could ask for {key!r}")
            self.context.change(node.id, stage=node.stage.asking(key, amount))
        return self

    def with_config(
        self, key: str | None = None, value: str = "", *, conf: Mapping[str, str] | None = None
    ) -> Self:
        """Keep settings for the function of this stream, which finds them in its context's `config`."""
        given = dict(conf or {}) | ({key: value} if key is not None else {})
        if not all(isinstance(text, str) for pair in given.items() for text in pair):
            raise DeclarationError(f"{self.names()}: settings are text, not {given!r}")
        for node in self._made_by():
            config = {**node.config, **given}
            transform = node.transform and replace(node.transform, config=config)
            self.context.change(node.id, config=config, transform=transform)
        return self

    def get_config(self) -> dict[str, str]:
        """Return the settings of this stream."""
        return {name: text for node in self._made_by() for name, text in node.config.items()}

    def get_parallelism(self) -> int:
        """Return how many instances produce this stream."""
        return self.context.logical_graph().parallelism(self._made_by()[0])

    def get_id(self) -> int:
        """Return the number of this stream within its context."""
        return self.inputs[0].node

    def get_streaming_context(self) -> StreamingContext:
        """Return the context in which this stream was declared."""
        return self.context

    def get_input_stream(self) -> Self | None:
        """Return the stream that this one was made from, keyed as it was then, or None for a source.

        Of a union it is the first of the streams that were united.
        """
        if len(self.inputs) > 1:
            return self._seen(self.inputs[:1])
        (made_by,) = self._made_by()
        return self._seen(made_by.inputs) if made_by.inputs else None

    # -- who gets what

    def key_by(self, key: Selector) -> Self:
        """Send records with the same key to the same instance of the next stage, in order.

        `key` is a function, the index of an item, or the name of an attribute.
        """
        select = selecting(key)
        return replace(self.divided(ByKey(select)), key=select)

    def broadcast(self) -> Self:
        """Send every record to every instance of the next stage."""
        return self.divided(Broadcast())

    def round_robin(self) -> Self:
        """Deal the records out in turn."""
        return self.divided(RoundRobin())

    def rescale(self) -> Self:
        """Deal the records out in turn, among neighbouring instances only."""
        return self.divided(Rescale())

    def shuffle(self) -> Self:
        """Spread the records by a hash of the whole record."""
        return self.divided(Shuffle())

    def forward(self) -> Self:
        """Send from instance i to instance i mod n."""
        return self.divided(Forward())

    def partition_by(self, function: Callable[[Any, int], int | Iterable[int]]) -> Self:
        """Send where `function(record, n)` says: one number below n, or several."""
        self.checked("partition_by", function)
        return self.divided(Custom(function))

    def partition(self, function: Callable[[Any, int], int | Iterable[int]]) -> Self:
        """`partition_by`, by its older name."""
        return self.partition_by(function)

    # -- for the verbs

    def _seen(self, inputs: tuple[Input, ...]) -> Self:
        partition = inputs[0].partition
        key = partition.key if isinstance(partition, ByKey) else None
        untimed = tuple(replace(one, time=None) for one in inputs)
        return replace(self, inputs=untimed, key=key, changed=False)

    def _change(self, **changes: Any) -> Self:
        for node in self._made_by():
            self.context.change(node.id, **changes)
        return self

    def _made_by(self) -> list[Node]:
        return [self.context.node(one.node) for one in self.inputs]

    def names(self) -> str:
        """Name the verbs that make this stream, and their lines."""
        return ", ".join(map(str, self._made_by()))

    def add(self, stage: Any, **more: Any) -> tuple[Input, ...]:
        """Add a verb that takes this stream, and return what it makes."""
        return (Input(node=self.context.add(stage, self.inputs, **more).id),)

    def key_for(self, verb: str) -> Callable[[Any], Key]:
        """Return the key. Raises DeclarationError for a stream without one."""
        if self.key is None:
            raise DeclarationError(f"{verb} at {declared_at()} needs key_by: {self.names()}")
        return self.key

    def checked(self, verb: str, function: Any) -> None:
        """Raise DeclarationError for what cannot be called."""
        if not callable(function):
            raise DeclarationError(
                f"{verb} at {declared_at()} of {self.names()}: a {type(function).__name__} is no function"
            )

    def divided(self, partition: Partition | None) -> Self:
        """Say how the next verb gets the records. Raises DeclarationError right after a change of language."""
        if self.changed:
            raise DeclarationError(
                f"partition call at {declared_at()} right after a change of language: {self.names()}"
            )
        inputs = tuple(replace(one, partition=partition) for one in self.inputs)
        return replace(self, inputs=inputs, key=None)
