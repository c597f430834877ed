"""The logical graph: what was declared, verb by verb, before it is decided what runs together in one actor."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from messaging.streaming.api.functions import Chained
from messaging.streaming.api.graph import Stage
from messaging.streaming.api.partition import Partition

_HERE = str(Path(__file__).parents[1])


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """A stream that a node takes, with what the last partition call on it said."""

    node: int
    partition: Partition | None = None
    time: Callable[[Any], float] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One verb. `stage` is how it runs by itself; with a `transform` it may run chained to what feeds it instead.

    `parallelism` None means: as many instances as the first input has.
    """

    id: int
    stage: Stage
    inputs: tuple[Input, ...] = ()
    transform: Chained | None = None
    java: tuple[tuple[str, str], ...] = ()
    label: str = ""
    parallelism: int | None = None
    ends: bool = False
    chain: bool = True
    config: Mapping[str, str] = field(default_factory=dict)
    declared_at: str = ""

    def __str__(self) -> str:
        return f"stream {self.stage.name!r} (declared at {self.declared_at})"


@dataclass(frozen=True, slots=True)
class LogicalGraph:
    """All nodes, in the order of declaration, which is upstream first."""

    nodes: tuple[Node, ...]

    def parallelism(self, node: Node) -> int:
        """Return how many instances a node has."""
        if node.parallelism is None and node.inputs:
            return self.parallelism(self.nodes[node.inputs[0].node])
        return node.parallelism or 1

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def dot(self) -> str:
        """Return the graph for Graphviz."""
        lines = [f'  n{node.id} [label="{self._title(node)}"];' for node in self.nodes]
        lines += [f'  n{a} -> n{b} [label="{label}"];' for a, b, label in self._arrows()]
        return "\n".join(["digraph declared {", "  rankdir=LR; node [shape=box];", *lines, "}"])

    def _lines(self) -> Iterator[str]:
        for node in self.nodes:
            yield f"{self._title(node)}  declared at {node.declared_at}"
            for upstream, _, label in self._arrows(node):
                yield f"  ◄── {self.nodes[upstream].stage.name}  [{label}]"

    def _title(self, node: Node) -> str:
        return f"{node.stage.name} x{self.parallelism(node)}"

    def _arrows(self, only: Node | None = None) -> Iterator[tuple[int, int, str]]:
        for node in (only,) if only else self.nodes:
            for source in node.inputs:
                label = source.partition.label if source.partition else "as it comes"
                yield source.node, node.id, label


def declared_at() -> str:
    """Return the file and line, outside this package, that is declaring something now."""
    frame = sys._getframe(1)
    while frame.f_back and frame.f_code.co_filename.startswith(_HERE):
        frame = frame.f_back
    return f"{frame.f_code.co_filename}:{frame.f_lineno}"
