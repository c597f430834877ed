"""Collects the declaration of a dataflow."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, Self

from messaging.streaming.api.errors import DeclarationError
from messaging.streaming.api.functions import Transform, TransformOperator
from messaging.streaming.api.graph import Graph
from messaging.streaming.api.logical import Input, LogicalGraph, Node, declared_at
from messaging.streaming.api.plan import Planner
from messaging.streaming.api.stage import Handover, Stage, StageKind
from messaging.streaming.api.stream import Stream


class Dataflow:
    """A declaration: sources first, then the verbs on their streams. Nothing runs before the graph is submitted."""

    planner: type[Planner] = Planner

    def __init__(self, options: Mapping[str, str] | None = None) -> None:
        self.options = dict(options or {})
        self._nodes: list[Node] = []
        self._parallelism: int | None = None

    # -- sources

    def source(self, name: str, make: Callable[[], Any], parallelism: int = 1) -> Stream[Any]:
        """Declare a source: `make` builds an operator with `run(emit)`, which ends when the source does.

        `async def run` awaits `emit(record)`, which returns when the record was taken and raises when it was refused.
        A plain `def run` has a thread of its own; its `emit(record)` returns a `concurrent.futures.Future`.
        It may have `open(instance)`, called first, which tells it its number among the instances; `close()`; and
        `drain()`: take nothing new, finish the records in work, and let `run` return.
        """
        stage = Stage(name=name, kind=StageKind.SOURCE, make=make)
        return Stream(self, self.add_source(stage, parallelism))

    def inlet(self, name: str) -> Stream[Any]:
        """Declare a source that is fed from outside the job, by processes that open the inlet of the running job."""
        return Stream(self, self.add_source(Stage(name=name, kind=StageKind.INLET, make=None), 1))

    # -- the whole

    def set_parallelism(self, parallelism: int) -> Self:
        """Run all later verbs in so many instances, unless they say otherwise. Sources stay at one."""
        _check_parallelism(parallelism, "the context")
        self._parallelism = parallelism
        return self

    def logical_graph(self) -> LogicalGraph:
        """Return the declaration so far, verb by verb."""
        return LogicalGraph(tuple(self._nodes))

    def graph(self) -> Graph:
        """Return the physical graph as a value: stages and the edges between them. Raises DeclarationError."""
        graph = self.planner(self.logical_graph()).graph(self.options)
        graph.upstream_first()
        return graph

    # -- for the streams

    def fresh_name(self, verb: str) -> str:
        """Return a name for a stage that was given none: stable as long as the declaration is."""
        return f"{verb}-{len(self._nodes)}"

    def transform_stage(self, transform: Transform, handover: Handover) -> Stage:
        """Return the stage that runs a verb without state where it is not chained."""
        make = partial(TransformOperator, transform)
        return Stage(name=transform.name, kind=StageKind.OPERATOR, make=make, handover=handover)

    def add_source(self, stage: Stage, parallelism: int) -> tuple[Input, ...]:
        """Add a source, and return the stream it makes as an input. Raises DeclarationError."""
        return (Input(node=self.add(stage, parallelism=parallelism).id),)

    def add(self, stage: Stage, inputs: tuple[Input, ...] = (), **more: Any) -> Node:
        """Add a verb. Raises DeclarationError."""
        node = Node(
            id=len(self._nodes), stage=stage, inputs=inputs, declared_at=declared_at(), **more
        )
        for other in self._nodes:
            if other.stage.name == stage.name:
                raise DeclarationError(f"there is a stage {stage.name!r} already: {other}")
        if node.parallelism is not None:
            _check_parallelism(node.parallelism, str(node))
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
            _check_parallelism(changes["parallelism"], str(self._nodes[number]))
        self._nodes[number] = replace(self._nodes[number], **changes)


def _check_parallelism(parallelism: int, subject: str) -> None:
    if parallelism < 1:
        raise DeclarationError(f"{subject}: parallelism {parallelism}")
