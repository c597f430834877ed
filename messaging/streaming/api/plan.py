"""Plans the physical graph: decides which verbs run chained in one actor, and draws the edges between the actors."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from messaging.streaming.api.functions import Transform
from messaging.streaming.api.graph import Edge, Graph
from messaging.streaming.api.logical import Input, LogicalGraph, Node
from messaging.streaming.api.partition import Forward, Partition, RoundRobin
from messaging.streaming.api.stage import Stage, StageKind


@dataclass(frozen=True, slots=True)
class Path:
    """The way of records from a stage to a node: the functions chained between them."""

    stage: str
    transforms: tuple[Transform, ...] = ()
    label: str = ""

    def then(self, transform: Transform, label: str) -> Path:
        """Return the path with one more function at its end."""
        labels = " ".join(filter(None, (self.label, label)))
        return Path(self.stage, (*self.transforms, transform), labels)


class Planner:
    """Plans one logical graph. A verb without state is chained where it may be; see `is_chained`.

    A subclass may run several nodes by one operator: it overrides `predecessor` and `maker`.
    """

    def __init__(self, logical: LogicalGraph) -> None:
        self.logical = logical
        self.nodes = logical.nodes

    def graph(self, options: Mapping[str, str]) -> Graph:
        """Return the physical graph. Raises DeclarationError."""
        merged = {before.id for node in self.nodes if (before := self.predecessor(node))}
        alone = [node for node in self.nodes if node.id not in merged]
        stages = [self._stage(node) for node in alone if not self.is_chained(node)]
        edges = [edge for node in alone for edge in self._edges(node)]
        graph = Graph(tuple(stages), tuple(edges), dict(options))
        with_senders = (replace(stage, senders=_senders(graph, stage.name)) for stage in stages)
        return replace(graph, stages=tuple(with_senders))

    # -- for subclasses

    def predecessor(self, node: Node) -> Node | None:
        """Return the node whose work the operator of this node does, too, just before its own."""
        return None

    def maker(self, node: Node) -> Callable[..., Any] | None:
        """Return the maker of the node's operator."""
        return node.stage.make

    def can_join(self, node: Node, source: Input) -> bool:
        """Whether the node may run where its input is emitted: same parallelism, and no setting forbids it."""
        before = self.nodes[source.node]
        demand = node.stage.demand
        if demand and demand != before.stage.demand:
            return False
        if node.ends:
            stateful = {one.stage.name for one in self.nodes if one.stage.kind.is_stateful}
            if not all(path.stage in stateful for path in self._paths(before)):
                return False  # a stage without state must not call a sink that may raise
        same = node.parallelism in (None, self.logical.parallelism(before))
        return same and before.chain and isinstance(source.partition, Forward | None)

    # -- stages

    def is_chained(self, node: Node) -> bool:
        """Whether the node's function runs in the actors that emit its input."""
        return (
            node.transform is not None
            and node.chain
            and all(self.can_join(node, source) for source in node.inputs)
        )

    def _head(self, node: Node) -> Node:
        """Return the first of the nodes that run by one operator: it is given the records."""
        before = self.predecessor(node)
        return self._head(before) if before else node

    def _stage(self, node: Node) -> Stage:
        head = self._head(node).stage
        return replace(
            node.stage,
            make=self.maker(node),
            parallelism=self.logical.parallelism(node),
            config=node.config,
            cpus=head.cpus,
            resources=head.resources,
        )

    # -- edges

    def _paths(self, node: Node) -> Iterator[Path]:
        if not self.is_chained(node) or node.transform is None:
            yield Path(node.stage.name)
            return
        for source in node.inputs:
            for path in self._paths(self.nodes[source.node]):
                yield path.then(node.transform, node.label)

    def _edges(self, node: Node) -> Iterator[Edge]:
        if self.is_chained(node):
            if node.ends:
                for path in self._paths(node):
                    label = path.label or path.transforms[-1].name
                    yield _edge(path, "", Forward(), label)
            return
        for source in self._head(node).inputs:
            before = self.nodes[source.node]
            same = self.logical.parallelism(node) == self.logical.parallelism(before)
            kind = node.stage.kind
            in_turn = kind is StageKind.OPERATOR or (kind.is_stateful and not same)
            partition = source.partition or (RoundRobin() if in_turn else Forward())
            for path in self._paths(before):
                yield _edge(path, node.stage.name, partition, path.label, source)


def _edge(
    path: Path, downstream: str, partition: Partition, label: str, source: Input | None = None
) -> Edge:
    return Edge(
        upstream=path.stage,
        downstream=downstream,
        partition=partition,
        transforms=path.transforms,
        label=label,
        time=source.time if source else None,
    )


def _senders(graph: Graph, name: str) -> tuple[str, ...]:
    """Name the instances that feed a stage. All without state, which number nothing, share the empty name."""
    senders: dict[str, None] = {}
    for edge in graph.edges:
        if edge.downstream == name:
            stateful = graph.stage(edge.upstream).kind.is_stateful
            for index, _ in graph.channels(edge):
                senders[f"{edge.upstream}/{index}" if stateful else ""] = None
    return tuple(senders)
