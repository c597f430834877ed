"""Collects a declaration and submits it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from messaging.streaming.errors import DeclarationError
from messaging.streaming.graph import Edge, Graph, Instance, Kind, Stage
from messaging.streaming.stream import DataStream, Origin


class StreamingContext:
    """Where a dataflow is declared: sources first, then what happens to what they bring."""

    class Builder:
        """Makes a context; `option` keeps a setting of the job."""

        def __init__(self) -> None:
            self._options: dict[str, str] = {}

        def option(self, key: str, value: str) -> StreamingContext.Builder:
            """Keep one option."""
            self._options[key] = value
            return self

        def build(self) -> StreamingContext:
            """Return the context."""
            return StreamingContext(self._options)

    def __init__(self, options: dict[str, str] | None = None) -> None:
        self.options = dict(options or {})
        self._stages: dict[str, Stage] = {}
        self._edges: list[Edge] = []

    def source(self, name: str, make: Callable[[], Any], parallelism: int = 1) -> DataStream[Any]:
        """Declare a source: `make` builds an operator with `run(emit)`, which ends when the source does.

        `async def run` awaits `emit(record)`, which returns when the record was taken and raises when it was refused.
        A plain `def run` has a thread of its own; its `emit(record)` returns a `concurrent.futures.Future`.
        It may have `open(instance)`, called first, which tells it which of how many instances it is; `close()`; and
        `drain()`: take nothing new, finish what is in work, and let `run` return.
        """
        stage = Stage(name=name, kind=Kind.SOURCE, make=make, parallelism=parallelism)
        return self._begin(stage)

    def inlet(self, name: str) -> DataStream[Any]:
        """Declare a source that is fed from outside the job: whoever connects to the job and opens the inlet."""
        return self._begin(Stage(name=name, kind=Kind.INLET, make=None))

    def from_values(self, *values: Any) -> DataStream[Any]:
        """Declare a source of these values; it ends after the last."""
        name = f"values-{len(self._stages)}"
        return self.source(name, _Values(tuple(values)))

    def add(self, stage: Stage, *edges: Edge) -> None:
        """Add a stage and the edges that lead to it. Raises DeclarationError."""
        if stage.name in self._stages:
            raise DeclarationError(f"there is a stage {stage.name!r} already")
        if stage.parallelism < 1:
            raise DeclarationError(f"stage {stage.name!r}: parallelism {stage.parallelism}")
        self._stages[stage.name] = stage
        self._edges += edges

    def change(self, name: str, *, parallelism: int) -> None:
        """Change the number of instances of a stage."""
        if parallelism < 1:
            raise DeclarationError(f"stage {name!r}: parallelism {parallelism}")
        self._stages[name] = replace(self._stages[name], parallelism=parallelism)

    def graph(self) -> Graph:
        """Return what has been declared so far, as a value."""
        graph = Graph(tuple(self._stages.values()), tuple(self._edges))
        graph.upstream_first()
        return graph

    def _begin(self, stage: Stage) -> DataStream[Any]:
        self.add(stage)
        return DataStream(self, (Origin(stage.name),))


class _Values:
    """A source of given values, split between its instances by their number."""

    def __init__(self, values: tuple[Any, ...]) -> None:
        self._values = values
        self._instance = Instance()

    def __call__(self) -> _Values:
        return _Values(self._values)

    def open(self, instance: Instance) -> None:
        self._instance = instance

    async def run(self, emit: Callable[[Any], Awaitable[None]]) -> None:
        for value in self._values[self._instance.index :: self._instance.parallelism]:
            await emit(value)
