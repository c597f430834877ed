"""What a keeping stage does with a record: pass it through a function, or work on the state of its key."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Protocol

from messaging.streaming.api.functions import close_function, open_function
from messaging.streaming.api.graph import Instance, Transform
from messaging.streaming.api.keys import Key
from messaging.streaming.stateful.state.values import State

_NOTHING = object()


class Step(Protocol):
    """Opened once for each life of a worker, with the state that the store has.

    A step may also have `advance(watermark)`, called when the event time of everything that feeds it has passed
    `watermark`, and at the end with infinity; `tick(now)`, called about ten times a second; and
    `process_all(records)`, which returns for a whole batch what `process` would return, or an exception.
    """

    def open(self, instance: Instance, state: State) -> None:
        """Begin with this state."""

    def process(self, record: Any) -> Iterable[Any]:
        """Return the outputs. What is raised undoes the changes to the state that this record made."""


class Pass:
    """A function without state, in an actor of its own."""

    def __init__(self, transform: Transform) -> None:
        self._transform = transform
        self._function = getattr(transform, "function", transform)
        self.process: Transform = transform

    def open(self, instance: Instance, state: State) -> None:
        """See Step."""
        open_function(self._function, instance)

    def close(self) -> None:
        """Close the function object."""
        close_function(self._function)


class OfKey:
    """The state of a key, and a function of the user's that needs it."""

    def __init__(self, key: Callable[[Any], Key], function: Callable[..., Any]) -> None:
        self._key = key
        self._function = function
        self._state = State()

    def open(self, instance: Instance, state: State) -> None:
        """See Step."""
        self._state = state
        open_function(self._function, instance)

    def close(self) -> None:
        """Close the function object."""
        close_function(self._function)


class Reduce(OfKey):
    """A running fold for each key: every record gives one output, and a key's first record is given unchanged."""

    def process(self, record: Any) -> Iterable[Any]:
        """See Step."""
        key = self._key(record)
        known = self._state.get(key, _NOTHING)
        value = record if known is _NOTHING else self._function(known, record)
        self._state[key] = value
        return (value,)


class Sum(OfKey):
    """A running sum for each key of what the function selects; gives `(key, sum)`."""

    def process(self, record: Any) -> Iterable[Any]:
        """See Step."""
        key = self._key(record)
        known, added = self._state.get(key, _NOTHING), self._function(record)
        value = added if known is _NOTHING else known + added
        self._state[key] = value
        return ((key, value),)


class Stateful(OfKey):
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


class OnceFor(OfKey):
    """A sink that is called once for each key; see `DataStream.sink_once`."""

    def process(self, record: Any) -> Iterable[Any]:
        """See Step."""
        key = self._key(record)
        if key not in self._state:
            self._function(key, record)
            self._state[key] = True
        return ()
