"""What users hand to the verbs: plain functions, or objects with `open(context)` and `close()`; and what wraps them."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from messaging.streaming.api.graph import Instance


class Collector:
    """What a flat_map function of two parameters hands its outputs to."""

    def __init__(self) -> None:
        self.collected: list[Any] = []
        self.collect = self.collected.append


@dataclass(frozen=True, slots=True, eq=False)
class Chained:
    """A verb without state: the user's function, what the verb makes of its answer, and the stream's settings."""

    name: str
    function: Any
    verb: Callable[[Any, Any], Iterable[Any]]
    config: Mapping[str, str] = field(default_factory=dict)

    def __call__(self, record: Any) -> Iterable[Any]:
        """Return the outputs of one record. Raises what the function raises."""
        return self.verb(self.function, record)


def mapped(function: Any, record: Any) -> Iterable[Any]:
    """One record in, one out."""
    return (function(record),)


def flat_mapped(function: Any, record: Any) -> Iterable[Any]:
    """One record in, any number out."""
    outputs: Iterable[Any] = function(record)
    return outputs


def collected(function: Any, record: Any) -> Iterable[Any]:
    """A flat_map whose function is given a collector."""
    collector = Collector()
    function(record, collector)
    return collector.collected


def filtered(function: Any, record: Any) -> Iterable[Any]:
    """Keep a record or not."""
    return (record,) if function(record) else ()


def inspected(function: Any, record: Any) -> Iterable[Any]:
    """Look at a record and pass it on."""
    function(record)
    return (record,)


def sunk(function: Any, record: Any) -> Iterable[Any]:
    """The end of a branch."""
    function(record)
    return ()


def flat_mapping(function: Any) -> Callable[[Any, Any], Iterable[Any]]:
    """Tell the two forms of a flat_map function apart by the number of its parameters."""
    return collected if _takes_two(function) else flat_mapped


def open_function(function: Any, instance: Instance) -> None:
    """Call `open(context)` of a function object that has it."""
    if hasattr(function, "open"):
        function.open(instance)


def close_function(function: Any) -> None:
    """Call `close()` of a function object that has it."""
    if hasattr(function, "close"):
        function.close()


def _takes_two(function: Callable[..., Any]) -> bool:
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return False  # a builtin that does not tell
    needed = [p for p in parameters if p.default is p.empty and p.kind in _POSITIONAL]
    return len(needed) == 2


_POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
