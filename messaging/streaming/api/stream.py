"""A stream in a declaration: its settings, its partition, and the verbs that the gateway uses."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from math import inf
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar

from messaging.streaming.api.errors import DeclarationError
from messaging.streaming.api.functions import Transform, keep_matching
from messaging.streaming.api.logical import Input, Node, declared_at
from messaging.streaming.api.partition import (
    Broadcast,
    ByKey,
    Custom,
    Forward,
    Key,
    Partition,
    Rescale,
    RoundRobin,
    Selector,
    Shuffle,
    selector_function,
)
from messaging.streaming.api.stage import Handover, Stage, StageKind

if TYPE_CHECKING:
    from messaging.streaming.api.dataflow import Dataflow

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Stream(Generic[T]):
    """A stream of records of type T, made by one verb or, after `union`, by several.

    Verbs without state run chained to their input, in the same process, unless their parallelism, a partition
    call or `disable_chain` says otherwise. A function may be an object with `open(context)` and `close()`.
    Partition calls and `key_by` decide how the next verb gets its records; the last one counts.
    """

    context: Dataflow
    inputs: tuple[Input, ...]
    key: Callable[[Any], Key] | None = None

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
        whole number. Without this call an actor asks for nothing. A verb that asks gets actors of its own, unless its
        input asks for just the same; a verb that asks for nothing runs with its input, as ever.
        """
        for node in self.nodes():
            whole = float(amount).is_integer()
            if not 0 < amount < inf or (amount > 1 and not whole):
                raise DeclarationError(f"{node}: {amount} of resource {key!r}")
            if node.stage.kind is StageKind.INLET:
                raise DeclarationError(f"{node}: an inlet has no actor that could ask for {key!r}")
            self.context.change(node.id, stage=node.stage.with_demand(key, amount))
        return self

    def with_config(
        self, key: str | None = None, value: str = "", *, conf: Mapping[str, str] | None = None
    ) -> Self:
        """Add settings for the function of this stream, which finds them in its context's `config`."""
        added = dict(conf or {}) | ({key: value} if key is not None else {})
        if not all(isinstance(text, str) for pair in added.items() for text in pair):
            raise DeclarationError(f"{self.names()}: settings are text, not {added!r}")
        for node in self.nodes():
            config = {**node.config, **added}
            transform = node.transform and replace(node.transform, config=config)
            self.context.change(node.id, config=config, transform=transform)
        return self

    def get_config(self) -> dict[str, str]:
        """Return the settings of this stream."""
        return {name: text for node in self.nodes() for name, text in node.config.items()}

    def get_parallelism(self) -> int:
        """Return the number of instances that produce this stream."""
        return self.context.logical_graph().parallelism(self.nodes()[0])

    def get_id(self) -> int:
        """Return the number of this stream within its context."""
        return self.inputs[0].node

    def get_input_stream(self) -> Self | None:
        """Return the stream that this one was made from, keyed as it was then, or None for a source.

        Of a union it is the first of the streams that were united.
        """
        inputs = self.inputs[:1] if len(self.inputs) > 1 else self.nodes()[0].inputs
        if not inputs:
            return None
        partition = inputs[0].partition
        key = partition.key if isinstance(partition, ByKey) else None
        return type(self)(self.context, tuple(replace(one, time=None) for one in inputs), key)

    # -- partitions

    def key_by(self, key: Selector) -> Self:
        """Send records with the same key to the same instance of the next stage, in order.

        `key` is a function, the index of an item, or the name of an attribute.
        """
        select = selector_function(key)
        return replace(self.with_partition(ByKey(select)), key=select)

    def broadcast(self) -> Self:
        """Send every record to every instance of the next stage."""
        return self.with_partition(Broadcast())

    def round_robin(self) -> Self:
        """Deal the records out in turn."""
        return self.with_partition(RoundRobin())

    def rescale(self) -> Self:
        """Deal the records out in turn, among neighbouring instances only."""
        return self.with_partition(Rescale())

    def shuffle(self) -> Self:
        """Spread the records by a hash of the whole record."""
        return self.with_partition(Shuffle())

    def forward(self) -> Self:
        """Send from instance i to instance i mod n."""
        return self.with_partition(Forward())

    def partition_by(self, function: Callable[[Any, int], int | Iterable[int]]) -> Self:
        """Send to the instances that `function(record, n)` returns: one number below n, or several."""
        self.check_function("partition_by", function)
        return self.with_partition(Custom(function))

    def partition(self, function: Callable[[Any, int], int | Iterable[int]]) -> Self:
        """`partition_by`, by its older name."""
        return self.partition_by(function)

    def with_partition(self, partition: Partition | None) -> Self:
        """Use the partition for the next verb; None leaves the choice to the plan."""
        inputs = tuple(replace(one, partition=partition) for one in self.inputs)
        return replace(self, inputs=inputs, key=None)

    # -- verbs

    def union(self, *others: Self) -> Self:
        """Merge streams of one type. Merging is only declared: no stage does it."""
        if not others:
            raise DeclarationError(f"union of {self.names()} with nothing, at {declared_at()}")
        for other in others:
            if other.context is not self.context:
                raise DeclarationError(
                    f"{self.names()} and {other.names()} are of two contexts, at {declared_at()}"
                )
        inputs = self.inputs + tuple(one for stream in others for one in stream.inputs)
        return replace(self, inputs=inputs)

    def filter(self, predicate: Callable[[T], bool], label: str = "") -> Self:
        """Keep the records for which `predicate` is true."""
        made = self.add_transform("filter", predicate, keep_matching, label)
        return type(self)(self.context, made)

    def operate(
        self,
        name: str,
        make: Callable[[], Any],
        *,
        parallelism: int = 1,
        durable: bool = False,
        handover: Handover = Handover.REQUEST,
        max_batch: int = 256,
        first: Callable[[T], bool] | None = None,
    ) -> Stream[Any]:
        """Hand the records, in batches, to instances of the operator that `make` builds; see `api.operators`.

        An operator has `process(records)`, synchronous or async, which returns for each record the list of its
        outputs or an exception that refuses it. A synchronous operator runs on one thread of its own. A durable one
        that feeds another stage has `take_back(outputs)` as well: it takes back outputs that found no room.
        Where records take their time, each on its own, an operator has the async `process_single(record, emit)`
        instead: the records of a batch run side by side, begun in their order. `await emit(output)` hands an output on
        at once and returns when the next stages have taken it. Records that are `first` do not wait for the others.
        """
        stage = Stage(
            name=name,
            kind=StageKind.OPERATOR,
            make=make,
            durable=durable,
            handover=handover,
            max_batch=max_batch,
            first=first,
        )
        return self.into(stage, parallelism=parallelism)

    def call(
        self,
        name: str,
        function: Callable[[list[T]], Any],
        *,
        max_batch: int = 64,
        first: Callable[[T], bool] | None = None,
    ) -> Stream[Any]:
        """Call a function without state, anywhere in the cluster, once for each batch; it answers like an operator.

        It is called at most once for a batch (`Handover.AT_MOST_ONCE`). `first` is as for `operate`.
        """
        stage = Stage(
            name=name,
            kind=StageKind.FUNCTION,
            make=function,
            handover=Handover.AT_MOST_ONCE,
            max_batch=max_batch,
            first=first,
        )
        return self.into(stage, parallelism=1)

    # -- for verbs of one's own

    def into(self, stage: Stage, **more: Any) -> Stream[Any]:
        """Add a verb that takes this stream, run by `stage`."""
        return type(self)(self.context, self.add(stage, **more))

    def add(self, stage: Stage, **more: Any) -> tuple[Input, ...]:
        """Add a verb that takes this stream, and return the stream it makes as an input."""
        return (Input(node=self.context.add(stage, self.inputs, **more).id),)

    def add_transform(
        self,
        verb: str,
        function: Any,
        how: Callable[[Any, Any], Iterable[Any]],
        label: str = "",
        name: str = "",
        ends: bool = False,
    ) -> tuple[Input, ...]:
        """Add a verb without state: `how(function, record)` returns the outputs of a record."""
        self.check_function(verb, function)
        transform = Transform(name or self.context.fresh_name(verb), function, how)
        # Stages without state repeat a record until the sink has taken it.
        handover = Handover.AT_LEAST_ONCE if ends else Handover.REQUEST
        stage = self.context.transform_stage(transform, handover)
        return self.add(stage, transform=transform, label=label, ends=ends)

    def names(self) -> str:
        """Name the verbs that make this stream, and their lines."""
        return ", ".join(map(str, self.nodes()))

    def nodes(self) -> list[Node]:
        """Return the verbs that make this stream."""
        return [self.context.node(one.node) for one in self.inputs]

    def key_for(self, verb: str) -> Callable[[Any], Key]:
        """Return the key. Raises DeclarationError for a stream without one."""
        if self.key is None:
            raise DeclarationError(f"{verb} at {declared_at()} needs key_by: {self.names()}")
        return self.key

    def check_function(self, verb: str, function: Any) -> None:
        """Raise DeclarationError for an object that cannot be called."""
        if not callable(function):
            raise DeclarationError(
                f"{verb} at {declared_at()} of {self.names()}: a {type(function).__name__} is no function"
            )

    def _change(self, **changes: Any) -> Self:
        for node in self.nodes():
            self.context.change(node.id, **changes)
        return self
