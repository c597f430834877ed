"""Steps: the operators of stateful stages, which work on the state of a key; and the interface of their sources."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol, runtime_checkable

from messaging.streaming.api.functions import Transform, close_function, open_function
from messaging.streaming.api.partition import Key
from messaging.streaming.api.stage import Instance
from messaging.streaming.stateful.state.values import KeyedState

_NOTHING = object()


@runtime_checkable
class Step(Protocol):
    """The operator of a STATEFUL stage. Opened at each start of its worker, with the state from the store.

    It may also be one or more of `Advances`, `Ticks`, `ProcessesBatches` and `KnowsTime`.
    """

    def open(self, instance: Instance, state: KeyedState, /) -> object:
        """Begin with this state."""

    def process(self, record: Any, /) -> Iterable[Any]:
        """Return the outputs. An exception undoes the changes to the state that this record made."""


@runtime_checkable
class Advances(Protocol):
    """A step that works by event time."""

    def advance(self, watermark: float, /) -> Iterable[Any]:
        """Return outputs: the event time of every sender has passed `watermark`; infinity at the end."""


@runtime_checkable
class Ticks(Protocol):
    """A step that works by the time of day."""

    def tick(self, now: float, /) -> Iterable[Any]:
        """Return outputs. Called about ten times a second."""


@runtime_checkable
class ProcessesBatches(Protocol):
    """A step that takes a whole batch at once."""

    def process_all(self, records: Sequence[Any], /) -> Sequence[Iterable[Any] | Exception]:
        """Return for each record the outputs that `process` would return, or an exception."""


@runtime_checkable
class KnowsTime(Protocol):
    """A step that reads event time by itself, from records of senders without state."""

    latest: float


@runtime_checkable
class PositionedSource(Protocol):
    """The operator of a READER stage: read by position. It may be an `Opens` and an `Idles`."""

    def read(self, position: Any, count: int, /) -> tuple[Sequence[Any], Any] | None:
        """Return about `count` records after the position, and the new position; None at the end.

        The position None is the beginning. An empty sequence means: none now, ask again.
        """


@runtime_checkable
class Idles(Protocol):
    """A source that sets the pause after a read without records."""

    idle_seconds: float


class TransformStep:
    """A step without state: runs one transform in an actor of its own."""

    def __init__(self, transform: Transform) -> None:
        self._function = transform.function
        self.process: Callable[[Any], Iterable[Any]] = transform

    def open(self, instance: Instance, state: KeyedState) -> None:
        """See Step."""
        open_function(self._function, instance)

    def close(self) -> None:
        """Close the function object."""
        close_function(self._function)


class KeyedStep:
    """Calls a function of the user's with the state of a record's key."""

    def __init__(self, key: Callable[[Any], Key], function: Callable[..., Any]) -> None:
        self._key = key
        self._function = function
        self._state = KeyedState()

    def open(self, instance: Instance, state: KeyedState) -> None:
        """See Step."""
        self._state = state
        open_function(self._function, instance)

    def close(self) -> None:
        """Close the function object."""
        close_function(self._function)


class Reduce(KeyedStep):
    """A running fold for each key: every record gives one output, and a key's first record is given unchanged."""

    def process(self, record: Any) -> Iterable[Any]:
        """See Step."""
        key = self._key(record)
        known = self._state.get(key, _NOTHING)
        value = record if known is _NOTHING else self._function(known, record)
        self._state[key] = value
        return (value,)


class Sum(KeyedStep):
    """A running sum for each key: adds the value that the function selects, and gives `(key, sum)`."""

    def process(self, record: Any) -> Iterable[Any]:
        """See Step."""
        key = self._key(record)
        known, added = self._state.get(key, _NOTHING), self._function(record)
        value = added if known is _NOTHING else known + added
        self._state[key] = value
        return ((key, value),)


class Stateful(KeyedStep):
    """A function of the user's: `function(state, record)` returns the key's new state, and the outputs.

    The state is None for a new key, and None as the new state forgets the key.
    """

    def process(self, record: Any) -> Iterable[Any]:
        """See Step."""
        key = self._key(record)
        value, outputs = self._function(self._state.get(key), record)
        if value is not None:
            self._state[key] = value
        elif key in self._state:
            del self._state[key]
        return list(outputs)


class OncePerKey(KeyedStep):
    """A sink that is called once for each key; see `DataStream.sink_once`."""

    def process(self, record: Any) -> Iterable[Any]:
        """See Step."""
        key = self._key(record)
        if key not in self._state:
            self._function(key, record)
            self._state[key] = True
        return ()
