"""Graphs as text, for Graphviz and as an image: what is declared, what runs, and what each instance does now."""

import xml.etree.ElementTree as ET
from typing import Any

from messaging.streaming import Graph, StreamingContext
from messaging.streaming.runtime.rates import Rates
from messaging.streaming.viz.dot import dot_of
from messaging.streaming.viz.svg import BUSY, LOST, QUIET, svg_of

SVG = "{http://www.w3.org/2000/svg}"
ROWS: list[dict[str, Any]] = [
    {"name": "max/1", "in": 1700, "in_per_second": 250.4, "out": 3, "lag": 2, "restarts": 1},
    {"name": "max/0", "lost": True},
]


def declared() -> StreamingContext:
    context = StreamingContext()
    texts = context.from_values(1).map(str, label="a <b> & c")
    most = texts.key_by(str).reduce(max, name="max").set_parallelism(2)
    most.filter(bool).sink(print, name="shown")
    return context


def physical() -> Graph:
    return declared().graph()


def test_both_graphs_are_shown_as_text_and_for_graphviz() -> None:
    logical = declared().logical_graph()
    assert "max x2  declared at " in str(logical)
    assert "◄── map-1  [by key]" in str(logical)
    assert 'n1 -> n2 [label="by key"];' in logical.dot()
    printed = str(physical())
    assert "values-0  (reader, x1)\n  └─► max  [by key; a <b> & c]\nmax  (stateful, x2)" in printed
    assert '"values-0/0" -> "max/1" [label="a <b> & c\\nby key"];' in dot_of(physical())


def test_a_running_job_is_shown_with_what_each_instance_does() -> None:
    text = physical().text(ROWS)
    does = "in 1,700 (250/s), out 3 (0/s), 2 batches wait, 1 restarts"
    assert f"max  (stateful, x2)\n  max/0: does not answer\n  max/1: {does}\n  └─► end" in text
    assert "in 1,700 (250/s)\\nout 3 (0/s)\\n2 batches wait" in dot_of(physical(), ROWS)


def test_the_image_has_a_box_for_each_instance_and_a_line_for_each_channel() -> None:
    image = ET.fromstring(svg_of(physical(), ROWS))
    texts = [text.text for text in image.iter(f"{SVG}text")]
    assert [t for t in texts if t and "/s)" not in t][:3] == [
        "values-0/0",
        "max/0",
        "does not answer",
    ]
    assert "in 1,700 (250/s)" in texts
    assert [box.get("fill") for box in image.iter(f"{SVG}rect")] == [QUIET, LOST, BUSY, QUIET]
    titles = [title.text for title in image.iter(f"{SVG}title")]
    assert titles.count("a <b> & c, by key") == 2
    assert len(titles) == 4, "two instances end in one sink"
    lefts = {text.text: text.get("x") for text in image.iter(f"{SVG}text")}
    assert int(lefts["values-0/0"] or 0) < int(lefts["max/1"] or 0) < int(lefts["shown"] or 0)


def test_rates_are_of_the_last_seconds_and_a_new_life_is_not_work() -> None:
    rates = Rates()
    rates.read({"in": 0, "out": 0}, 0.0)
    rates.read({"in": 9_000, "out": 90}, 1.0)
    assert rates.per_second() == {"in_per_second": 0.0, "out_per_second": 0.0}
    rates.read({"in": 9_100, "out": 100}, 3.0)
    assert rates.per_second() == {"in_per_second": 50.0, "out_per_second": 5.0}
    for second in range(4, 20):
        rates.read({"in": 9_100, "out": 100}, float(second))
    assert rates.per_second() == {"in_per_second": 0.0, "out_per_second": 0.0}
