"""Windows of time by key: filled by records, and emitted when their time is over."""

from __future__ import annotations

import heapq
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from math import inf
from typing import Any, NamedTuple

from messaging.streaming.api.errors import DeclarationError, Late
from messaging.streaming.api.partition import Key
from messaging.streaming.api.stage import Instance
from messaging.streaming.stateful.state.values import KeyedState


class Window(NamedTuple):
    """The result of one window of one key. It holds times from `start`, up to but without `end`, in seconds."""

    key: Any
    start: float
    end: float
    value: Any


@dataclass(frozen=True, slots=True)
class Frame:
    """The division of time: every `slide` seconds a window of `size` seconds begins.

    `time` reads the event time of a record, in seconds; without it the time of arrival counts. Event time is taken
    to have passed t when every sender has sent a record of t + `lateness`.
    """

    size: float
    slide: float
    time: Callable[[Any], float] | None
    lateness: float

    @classmethod
    def of(
        cls,
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
        return cls(size_seconds, slide, time, lateness_seconds)

    def starts(self, moment: float) -> Iterator[float]:
        """Return the beginnings of all windows that hold a moment, the latest first."""
        start = moment // self.slide * self.slide
        while start + self.size > moment:
            yield start
            start -= self.slide


class WindowStep:
    """Folds the records of each window, and gives a `Window` when it is over."""

    def __init__(
        self,
        key: Callable[[Any], Key],
        frame: Frame,
        first: Callable[[Any], Any],
        fold: Callable[[Any, Any], Any],
    ) -> None:
        self.latest = -inf
        self._key = key
        self._frame = frame
        self._first = first
        self._fold = fold
        self._state = KeyedState()
        self._ends: list[tuple[float, int, Key]] = []
        self._passed = -inf

    def open(self, instance: Instance, state: KeyedState) -> None:
        """See Step."""
        self._state = state
        self._ends = []
        self._passed = self.latest = -inf
        for key, windows in state.items():
            for start in windows:
                self._add_end(start + self._frame.size, key)

    def process(self, record: Any) -> Iterable[Any]:
        """See Step. Raises Late when all windows of the record are over."""
        key = self._key(record)
        moment = self._frame.time(record) if self._frame.time else time.time()
        starts = [s for s in self._frame.starts(moment) if s + self._frame.size > self._passed]
        if not starts:
            raise Late(f"{self._passed - moment:g} s after its windows were over")
        windows = dict(self._state.get(key, {}))
        for start in starts:
            if start in windows:
                windows[start] = self._fold(windows[start], record)
            else:
                windows[start] = self._first(record)
                self._add_end(start + self._frame.size, key)
        self._state[key] = windows
        self.latest = max(self.latest, moment)
        return ()

    def advance(self, watermark: float) -> Iterable[Window]:
        """See Advances. Also gives the windows of arrival time, once there is no more time at all."""
        if self._frame.time or watermark == inf:
            self._passed = max(self._passed, watermark - self._frame.lateness)
            yield from self._pop_until(self._passed)

    def tick(self, now: float) -> Iterable[Window]:
        """See Ticks."""
        if self._frame.time is None:
            yield from self._pop_until(now)

    def _pop_until(self, moment: float) -> Iterator[Window]:
        while self._ends and self._ends[0][0] <= moment:
            end, _, key = heapq.heappop(self._ends)
            windows = dict(self._state.get(key, {}))
            start = end - self._frame.size
            if start in windows:
                yield Window(key, start, end, windows.pop(start))
                if windows:
                    self._state[key] = windows
                else:
                    del self._state[key]

    def _add_end(self, end: float, key: Key) -> None:
        heapq.heappush(self._ends, (end, len(self._ends), key))
