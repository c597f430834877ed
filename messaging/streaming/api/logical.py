"""The logical graph: the verbs as they were declared, before they are planned into actors."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from messaging.streaming.api.functions import Transform
from messaging.streaming.api.partition import Partition
from messaging.streaming.api.stage import Stage

_HERE = str(Path(__file__).parents[1])


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """A stream that a node takes, with the partition of the last partition call on it."""

    node: int
    partition: Partition | None = None
    time: Callable[[Any], float] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One verb. `stage` runs it by itself; a node with a `transform` may run chained to its input instead.

    `parallelism` None means: as many instances as the first input has.
    """

    id: int
    stage: Stage
    inputs: tuple[Input, ...] = ()
    transform: Transform | None = None
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
        """Return the number of instances of a node."""
        if node.parallelism is None and node.inputs:
            return self.parallelism(self.nodes[node.inputs[0].node])
        return node.parallelism or 1

    def __str__(self) -> str:
        lines: list[str] = []
        for node in self.nodes:
            lines.append(f"{self._title(node)}  declared at {node.declared_at}")
            for upstream, label in self._arrows(node):
                lines.append(f"  ◄── {self.nodes[upstream].stage.name}  [{label}]")
        return "\n".join(lines)

    def dot(self) -> str:
        """Return the graph for Graphviz."""
        lines = [f'  n{node.id} [label="{self._title(node)}"];' for node in self.nodes]
        for node in self.nodes:
            for upstream, label in self._arrows(node):
                lines.append(f'  n{upstream} -> n{node.id} [label="{label}"];')
        return "\n".join(["digraph declared {", "  rankdir=LR; node [shape=box];", *lines, "}"])

    def _title(self, node: Node) -> str:
        return f"{node.stage.name} x{self.parallelism(node)}"

    def _arrows(self, node: Node) -> Iterator[tuple[int, str]]:
        for source in node.inputs:
            yield source.node, source.partition.label if source.partition else "as it comes"


def declared_at() -> str:
    """Return the file and line, outside this package, of the declaration that is being made now."""
    frame = sys._getframe(1)
    while frame.f_back and frame.f_code.co_filename.startswith(_HERE):
        frame = frame.f_back
    return f"{frame.f_code.co_filename}:{frame.f_lineno}"
