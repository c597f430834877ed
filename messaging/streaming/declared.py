"""What every stream is: where it comes from, how it is divided, and the settings of the verb that makes it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Self

from messaging.streaming.errors import DeclarationError
from messaging.streaming.keys import Key, Selector, selecting
from messaging.streaming.logical import Input, Node, declared_at
from messaging.streaming.partition import (
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
    from messaging.streaming.context import StreamingContext


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

    def with_config(
        self, key: str | None = None, value: str = "", *, conf: Mapping[str, str] | None = None
    ) -> Self:
        """Keep settings for the function of this stream, which finds them in its context's `config`."""
        given = dict(conf or {}) | ({key: value} if key is not None else {})
        if not all(isinstance(text, str) for pair in given.items() for text in pair):
            raise DeclarationError(f"{self.names()}: settings are text, not {given!r}")
        for node in self._made_by():
            self.context.change(node.id, config={**node.config, **given})
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
        return self.divided(Custom(function))

    # -- for the verbs

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

    def divided(self, partition: Partition | None) -> Self:
        """Say how the next verb gets the records. Raises DeclarationError right after a change of language."""
        if self.changed:
            raise DeclarationError(
                f"partition call at {declared_at()} right after a change of language: {self.names()}"
            )
        inputs = tuple(replace(one, partition=partition) for one in self.inputs)
        return replace(self, inputs=inputs, key=None)
