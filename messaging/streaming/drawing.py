"""Graphs for people: as lines of text, and as DOT for Graphviz."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from messaging.streaming.graph import Edge, Graph, Stage
from messaging.streaming.partition import Ends


def text_of(graph: Graph) -> str:
    """Return the physical graph: what runs as an actor or a remote function, and how records travel between them."""
    return "\n".join(_lines(graph))


def dot_of(graph: Graph, rows: Iterable[Mapping[str, Any]] = ()) -> str:
    """Return the physical graph with every instance and every channel; `rows`, a job's status, adds live counts."""
    live = {str(row["name"]): row for row in rows}
    lines = ["digraph dataflow {", "  rankdir=LR; node [shape=box];"]
    for stage in graph.stages:
        for name in _instances(stage):
            lines.append(
                f"  {_quoted(name)} [label={_quoted(_label(name, stage, live.get(name)))}];"
            )
    for edge in graph.edges:
        lines += [f"  {a} -> {b} [label={label}];" for a, b, label in _arrows(graph, edge)]
    return "\n".join([*lines, "}"])


def channels_of(graph: Graph, edge: Edge) -> list[tuple[int, int]]:
    """Return which sending instance is wired to which receiving one."""
    senders = graph.stage(edge.upstream).parallelism
    receivers = graph.stage(edge.downstream).parallelism
    return [
        (sender, receiver)
        for sender in range(senders)
        for receiver in edge.partition.wired(Ends(sender, senders, receivers))
    ]


def _lines(graph: Graph) -> Iterator[str]:
    for stage in graph.upstream_first():
        marks = [stage.kind.value, f"x{stage.parallelism}"] + ["durable"] * stage.durable
        yield f"{stage.name}  ({', '.join(marks)})"
        for edge in graph.outgoing(stage.name):
            yield _edge_line(graph, edge)


def _edge_line(graph: Graph, edge: Edge) -> str:
    if edge.ends:
        return f"  └─► end of the branch  [{edge.label}]"
    receiver = graph.stage(edge.downstream)
    how = [edge.partition.label, *([edge.label] if edge.label else [])]
    how += [] if receiver.kind.keeps else [receiver.handover.value]
    return f"  └─► {edge.downstream}  [{'; '.join(how)}]"


def _instances(stage: Stage) -> list[str]:
    return [f"{stage.name}/{index}" for index in range(stage.parallelism)]


def _label(name: str, stage: Stage, row: Mapping[str, Any] | None) -> str:
    counts = f"\\nin {row.get('in', 0)}, out {row.get('out', 0)}" if row else ""
    return f"{name}\\n{stage.kind.value}{counts}"


def _arrows(graph: Graph, edge: Edge) -> Iterator[tuple[str, str, str]]:
    label = _quoted("\\n".join(filter(None, (edge.label, edge.partition.label))))
    if edge.ends:
        for name in _instances(graph.stage(edge.upstream)):
            yield _quoted(name), _quoted(f"{edge.label} of {name}"), _quoted("chained")
        return
    for sender, receiver in channels_of(graph, edge):
        yield _quoted(f"{edge.upstream}/{sender}"), _quoted(f"{edge.downstream}/{receiver}"), label


def _quoted(text: str) -> str:
    return '"' + text.replace('"', "'") + '"'
