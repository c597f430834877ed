"""Every example of docs/dataflow.md, run as it stands."""

import re
from pathlib import Path
from typing import Any

import pytest

from tests.support.paths import ROOT

pytestmark = [pytest.mark.ray, pytest.mark.usefixtures("ray_cluster")]

DOCUMENT = ROOT / "docs" / "dataflow.md"


def test_the_examples_of_the_document_do_what_it_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = DOCUMENT.read_text()
    monkeypatch.chdir(tmp_path)
    # Workers were started elsewhere: what an example opens by a bare name is here.
    text = re.sub(r'"([a-z]+\.(?:txt|savepoint))"', rf'"{tmp_path}/\1"', text)
    text = text.replace("sqlite:///state", f"sqlite:///{tmp_path}/state")
    (tmp_path / "words.txt").write_text("ray of light\nray of hope\n")
    names: dict[str, Any] = {}
    examples = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    for example in examples[:2]:
        exec(example, names)
        assert names["job"].dead_letters() == []
    counts = {row["stage"]: row["in"] for row in names["job"].status()}
    assert counts["thermostat"] == 4
    assert (tmp_path / "heaters.txt").read_text() == "hall ON\nhall OFF\n"
    exec(examples[1], names)
    assert (tmp_path / "heaters.txt").read_text() == "hall ON\nhall OFF\n", "it went on, not again"
    exec(examples[2], names)
    assert (tmp_path / "pulse.savepoint").stat().st_size
    exec(examples[3], names)
    assert (tmp_path / "sums.txt").read_text() == "cod 0.0 8\ncod 60.0 2\ncod 120.0 1\n"
    assert len(examples) == 4
