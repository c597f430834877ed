"""Draws the physical graph as an SVG image: a box for each instance with its activity, a line for each channel."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from html import escape

from messaging.streaming.api.graph import Graph, Row, activity

WIDTH, HEIGHT = 190, 92
GAP_X, GAP_Y, MARGIN = 90, 18, 20
LINE_HEIGHT = 16
BUSY, QUIET, LOST = "#dcefdc", "#f4f4f4", "#f6d5d5"


@dataclass(frozen=True, slots=True)
class _Box:
    name: str
    column: int
    row: int

    @property
    def x(self) -> int:
        return MARGIN + self.column * (WIDTH + GAP_X)

    @property
    def y(self) -> int:
        return MARGIN + self.row * (HEIGHT + GAP_Y)

    @property
    def middle(self) -> int:
        return self.y + HEIGHT // 2


def svg_of(graph: Graph, rows: Iterable[Row] = ()) -> str:
    """Return the image. `rows`, a job's status, adds records per second, and colours busy and lost instances."""
    by_name, boxes = {str(row["name"]): row for row in rows}, _boxes(graph)
    width = max(box.x for box in boxes.values()) + WIDTH + MARGIN
    height = max(box.y for box in boxes.values()) + HEIGHT + MARGIN
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}"'
        f' width="{width}" height="{height}" font-family="sans-serif" font-size="12">',
        *_channels(graph, boxes),
    ]
    for box in boxes.values():
        lines += _draw(box, by_name.get(box.name))
    return "\n".join([*lines, "</svg>"])


def _boxes(graph: Graph) -> dict[str, _Box]:
    """Place every instance one column right of its senders, and the ends of branches last."""
    columns: dict[str, int] = {}
    for stage in graph.upstream_first():
        feeding = [columns[edge.upstream] for edge in graph.edges if edge.downstream == stage.name]
        columns[stage.name] = max(feeding, default=-1) + 1
    named = [(columns[s.name], name) for s in graph.stages for name in s.instances]
    named += [(columns[edge.upstream] + 1, edge.label) for edge in graph.edges if edge.ends]
    below: dict[int, int] = {}
    boxes: dict[str, _Box] = {}
    for column, name in named:
        if name not in boxes:
            boxes[name] = _Box(name, column, below.setdefault(column, 0))
            below[column] += 1
    return boxes


def _channels(graph: Graph, boxes: Mapping[str, _Box]) -> Iterator[str]:
    for edge in graph.edges:
        senders = graph.stage(edge.upstream).instances
        if edge.ends:
            pairs = [(name, edge.label) for name in senders]
        else:
            receivers = graph.stage(edge.downstream).instances
            pairs = [(senders[a], receivers[b]) for a, b in graph.channels(edge)]
        title = escape(", ".join(filter(None, (edge.label, edge.partition.label))))
        for sender, receiver in pairs:
            a, b = boxes[sender], boxes[receiver]
            start, end = a.x + WIDTH, b.x
            bend = f"C {start + GAP_X // 2} {a.middle} {end - GAP_X // 2} {b.middle}"
            path = f"M {start} {a.middle} {bend} {end} {b.middle}"
            yield f'<path d="{path}" fill="none" stroke="#888"><title>{title}</title></path>'


def _draw(box: _Box, row: Row | None) -> Iterator[str]:
    colour = QUIET
    if row and row.get("lost"):
        colour = LOST
    elif row and (row.get("in_per_second") or row.get("out_per_second")):
        colour = BUSY
    yield (
        f'<rect x="{box.x}" y="{box.y}" width="{WIDTH}" height="{HEIGHT}" rx="6"'
        f' fill="{colour}" stroke="#444"/>'
    )
    texts = [box.name, *(activity(row) if row else ())]
    for number, text in enumerate(texts, start=1):
        y = box.y + number * LINE_HEIGHT
        yield f'<text x="{box.x + 8}" y="{y}">{escape(text)}</text>'
