"""Draws the physical graph for Graphviz; of a running job with the activity of its instances."""

from __future__ import annotations

from collections.abc import Iterable

from messaging.streaming.api.graph import Graph, Row, activity


def dot_of(graph: Graph, rows: Iterable[Row] = ()) -> str:
    """Return the graph with every instance and every channel; `rows`, a job's status, adds their activity."""
    by_name = {str(row["name"]): row for row in rows}
    lines = ["digraph dataflow {", "  rankdir=LR; node [shape=box];"]
    for stage in graph.stages:
        for name in stage.instances:
            figures = activity(by_name[name]) if name in by_name else ()
            label = "\\n".join((name, stage.kind.value, *figures))
            lines.append(f"  {_quote(name)} [label={_quote(label)}];")
    for edge in graph.edges:
        if edge.ends:
            for name in graph.stage(edge.upstream).instances:
                end = _quote(f"{edge.label} of {name}")
                lines.append(f'  {_quote(name)} -> {end} [label="chained"];')
            continue
        label = _quote("\\n".join(filter(None, (edge.label, edge.partition.label))))
        for sender, receiver in graph.channels(edge):
            ends = (_quote(f"{edge.upstream}/{sender}"), _quote(f"{edge.downstream}/{receiver}"))
            lines.append(f"  {' -> '.join(ends)} [label={label}];")
    return "\n".join([*lines, "}"])


def _quote(text: str) -> str:
    return '"' + text.replace('"', "'") + '"'
