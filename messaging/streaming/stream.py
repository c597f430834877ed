"""The verbs with which a dataflow is declared. Declaring builds a value; nothing runs before it is submitted."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from messaging.streaming.errors import DeclarationError
from messaging.streaming.graph import Edge, Handover, Kind, Stage, Transform
from messaging.streaming.partition import Broadcast, ByKey, Forward, Key, Partition, RoundRobin

if TYPE_CHECKING:
    from messaging.streaming.context import StreamingContext

T = TypeVar("T")
U = TypeVar("U")


@dataclass(frozen=True, slots=True)
class Origin:
    """A stage that a stream comes from, and what happens to its records on the way."""

    stage: str
    transforms: tuple[Transform, ...] = ()
    label: str = ""


@dataclass(frozen=True, slots=True)
class DataStream(Generic[T]):
    """A stream of records of type T, coming from one stage or, after `union`, from several.

    `map`, `flat_map` and `filter` run chained to the stage before, in the same process.
    """

    context: StreamingContext
    origins: tuple[Origin, ...]
    partition: Partition | None = None

    def map(self, function: Callable[[T], U], label: str = "") -> DataStream[U]:
        """One record in, one out."""
        return self._then(_Map(function), label)

    def flat_map(self, function: Callable[[T], Iterable[U]], label: str = "") -> DataStream[U]:
        """One record in, any number out."""
        return self._then(function, label)

    def filter(self, predicate: Callable[[T], bool], label: str = "") -> DataStream[T]:
        """Keep the records for which `predicate` is true."""
        return self._then(_Filter(predicate), label)

    def key_by(self, key: Callable[[T], Key]) -> DataStream[T]:
        """Send records with the same key to the same instance of the next stage, in order."""
        return replace(self, partition=ByKey(key))

    def broadcast(self) -> DataStream[T]:
        """Send every record to every instance of the next stage."""
        return replace(self, partition=Broadcast())

    def round_robin(self) -> DataStream[T]:
        """Deal the records out in turn."""
        return replace(self, partition=RoundRobin())

    def forward(self) -> DataStream[T]:
        """Send from instance i to instance i mod n."""
        return replace(self, partition=Forward())

    def union(self, *others: DataStream[T]) -> DataStream[T]:
        """Merge streams of one type. Merging is only declared: there is no stage that does it."""
        if not others:
            raise DeclarationError(f"union of {self._names()} with nothing")
        return replace(self, origins=self.origins + tuple(o for s in others for o in s.origins))

    def operate(
        self,
        name: str,
        make: Callable[[], Any],
        *,
        parallelism: int = 1,
        durable: bool = False,
        handover: Handover = Handover.ASK,
        max_batch: int = 256,
    ) -> DataStream[Any]:
        """Hand the records, in batches, to instances of the operator that `make` builds.

        An operator has `process(records)`, synchronous or async, which returns for each record the list of its
        outputs or an exception that refuses it. A synchronous operator runs on one thread of its own. It may have
        `released(records)`: it is given outputs that could not be handed on at once, to take them back.
        """
        stage = Stage(
            name=name,
            kind=Kind.OPERATOR,
            make=make,
            parallelism=parallelism,
            durable=durable,
            handover=handover,
            max_batch=max_batch,
        )
        return self._into(stage)

    def call(
        self, name: str, function: Callable[[list[T]], Any], *, max_batch: int = 64
    ) -> DataStream[Any]:
        """Call a function without state, anywhere in the cluster, once for each batch; it answers like an operator.

        It is called at most once for a batch (`Handover.ONCE`).
        """
        stage = Stage(
            name=name,
            kind=Kind.FUNCTION,
            make=function,
            handover=Handover.ONCE,
            max_batch=max_batch,
        )
        return self._into(stage)

    def sink(self, function: Callable[[T], object], name: str = "sink") -> DataStream[Any]:
        """End the stream: `function` is called for each record, at least once."""
        return self.operate(name, _Calling(function), handover=Handover.INSIST)

    def set_parallelism(self, parallelism: int) -> DataStream[T]:
        """Run the stage that produces this stream in `parallelism` instances."""
        for origin in self.origins:
            self.context.change(origin.stage, parallelism=parallelism)
        return self

    def _then(self, transform: Transform, label: str) -> DataStream[Any]:
        origins = (
            replace(
                o,
                transforms=(*o.transforms, transform),
                label=" ".join(filter(None, (o.label, label))),
            )
            for o in self.origins
        )
        return replace(self, origins=tuple(origins))

    def _into(self, stage: Stage) -> DataStream[Any]:
        partition = self.partition or (RoundRobin() if stage.kind is Kind.OPERATOR else Forward())
        edges = (
            Edge(
                upstream=origin.stage,
                downstream=stage.name,
                partition=partition,
                transforms=origin.transforms,
                label=origin.label,
            )
            for origin in self.origins
        )
        self.context.add(stage, *edges)
        return DataStream(self.context, (Origin(stage.name),))

    def _names(self) -> str:
        return ", ".join(origin.stage for origin in self.origins)


@dataclass(frozen=True, slots=True)
class _Map:
    function: Callable[[Any], Any]

    def __call__(self, record: Any) -> Iterable[Any]:
        return (self.function(record),)


@dataclass(frozen=True, slots=True)
class _Filter:
    predicate: Callable[[Any], bool]

    def __call__(self, record: Any) -> Iterable[Any]:
        return (record,) if self.predicate(record) else ()


@dataclass(frozen=True, slots=True)
class _Calling:
    """Makes an operator of a function that is called for each record."""

    function: Callable[[Any], object]

    def __call__(self) -> _Calling:
        return self

    def process(self, records: list[Any]) -> list[list[Any] | Exception]:
        return [self._one(record) for record in records]

    def _one(self, record: Any) -> list[Any] | Exception:
        try:
            self.function(record)
        except Exception as error:
            return error
        return []
