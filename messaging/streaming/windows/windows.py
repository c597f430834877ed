"""Windows of time over a keyed stream: their declaration."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from messaging.streaming.api.functions import identity
from messaging.streaming.api.partition import Selector, selector_function
from messaging.streaming.windows.window_steps import Frame, Window, WindowStep

if TYPE_CHECKING:
    from messaging.streaming.stream import DataStream

Fold = Callable[[Any, Any], Any]


@dataclass(frozen=True, slots=True)
class WindowedStream:
    """A keyed stream cut into windows. Each verb gives a `Window` for each key and window, when the window is over."""

    stream: DataStream[Any]
    frame: Frame

    def reduce(self, function: Fold, name: str = "") -> DataStream[Window]:
        """Fold the records; the first one is taken as it is."""
        self.stream.check_function("window", function)
        return self.fold(identity, function, name)

    def sum(self, selector: Selector = 1, name: str = "") -> DataStream[Window]:
        """Add up the summand that the selector takes from each record."""
        select = selector_function(selector)
        return self.fold(select, partial(_add, select), name)

    def count(self, name: str = "") -> DataStream[Window]:
        """Count the records."""
        return self.fold(_one, partial(_add, _one), name)

    def collect(self, name: str = "") -> DataStream[Window]:
        """Keep the records, as a tuple in the order of their arrival."""
        return self.fold(_tuple_of, partial(_add, _tuple_of), name)

    def fold(self, first: Callable[[Any], Any], fold: Fold, name: str) -> DataStream[Window]:
        """Begin each window with `first(record)`, and go on with `fold(value, record)`."""
        inputs = tuple(replace(one, time=self.frame.time) for one in self.stream.inputs)
        step = partial(WindowStep, frame=self.frame, first=first, fold=fold)
        return replace(self.stream, inputs=inputs).with_state("window", step, name)


def _one(record: Any) -> int:
    return 1


def _tuple_of(record: Any) -> tuple[Any]:
    return (record,)


def _add(select: Callable[[Any], Any], value: Any, record: Any) -> Any:
    return value + select(record)
