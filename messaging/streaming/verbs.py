"""The verbs without state: the outputs of one record, by the function of the user."""

import inspect
from collections.abc import Iterable
from typing import Any


class OutputCollector:
    """Collects the outputs of a flat_map function of two parameters."""

    def __init__(self) -> None:
        self.outputs: list[Any] = []
        self.collect = self.outputs.append


def map_record(function: Any, record: Any) -> Iterable[Any]:
    """Return the one output."""
    return (function(record),)


def flat_map_record(function: Any, record: Any) -> Iterable[Any]:
    """Return the outputs that the function returns."""
    outputs: Iterable[Any] = function(record)
    return outputs


def flat_map_by_collector(function: Any, record: Any) -> Iterable[Any]:
    """Return the outputs that the function hands to a collector."""
    collector = OutputCollector()
    function(record, collector)
    return collector.outputs


def inspect_record(function: Any, record: Any) -> Iterable[Any]:
    """Call the function, and return the record."""
    function(record)
    return (record,)


def sink_record(function: Any, record: Any) -> Iterable[Any]:
    """Call the function, and return nothing."""
    function(record)
    return ()


def takes_two(function: Any) -> bool:
    """Whether a function has two parameters that must be given."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return False  # a builtin without a signature, or no function at all
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    required = [p for p in parameters if p.default is p.empty and p.kind in positional]
    return len(required) == 2
