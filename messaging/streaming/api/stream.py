"""The verbs with which a dataflow is declared. Declaring builds a value; nothing runs before it is submitted."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Generic, TypeVar

from messaging.streaming.api.declared import Declared
from messaging.streaming.api.errors import DeclarationError
from messaging.streaming.api.functions import (
    Chained,
    filtered,
    flat_mapping,
    inspected,
    mapped,
    sunk,
)
from messaging.streaming.api.graph import Handover, Kind, Stage
from messaging.streaming.api.keys import Key, Selector, selecting
from messaging.streaming.api.logical import declared_at
from messaging.streaming.java.java_stream import JavaStream
from messaging.streaming.stateful.steps import OnceFor, Reduce, Stateful, Step, Sum
from messaging.streaming.windows.join import Join
from messaging.streaming.windows.window_steps import Window
from messaging.streaming.windows.windows import WindowedStream, frame_of, joined

T = TypeVar("T")
U = TypeVar("U")


@dataclass(frozen=True, slots=True)
class DataStream(Declared, Generic[T]):
    """A stream of records of type T, made by one verb or, after `union`, by several.

    Verbs without state run chained to what feeds them, in the same process, unless their parallelism, a partition
    call or `disable_chain` says otherwise. A function may be an object with `open(context)` and `close()`.
    Partition calls and `key_by` say how the next verb gets its records; the last one counts.
    """

    def as_java_stream(self) -> JavaStream:
        """See the same stream from Java, whose operators are named by their classes."""
        return JavaStream(replace(self, changed=True))

    def get_language(self) -> str:
        """Return the language of the functions that its verbs take."""
        return "python"

    # -- without state

    def map(self, function: Callable[[T], U], label: str = "") -> DataStream[U]:
        """One record in, one out."""
        return self._then("map", function, mapped, label)

    def flat_map(
        self,
        function: Callable[[T], Iterable[U]] | Callable[[T, Any], object],
        label: str = "",
    ) -> DataStream[U]:
        """One record in, any number out: returned, or handed to `collector.collect` if there are two parameters."""
        return self._then("flat_map", function, flat_mapping(function), label)

    def filter(self, predicate: Callable[[T], bool], label: str = "") -> DataStream[T]:
        """Keep the records for which `predicate` is true."""
        return self._then("filter", predicate, filtered, label)

    def inspect(self, function: Callable[[T], object], label: str = "") -> DataStream[T]:
        """Look at each record, and pass it on."""
        return self._then("inspect", function, inspected, label)

    def union(self, *others: DataStream[T]) -> DataStream[T]:
        """Merge streams of one type. Merging is only declared: there is no stage that does it."""
        if not others:
            raise DeclarationError(f"union of {self.names()} with nothing, at {declared_at()}")
        for other in others:
            if other.context is not self.context:
                raise DeclarationError(
                    f"{self.names()} and {other.names()} are of two contexts, at {declared_at()}"
                )
        inputs = self.inputs + tuple(one for stream in others for one in stream.inputs)
        return replace(self, inputs=inputs)

    # -- with state, kept by key

    def reduce(self, function: Callable[[T, T], T], name: str = "") -> DataStream[T]:
        """A running fold for each key. Every record gives an output; a key's first record is given unchanged."""
        self.checked("reduce", function)
        return self.with_state("reduce", partial(Reduce, function=function), name)

    def sum(self, selector: Selector = 1, name: str = "") -> DataStream[tuple[Any, Any]]:
        """A running sum for each key, as `(key, sum)`. The selector says what of a record is added."""
        return self.with_state("sum", partial(Sum, function=selecting(selector)), name)

    def stateful(
        self, function: Callable[[Any, T], tuple[Any, Iterable[U]]], name: str = ""
    ) -> DataStream[U]:
        """Work on the state of each key: `function(state, record)` returns the new state and the outputs.

        The state is None for a new key, and None forgets the key.
        """
        self.checked("stateful", function)
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
        come out of order; what comes later still is set aside. Without it they go by the time of arrival.
        """
        self.key_for("window")
        return WindowedStream(self, frame_of(size_seconds, slide_seconds, time, lateness_seconds))

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
        frame = frame_of(size_seconds, None, time, lateness_seconds)
        return joined(self, other, frame, name)

    def join(self, other: DataStream[Any], *, keep: int | None = None) -> Join:
        """Join with another stream by key: `join(other).where(key).equal_to(key).with_(function)`.

        Each record meets every record of the other side that came before it and has its key, so each pair is given
        once, when its second half comes. For that, what came is remembered for as long as the job lives: without
        `keep` all of it, with `keep` the newest so many of each key and side. `window_join` forgets by time.
        """
        return Join(self, other, keep)

    # -- ends

    def sink(self, function: Callable[[T], object], name: str = "") -> DataStream[Any]:
        """End the stream: `function` is called for each record, in order for each key, at least once."""
        return self._then("sink", function, sunk, name=name, ends=True)

    def sink_once(
        self, function: Callable[[Key, T], object], key: Selector, name: str = ""
    ) -> DataStream[Any]:
        """End the stream: `function(key, record)` is called once for each key, which identifies a record for good.

        Whatever is sent again is recognised by its key. Only a crash between the call and the commit of one batch
        repeats calls, with the same keys: give the key to the outside world as its idempotence key, and the effect
        happens exactly once.
        """
        self.checked("sink_once", function)
        step = partial(OnceFor, function=function)
        return self.key_by(key).with_state("sink_once", step, name)

    def with_state(self, verb: str, make: Callable[..., Step], name: str = "") -> DataStream[Any]:
        """Work on the state of each key by a step of one's own, which `make(key)` builds; see `steps.Step`."""
        step = partial(make, self.key_for(verb))
        return self.into(Stage(name=name or self.context.fresh(verb), kind=Kind.KEEPER, make=step))

    # -- stages that answer record by record, as the gateway's do

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
        """Hand the records, in batches, to instances of the operator that `make` builds.

        An operator has `process(records)`, synchronous or async, which returns for each record the list of its
        outputs or an exception that refuses it. A synchronous operator runs on one thread of its own. It may have
        `released(records)`: it is given outputs that could not be handed on at once, to take them back.
        Where records take their time, each on its own, an operator has the async `process_single(record, emit)`
        instead: the records of a batch run side by side, begun in their order. `await emit(output)` hands an output on
        at once and returns when the next stages have taken it. Records that are `first` do not wait for the others.
        """
        stage = Stage(
            name=name,
            kind=Kind.OPERATOR,
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
    ) -> DataStream[Any]:
        """Call a function without state, anywhere in the cluster, once for each batch; it answers like an operator.

        It is called at most once for a batch (`Handover.ONCE`). `first` is as for `operate`.
        """
        stage = Stage(
            name=name,
            kind=Kind.FUNCTION,
            make=function,
            handover=Handover.AT_MOST_ONCE,
            max_batch=max_batch,
            first=first,
        )
        return self.into(stage, parallelism=1)

    # -- how it is done

    def _then(
        self,
        verb: str,
        function: Any,
        how: Any,
        label: str = "",
        name: str = "",
        ends: bool = False,
    ) -> DataStream[Any]:
        self.checked(verb, function)
        chained = Chained(name or self.context.fresh(verb), function, how)
        # A sink is pressed for an answer by stages that do not number what they send.
        handover = Handover.AT_LEAST_ONCE if ends else Handover.REQUEST
        stage = Stage(name=chained.name, kind=Kind.KEEPER, make=None, handover=handover)
        return self.into(stage, transform=chained, label=label, ends=ends)

    def into(self, stage: Stage, **more: Any) -> DataStream[Any]:
        """Add a verb that takes this stream, run by `stage`."""
        return DataStream(self.context, self.add(stage, **more))
