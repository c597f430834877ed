"""Joins of two keyed streams: of all records, and within windows of time."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial
from itertools import product
from typing import TYPE_CHECKING, Any

from messaging.streaming.api.errors import DeclarationError
from messaging.streaming.api.logical import declared_at
from messaging.streaming.api.partition import Key, Selector
from messaging.streaming.stateful.steps import KeyedStep
from messaging.streaming.windows.window_steps import Frame, Window
from messaging.streaming.windows.windows import WindowedStream

if TYPE_CHECKING:
    from messaging.streaming.stream import DataStream

SideRecord = tuple[Key, int, Any]
"""The key of a record, its side (0 is left, 1 is right), and the record."""

Sides = tuple[tuple[Any, ...], tuple[Any, ...]]
"""The records of the left and of the right side."""


@dataclass(frozen=True, slots=True)
class Join:
    """A join that is being declared; `where` and `equal_to` key the streams, if they are not keyed yet."""

    left: DataStream[Any]
    right: DataStream[Any]
    keep: int | None = None

    def where(self, key: Selector) -> Join:
        """Set the key of a left record."""
        return replace(self, left=self.left.key_by(key))

    def equal_to(self, key: Selector) -> Join:
        """Set the key of a right record."""
        return replace(self, right=self.right.key_by(key))

    def with_(self, function: Callable[[Any, Any], Any], name: str = "") -> DataStream[Any]:
        """Give `function(left, right)` for each pair with one key. Raises DeclarationError for a side without a key."""
        if self.keep is not None and self.keep < 1:
            raise DeclarationError(
                f"join at {declared_at()} keeps {self.keep} records: {self.left.names()}"
            )
        self.left.check_function("join", function)
        both = _side_by_side(self.left, self.right, "join")
        return both.with_state("join", partial(JoinStep, function=function, keep=self.keep), name)


class JoinStep(KeyedStep):
    """Remembers by key the records of each side; a new record meets those of the other side.

    `keep` bounds how many records of each side and key are remembered: the newest.
    """

    def __init__(
        self, key: Callable[[Any], Key], function: Callable[[Any, Any], Any], keep: int | None
    ) -> None:
        super().__init__(key, function)
        self._newest = slice(None if keep is None else -keep, None)

    def process(self, record: SideRecord) -> Iterable[Any]:
        """See Step."""
        key, side, new = record
        lefts, rights = self._state.get(key, ((), ()))
        if side:
            outputs = [self._function(left, new) for left in lefts]
            rights = (*rights, new)[self._newest]
        else:
            outputs = [self._function(new, right) for right in rights]
            lefts = (*lefts, new)[self._newest]
        self._state[key] = lefts, rights
        return outputs


def window_join(
    left: DataStream[Any], right: DataStream[Any], frame: Frame, name: str
) -> DataStream[Window]:
    """Declare the join of two streams by their keys, within windows: a `Window` for each pair `(left, right)`."""
    time = partial(_time_of, frame.time) if frame.time else None
    both = _side_by_side(left, right, "window_join")
    windows = WindowedStream(both, replace(frame, time=time))
    first = partial(_add_side, ((), ()))
    return windows.fold(first, _add_side, name).flat_map(
        lambda window: [window._replace(value=pair) for pair in product(*window.value)]
    )


def _side_by_side(
    left: DataStream[Any], right: DataStream[Any], verb: str
) -> DataStream[SideRecord]:
    """Bring two keyed streams together in one, by key. Raises DeclarationError for one without a key."""
    lefts, rights = (
        stream.with_partition(None).map(partial(_with_side, stream.key_for(verb), side))
        for side, stream in enumerate((left, right))
    )
    return lefts.union(rights).key_by(0)


def _with_side(key: Callable[[Any], Key], side: int, record: Any) -> SideRecord:
    return key(record), side, record


def _time_of(time: Callable[[Any], float], record: SideRecord) -> float:
    return time(record[2])


def _add_side(sides: Sides, record: SideRecord) -> Sides:
    lefts, rights = sides
    _, side, new = record
    return (lefts, (*rights, new)) if side else ((*lefts, new), rights)
