"""A cluster of two nodes that loses one: what stood there comes back on the other, with its state."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from tests.support.paths import ROOT
from tests.support.postgres_server import postgres_server_in
from tests.support.streaming.two_nodes import HASTE, KEYS, RECORDS


@pytest.mark.ray
@pytest.mark.postgres
@pytest.mark.timeout(600)
def test_workers_come_back_on_another_node_with_the_state_that_the_database_has(
    tmp_path: Path,
) -> None:
    output = tmp_path / "written"
    with tempfile.TemporaryDirectory() as folder, postgres_server_in(Path(folder)) as server:
        command = [
            sys.executable,
            "-m",
            "tests.support.streaming.two_nodes",
            server.get_uri(),
            output,
        ]
        done = subprocess.run(
            list(map(str, command)),
            capture_output=True,
            text=True,
            timeout=560,
            cwd=ROOT,
            # Ray reads the mode when it is imported; a cluster of this process may have said another one.
            env={**os.environ, **HASTE},
        )
    assert done.returncode == 0, done.stderr[-3000:]
    said = json.loads(done.stdout.strip().split("\n")[-1])
    assert said["away"], "nothing stood on the second node"
    assert {name for name, restarts in said["restarts"].items() if restarts} == set(said["away"])
    assert said["ended"]
    assert said["aside"] == []
    assert said["taken"] == RECORDS
    last = {tuple(map(int, line.split())) for line in output.read_text().splitlines()}
    assert {max(pair for pair in last if pair[0] == key) for key in range(KEYS)} == {
        (key, len(range(key, RECORDS, KEYS))) for key in range(KEYS)
    }
