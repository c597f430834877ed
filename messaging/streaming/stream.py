"""The stream of the library: the verbs with which a dataflow is declared."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar, cast

from messaging.streaming.api.errors import DeclarationError
from messaging.streaming.api.logical import declared_at
from messaging.streaming.api.partition import Key, Partition, Selector, selector_function
from messaging.streaming.api.stage import Handover, Stage, StageKind
from messaging.streaming.api.stream import Stream
from messaging.streaming.java.java_stream import JavaStream
from messaging.streaming.stateful.steps import OncePerKey, Reduce, Stateful, Step, Sum
from messaging.streaming.verbs import (
    flat_map_by_collector,
    flat_map_record,
    inspect_record,
    map_record,
    sink_record,
    takes_two,
)
from messaging.streaming.windows.join import Join, window_join
from messaging.streaming.windows.window_steps import Frame, Window
from messaging.streaming.windows.windows import WindowedStream

if TYPE_CHECKING:
    from messaging.streaming.context import StreamingContext

T = TypeVar("T")
U = TypeVar("U")


@dataclass(frozen=True, slots=True)
class DataStream(Stream[T]):
    """A `Stream` with all verbs. `new_language` is true right after a change between Python and Java."""

    new_language: bool = False

    def as_java_stream(self) -> JavaStream:
        """Return the same stream for Java, whose operators are named by their classes."""
        return JavaStream(replace(self, new_language=True))

    def get_language(self) -> str:
        """Return the language of the functions that its verbs take."""
        return "python"

    def get_streaming_context(self) -> StreamingContext:
        """Return the context in which this stream was declared."""
        return cast("StreamingContext", self.context)

    # -- without state

    def map(self, function: Callable[[T], U], label: str = "") -> DataStream[U]:
        """One record in, one out."""
        return self._then("map", function, map_record, label)

    def flat_map(
        self,
        function: Callable[[T], Iterable[U]] | Callable[[T, Any], object],
        label: str = "",
    ) -> DataStream[U]:
        """One record in, any number out: returned, or handed to `collector.collect` if there are two parameters."""
        how = flat_map_by_collector if takes_two(function) else flat_map_record
        return self._then("flat_map", function, how, label)

    def inspect(self, function: Callable[[T], object], label: str = "") -> DataStream[T]:
        """Call the function with each record, and pass the record on."""
        return self._then("inspect", function, inspect_record, label)

    # -- with state by key

    def reduce(self, function: Callable[[T, T], T], name: str = "") -> DataStream[T]:
        """A running fold for each key. Every record gives an output; a key's first record is given unchanged."""
        self.check_function("reduce", function)
        return self.with_state("reduce", partial(Reduce, function=function), name)

    def sum(self, selector: Selector = 1, name: str = "") -> DataStream[tuple[Any, Any]]:
        """A running sum for each key, as `(key, sum)`. The selector returns the summand of a record."""
        step = partial(Sum, function=selector_function(selector))
        return self.with_state("sum", step, name)

    def stateful(
        self, function: Callable[[Any, T], tuple[Any, Iterable[U]]], name: str = ""
    ) -> DataStream[U]:
        """Work on the state of each key: `function(state, record)` returns the new state and the outputs.

        The state is None for a new key, and None forgets the key.
        """
        self.check_function("stateful", function)
        return self.with_state("stateful", partial(Stateful, function=function), name)

    def window(
        self,
        size_seconds: float,
        slide_seconds: float | None = None,
        *,
        time: Callable[[T], float] | None = None,
        lateness_seconds: float = 0.0,
    ) -> WindowedStream:
        """Cut a keyed stream into windows that begin every `slide_seconds`, or one after the other.

        With `time`, which returns seconds, windows go by event time and wait `lateness_seconds` for records that
        come out of order; later records are set aside. Without it they go by the time of arrival.
        """
        self.key_for("window")
        frame = Frame.of(size_seconds, slide_seconds, time, lateness_seconds)
        return WindowedStream(self, frame)

    def time_window(self, milliseconds: float) -> WindowedStream:
        """`window` by the time of arrival, by its older name."""
        return self.window(milliseconds / 1000)

    def window_join(
        self,
        other: DataStream[Any],
        size_seconds: float,
        *,
        time: Callable[[Any], float] | None = None,
        lateness_seconds: float = 0.0,
        name: str = "",
    ) -> DataStream[Window]:
        """Join two keyed streams: a `Window` for every pair `(left, right)` with one key in one window of time."""
        frame = Frame.of(size_seconds, None, time, lateness_seconds)
        return window_join(self, other, frame, name)

    def join(self, other: DataStream[Any], *, keep: int | None = None) -> Join:
        """Join with another stream by key: `join(other).where(key).equal_to(key).with_(function)`.

        Each record meets every earlier record of the other side that has its key, so each pair is given once, when
        its second half comes. Therefore records are remembered until the job ends: without `keep` all of them, with
        `keep` the newest so many of each key and side. `window_join` forgets by time.
        """
        return Join(self, other, keep)

    # -- ends

    def sink(self, function: Callable[[T], object], name: str = "") -> DataStream[Any]:
        """End the stream: `function` is called for each record, in order for each key, at least once."""
        return self._then("sink", function, sink_record, name=name, ends=True)

    def sink_once(
        self, function: Callable[[Key, T], object], key: Selector, name: str = ""
    ) -> DataStream[Any]:
        """End the stream: `function(key, record)` is called once for each key, which identifies a record for good.

        Repeated records are recognised by their keys. Only a crash between the call and the commit of one batch
        repeats calls, with the same keys: give the key to the outside world as its idempotence key, and the effect
        happens exactly once.
        """
        self.check_function("sink_once", function)
        step = partial(OncePerKey, function=function)
        return self.key_by(key).with_state("sink_once", step, name)

    # -- stages and steps of one's own

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
    ) -> DataStream[Any]:
        """See Stream."""
        stream = Stream.operate(
            *(self, name, make),
            parallelism=parallelism,
            durable=durable,
            handover=handover,
            max_batch=max_batch,
            first=first,
        )
        return DataStream(self.context, stream.inputs)

    def call(
        self,
        name: str,
        function: Callable[[list[T]], Any],
        *,
        max_batch: int = 64,
        first: Callable[[T], bool] | None = None,
    ) -> DataStream[Any]:
        """See Stream."""
        stream = Stream.call(self, name, function, max_batch=max_batch, first=first)
        return DataStream(self.context, stream.inputs)

    def with_state(self, verb: str, make: Callable[..., Step], name: str = "") -> DataStream[Any]:
        """Work on the state of each key by a step of one's own, which `make(key)` builds; see `steps.Step`."""
        step = partial(make, self.key_for(verb))
        name = name or self.context.fresh_name(verb)
        return self.into(Stage(name=name, kind=StageKind.STATEFUL, make=step))

    def into(self, stage: Stage, **more: Any) -> DataStream[Any]:
        """See Stream."""
        return DataStream(self.context, self.add(stage, **more))

    def with_partition(self, partition: Partition | None) -> DataStream[T]:
        """See Stream. Raises DeclarationError right after a change of language."""
        if self.new_language:
            raise DeclarationError(
                f"partition call at {declared_at()} right after a change of language: {self.names()}"
            )
        return Stream.with_partition(self, partition)

    def _then(
        self,
        verb: str,
        function: Any,
        how: Callable[[Any, Any], Iterable[Any]],
        label: str = "",
        name: str = "",
        ends: bool = False,
    ) -> DataStream[Any]:
        inputs = self.add_transform(verb, function, how, label, name, ends)
        return DataStream(self.context, inputs)
