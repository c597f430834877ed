"""Windows of time over a keyed stream, and joins within them: how they are declared."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from messaging.streaming.api.errors import DeclarationError
from messaging.streaming.api.keys import Selector, selecting
from messaging.streaming.windows.join import Sided, side_by_side
from messaging.streaming.windows.window_steps import Frame, Window, Windowed

if TYPE_CHECKING:
    from messaging.streaming.api.stream import DataStream

Fold = Callable[[Any, Any], Any]


@dataclass(frozen=True, slots=True)
class WindowedStream:
    """A keyed stream cut into windows. Each verb gives a `Window` for each key and window, when the window is over."""

    stream: DataStream[Any]
    frame: Frame

    def reduce(self, function: Fold, name: str = "") -> DataStream[Window]:
        """Fold the records; the first one is taken as it is."""
        self.stream.checked("window", function)
        return self._folded(_itself, function, name)

    def sum(self, selector: Selector = 1, name: str = "") -> DataStream[Window]:
        """Add up what the selector takes from each record."""
        select = selecting(selector)
        return self._folded(select, partial(_add, select), name)

    def count(self, name: str = "") -> DataStream[Window]:
        """Count the records."""
        return self._folded(_one, partial(_add, _one), name)

    def collect(self, name: str = "") -> DataStream[Window]:
        """Keep the records, as a tuple in the order of their arrival."""
        return self._folded(_alone, partial(_add, _alone), name)

    def _folded(self, first: Callable[[Any], Any], fold: Fold, name: str) -> DataStream[Window]:
        timed = tuple(replace(one, time=self.frame.time) for one in self.stream.inputs)
        stream = replace(self.stream, inputs=timed)
        step = partial(Windowed, frame=self.frame, first=first, fold=fold)
        return stream.with_state("window", step, name)


def frame_of(
    size_seconds: float,
    slide_seconds: float | None,
    time: Callable[[Any], float] | None,
    lateness_seconds: float,
) -> Frame:
    """Return the frame. Raises DeclarationError for lengths that make no windows."""
    slide = size_seconds if slide_seconds is None else slide_seconds
    if size_seconds <= 0 or slide <= 0 or lateness_seconds < 0:
        raise DeclarationError(
            f"windows of {size_seconds} s every {slide} s, {lateness_seconds} s late"
        )
    return Frame(size_seconds, slide, time, lateness_seconds)


def joined(
    left: DataStream[Any], right: DataStream[Any], frame: Frame, name: str
) -> DataStream[Window]:
    """Declare the join of two streams by their keys, within windows: a `Window` for each pair `(left, right)`."""
    time = partial(_time_of_sided, frame.time) if frame.time else None
    both = side_by_side(left, right, "window_join")
    windows = WindowedStream(both, replace(frame, time=time))
    return windows._folded(_first_side, _both_sides, name).flat_map(_pairs)


def _itself(record: Any) -> Any:
    return record


def _one(record: Any) -> int:
    return 1


def _alone(record: Any) -> tuple[Any]:
    return (record,)


def _add(select: Callable[[Any], Any], value: Any, record: Any) -> Any:
    return value + select(record)


def _time_of_sided(time: Callable[[Any], float], sided: Sided) -> float:
    return time(sided[2])


def _first_side(sided: Sided) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    return _both_sides(((), ()), sided)


def _both_sides(
    value: tuple[tuple[Any, ...], tuple[Any, ...]], sided: Sided
) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    lefts, rights = value
    _, side, record = sided
    return (lefts, (*rights, record)) if side else ((*lefts, record), rights)


def _pairs(window: Window) -> list[Window]:
    lefts, rights = window.value
    return [window._replace(value=(left, right)) for left in lefts for right in rights]
