"""From what was declared to what runs: which verbs are chained into one actor, and the edges between the actors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial

from messaging.streaming.api.errors import DeclarationError
from messaging.streaming.api.graph import Edge, Graph, Kind, Stage, Transform
from messaging.streaming.api.logical import Input, LogicalGraph, Node
from messaging.streaming.api.partition import Forward, Partition, RoundRobin
from messaging.streaming.java.java_steps import JavaOperators
from messaging.streaming.stateful.steps import Pass
from messaging.streaming.viz.drawing import channels_of


def plan(logical: LogicalGraph, options: Mapping[str, str]) -> Graph:
    """Return the physical graph. A verb without state is chained where it may be: see `_Planner.chained`."""
    return _Planner(logical).graph(options)


@dataclass(frozen=True, slots=True)
class _Way:
    """How records come from a stage to a node: the functions chained on the way."""

    stage: str
    transforms: tuple[Transform, ...] = ()
    label: str = ""

    def further(self, transform: Transform, label: str) -> _Way:
        labels = " ".join(filter(None, (self.label, label)))
        return replace(self, transforms=(*self.transforms, transform), label=labels)


class _Planner:
    def __init__(self, logical: LogicalGraph) -> None:
        self._logical = logical
        self._nodes = logical.nodes
        befores = (self._same_jvm(node) for node in logical.nodes)
        self._absorbed = {before.id for before in befores if before is not None}

    def graph(self, options: Mapping[str, str]) -> Graph:
        alone = [node for node in self._nodes if node.id not in self._absorbed]
        stages = [self._stage(node) for node in alone if not self.chained(node)]
        edges = [edge for node in alone for edge in self._edges(node)]
        graph = Graph(tuple(stages), tuple(edges), dict(options))
        fed = (replace(stage, senders=_senders(graph, stage.name)) for stage in stages)
        return replace(graph, stages=tuple(fed))

    def chained(self, node: Node) -> bool:
        """Whether the node's function runs where its input is emitted: same parallelism, nothing says otherwise."""
        return (
            node.transform is not None
            and node.chain
            and all(self._joins(node, source) for source in node.inputs)
        )

    def _joins(self, node: Node, source: Input) -> bool:
        before = self._nodes[source.node]
        same = node.parallelism in (None, self._logical.parallelism(before))
        asked = node.stage.demand
        if asked and asked != before.stage.demand:
            return False
        if node.ends and not all(self._kept(way.stage) for way in self._ways(before)):
            return False  # a stage that keeps nothing must not call a sink that may raise
        return same and before.chain and isinstance(source.partition, Forward | None)

    def _same_jvm(self, node: Node) -> Node | None:
        """The Java operator that runs just before this one in the same JVM: it feeds this one only."""
        if not node.java or len(node.inputs) != 1 or not node.chain:
            return None
        (source,) = node.inputs
        before = self._nodes[source.node]
        uses = sum(one.node == before.id for other in self._nodes for one in other.inputs)
        return before if before.java and uses == 1 and self._joins(node, source) else None

    def _operators(self, node: Node) -> tuple[tuple[str, str], ...]:
        before = self._same_jvm(node)
        own = ((verb, self._numbered(node, verb, name)) for verb, name in node.java)
        return (self._operators(before) if before else ()) + tuple(own)

    def _numbered(self, node: Node, verb: str, name: str) -> str:
        """A partition in Java is told by how many instances the next operator has."""
        if verb != "partition_by":
            return name
        nexts = (n for n in self._nodes if any(one.node == node.id for one in n.inputs))
        receivers = {self._logical.parallelism(one) for one in nexts}
        if len(receivers) > 1:
            raise DeclarationError(
                f"{node}: partition_by before operators of different parallelism"
            )
        return f"{name} {max(receivers, default=1)}"

    def _first(self, node: Node) -> Node:
        """The node that is given the records: of the operators in one JVM the first one."""
        before = self._same_jvm(node)
        return self._first(before) if before else node

    def _kept(self, stage: str) -> bool:
        return any(n.stage.name == stage and n.stage.kind.keeps for n in self._nodes)

    def _stage(self, node: Node) -> Stage:
        make = partial(Pass, node.transform) if node.transform else node.stage.make
        if node.java:
            make = partial(JavaOperators, self._operators(node))
        parallelism = self._logical.parallelism(node)
        asking = self._first(node).stage
        return replace(
            node.stage,
            make=make,
            parallelism=parallelism,
            config=node.config,
            cpus=asking.cpus,
            resources=asking.resources,
        )

    def _ways(self, node: Node) -> Iterator[_Way]:
        """All ways on which records of the node's stream come."""
        if not self.chained(node) or node.transform is None:
            yield _Way(node.stage.name)
            return
        for source in node.inputs:
            for way in self._ways(self._nodes[source.node]):
                yield way.further(node.transform, node.label)

    def _edges(self, node: Node) -> Iterator[Edge]:
        if self.chained(node):
            if node.ends:
                yield from map(_last_edge, self._ways(node))
            return
        for source in self._first(node).inputs:
            before = self._nodes[source.node]
            partition = source.partition or self._default(node, before)
            for way in self._ways(before):
                yield _edge(way, node, partition, source)

    def _default(self, node: Node, before: Node) -> Partition:
        same = self._logical.parallelism(node) == self._logical.parallelism(before)
        kind = node.stage.kind
        dealt = kind is Kind.OPERATOR or (kind.keeps and not same)
        return RoundRobin() if dealt else Forward()


def _last_edge(way: _Way) -> Edge:
    return Edge(
        upstream=way.stage,
        downstream="",
        partition=Forward(),
        transforms=way.transforms,
        label=way.label or str(getattr(way.transforms[-1], "name", "")),
    )


def _edge(way: _Way, node: Node, partition: Partition, source: Input) -> Edge:
    return Edge(
        upstream=way.stage,
        downstream=node.stage.name,
        partition=partition,
        transforms=way.transforms,
        label=way.label,
        time=source.time,
    )


def _senders(graph: Graph, name: str) -> tuple[str, ...]:
    """The instances that feed a stage; those that keep nothing go by one name together."""
    feeding = (edge for edge in graph.edges if edge.downstream == name)
    found = {_sender(graph, e.upstream, a): None for e in feeding for a, _ in channels_of(graph, e)}
    return tuple(found)


def _sender(graph: Graph, stage: str, index: int) -> str:
    return f"{stage}/{index}" if graph.stage(stage).kind.keeps else ""
