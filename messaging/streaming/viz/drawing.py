"""Graphs for people: as lines of text, and as DOT for Graphviz; of a running job with what its instances do now."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from messaging.streaming.api.graph import Edge, Graph, Stage
from messaging.streaming.api.partition import Ends

Row = Mapping[str, Any]
"""What an instance says in a job's status."""


def text_of(graph: Graph, rows: Iterable[Row] = ()) -> str:
    """Return the physical graph: what runs as an actor or a remote function, and how records travel between them.

    With `rows`, a job's status, every instance has a line that says what it does now.
    """
    return "\n".join(_lines(graph, by_name(rows)))


def dot_of(graph: Graph, rows: Iterable[Row] = ()) -> str:
    """Return the physical graph with every instance and every channel; `rows`, a job's status, adds what they do."""
    live = by_name(rows)
    lines = ["digraph dataflow {", "  rankdir=LR; node [shape=box];"]
    for stage in graph.stages:
        for name in instances(stage):
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


def by_name(rows: Iterable[Row]) -> dict[str, Row]:
    """Return a status by the names of the instances."""
    return {str(row["name"]): row for row in rows}


def instances(stage: Stage) -> list[str]:
    """Return the names of a stage's instances."""
    return [f"{stage.name}/{index}" for index in range(stage.parallelism)]


def doings(row: Row) -> list[str]:
    """Return what an instance does, in a few short lines: records, records per second, what waits and what failed."""
    if row.get("lost"):
        return ["does not answer"]
    doing = [
        f"{way} {row.get(way, 0):,} ({row.get(f'{way}_per_second', 0):,.0f}/s)" for way in _WAYS
    ]
    doing += [f"{row[key]} {what}" for key, what in _TROUBLES.items() if row.get(key)]
    return doing


_WAYS = ("in", "out")
_TROUBLES = {"lag": "batches wait", "set_aside": "set aside", "restarts": "restarts"}


def _lines(graph: Graph, live: Mapping[str, Row]) -> Iterator[str]:
    for stage in graph.upstream_first():
        marks = [stage.kind.value, f"x{stage.parallelism}"] + ["durable"] * stage.durable
        marks += [f"asks for {amount:g} {name}" for name, amount in stage.demand.items()]
        yield f"{stage.name}  ({', '.join(marks)})"
        for name in instances(stage):
            if name in live:
                yield f"  {name}: {', '.join(doings(live[name]))}"
        for edge in graph.outgoing(stage.name):
            yield _edge_line(graph, edge)


def _edge_line(graph: Graph, edge: Edge) -> str:
    if edge.ends:
        return f"  └─► end of the branch  [{edge.label}]"
    receiver = graph.stage(edge.downstream)
    how = [edge.partition.label, *([edge.label] if edge.label else [])]
    how += [] if receiver.kind.keeps else [receiver.handover.value]
    return f"  └─► {edge.downstream}  [{'; '.join(how)}]"


def _label(name: str, stage: Stage, row: Row | None) -> str:
    return "\\n".join((name, stage.kind.value, *(doings(row) if row else ())))


def _arrows(graph: Graph, edge: Edge) -> Iterator[tuple[str, str, str]]:
    label = _quoted("\\n".join(filter(None, (edge.label, edge.partition.label))))
    if edge.ends:
        for name in instances(graph.stage(edge.upstream)):
            yield _quoted(name), _quoted(f"{edge.label} of {name}"), _quoted("chained")
        return
    for sender, receiver in channels_of(graph, edge):
        yield _quoted(f"{edge.upstream}/{sender}"), _quoted(f"{edge.downstream}/{receiver}"), label


def _quoted(text: str) -> str:
    return '"' + text.replace('"', "'") + '"'
