"""Collects a declaration, and submits it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from messaging.streaming.api.errors import DeclarationError
from messaging.streaming.api.graph import Graph, Kind, Stage
from messaging.streaming.api.logical import Input, LogicalGraph, Node, declared_at
from messaging.streaming.api.plan import plan
from messaging.streaming.api.stream import DataStream
from messaging.streaming.connectors.sources import TextFile, Values

if TYPE_CHECKING:
    from messaging.streaming.ray.job import Job

log = logging.getLogger(__name__)

KNOWN_OPTIONS = ("state",)


class StreamingContext:
    """Where a dataflow is declared: sources first, then what happens to what they bring."""

    class Builder:
        """Makes a context; `option` keeps a setting of the job."""

        def __init__(self) -> None:
            self._options: dict[str, str] = {}

        def option(
            self,
            key: str | None = None,
            value: object = None,
            *,
            conf: Mapping[str, object] | None = None,
        ) -> StreamingContext.Builder:
            """Keep one option, or all of `conf`, as text. Functions find them in their context's `job_config`.

            The library itself reads `state`, the URL of the state store (see `stores.open_store`).
            Raises DeclarationError for a value of None; an empty text is a value.
            """
            given = dict(conf or {}) | ({key: value} if key is not None else {})
            for name, one in given.items():
                if one is None:
                    raise DeclarationError(f"option {name!r} has no value")
                if name not in KNOWN_OPTIONS:
                    log.info("option %s is not one of the library's own; it is kept", name)
                self._options[name] = str(one)
            return self

        def build(self) -> StreamingContext:
            """Return the context."""
            return StreamingContext(self._options)

    def __init__(self, options: Mapping[str, str] | None = None) -> None:
        self.options = dict(options or {})
        self._nodes: list[Node] = []
        self._parallelism: int | None = None

    # -- sources

    def source(self, name: str, make: Callable[[], Any], parallelism: int = 1) -> DataStream[Any]:
        """Declare a source: `make` builds an operator with `run(emit)`, which ends when the source does.

        `async def run` awaits `emit(record)`, which returns when the record was taken and raises when it was refused.
        A plain `def run` has a thread of its own; its `emit(record)` returns a `concurrent.futures.Future`.
        It may have `open(instance)`, called first, which tells it which of how many instances it is; `close()`; and
        `drain()`: take nothing new, finish what is in work, and let `run` return.

        An operator with `read` instead of `run` is declared with `read_from`.
        """
        return self._begin(Stage(name=name, kind=Kind.SOURCE, make=make), parallelism)

    def read_from(
        self, make: Callable[[], Any], name: str = "", parallelism: int = 1
    ) -> DataStream[Any]:
        """Declare a source that is read from a position (see `sources.Source`), and resumes where it was committed."""
        stage = Stage(name=name or self.fresh("source"), kind=Kind.READER, make=make)
        return self._begin(stage, parallelism)

    def inlet(self, name: str) -> DataStream[Any]:
        """Declare a source that is fed from outside the job: whoever connects to the job and opens the inlet."""
        return self._begin(Stage(name=name, kind=Kind.INLET, make=None), 1)

    def from_values(self, *values: Any) -> DataStream[Any]:
        """Declare a source of these values, which its instances split among them; it ends after the last."""
        return self.read_from(Values(values), self.fresh("values"))

    def from_collection(self, values: Collection[Any]) -> DataStream[Any]:
        """`from_values` of what the collection holds now. Raises DeclarationError for an empty one."""
        if not values:
            raise DeclarationError(f"an empty collection (declared at {declared_at()})")
        return self.from_values(*values)

    def read_text_file(self, path: object) -> DataStream[str]:
        """Declare a source of the lines of a file that every instance can open; each instance reads a part of it."""
        return self.read_from(TextFile(str(path)), self.fresh("file"))

    # -- for all

    def set_parallelism(self, parallelism: int) -> StreamingContext:
        """Run what is declared from here on in so many instances, unless it says otherwise. Sources stay at one."""
        _check(parallelism, "the context")
        self._parallelism = parallelism
        return self

    def logical_graph(self) -> LogicalGraph:
        """Return what has been declared so far, verb by verb."""
        return LogicalGraph(tuple(self._nodes))

    def graph(self) -> Graph:
        """Return what would run, as a value: stages and the edges between them."""
        graph = plan(self.logical_graph(), self.options)
        graph.upstream_first()
        return graph

    def submit(self, name: str, savepoint: object = None) -> Job:
        """Run the dataflow on Ray, which is started if need be, and return the job. See `launch.launch`."""
        from messaging.streaming.ray.launch import launch  # which knows Ray

        return launch(self.graph(), name, savepoint)

    def execute(self, name: str) -> Job:
        """`submit`, and return when the job has ended."""
        job = self.submit(name)
        job.wait()
        return job

    # -- for the streams

    def fresh(self, verb: str) -> str:
        """Return a name for a stage that was given none: stable as long as the declaration is."""
        return f"{verb}-{len(self._nodes)}"

    def add(self, stage: Stage, inputs: tuple[Input, ...] = (), **more: Any) -> Node:
        """Add a verb. Raises DeclarationError."""
        node = Node(
            id=len(self._nodes), stage=stage, inputs=inputs, declared_at=declared_at(), **more
        )
        for other in self._nodes:
            if other.stage.name == stage.name:
                raise DeclarationError(f"there is a stage {stage.name!r} already: {other}")
        if node.parallelism is not None:
            _check(node.parallelism, str(node))
        elif inputs:
            node = replace(node, parallelism=self._parallelism)
        self._nodes.append(node)
        return node

    def node(self, number: int) -> Node:
        """Return a verb."""
        return self._nodes[number]

    def change(self, number: int, **changes: Any) -> None:
        """Change a verb that was declared. Raises DeclarationError."""
        if "parallelism" in changes:
            _check(changes["parallelism"], str(self._nodes[number]))
        self._nodes[number] = replace(self._nodes[number], **changes)

    def _begin(self, stage: Stage, parallelism: int) -> DataStream[Any]:
        node = self.add(stage, parallelism=parallelism)
        return DataStream(self, (Input(node=node.id),))


def _check(parallelism: int, what: str) -> None:
    if parallelism < 1:
        raise DeclarationError(f"{what}: parallelism {parallelism}")
