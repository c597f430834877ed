"""Killed workers on Ray: state counts every record once, and those that were not killed go on in the same process."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from messaging.streaming import StreamingContext
from messaging.streaming.stateful.job import Job
from tests.support.eventually import wait_until

pytestmark = [pytest.mark.ray, pytest.mark.usefixtures("ray_cluster")]

RECORDS = 30_000
KEYS = 7


class Outside:
    """An outside world that takes each key once, and remembers every offer."""

    def __init__(self, path: Path) -> None:
        self.path = str(path)
        with self._open() as file:
            file.execute("CREATE TABLE IF NOT EXISTS taken (k INTEGER, n INTEGER, UNIQUE (k, n))")
            file.execute("CREATE TABLE IF NOT EXISTS offered (k INTEGER, n INTEGER)")

    def _open(self) -> sqlite3.Connection:
        return sqlite3.connect(self.path, timeout=30)

    def take_once(self, key: Any, record: tuple[int, int]) -> None:
        with self._open() as file:
            file.execute("INSERT OR IGNORE INTO taken VALUES (?, ?)", record)

    def offer(self, record: tuple[int, int]) -> None:
        with self._open() as file:
            file.execute("INSERT INTO offered VALUES (?, ?)", record)

    def ask(self, question: str) -> Any:
        with self._open() as file:
            return file.execute(question).fetchall()


def counting(records: int, outside: Outside, state: str, slow: float = 0.0) -> StreamingContext:
    """Two sources -> map x2 in actors of its own -> sum x2 -> every thousandth running sum to a sink of each kind."""

    def slowly(record: int) -> tuple[int, int]:
        if slow and record % 100 == 0:
            time.sleep(slow)
        return (record % KEYS, 1)

    context = StreamingContext.Builder().option("state", state).build()
    even, odd = (context.from_values(*range(first, records, 2)) for first in (0, 1))
    pairs = even.union(odd).map(slowly).disable_chain().set_parallelism(2)
    sums = pairs.key_by(0).sum(1, name="sum").set_parallelism(2)
    some = sums.filter(lambda pair: pair[1] % 1000 == 0)
    some.sink_once(outside.take_once, key=lambda pair: pair, name="once").set_parallelism(1)
    some.round_robin().sink(outside.offer, name="each").set_parallelism(1)
    return context


def pids(job: Job) -> dict[str, int]:
    return {row["name"]: row.get("pid", 0) for row in job.status()}


def taken(job: Job, name: str) -> int:
    return int(next((row.get("in", 0) for row in job.status() if row["name"] == name), 0))


def expected(records: int) -> list[tuple[int, int]]:
    counts = {key: len(range(key, records, KEYS)) for key in range(KEYS)}
    return [(k, n) for k, count in counts.items() for n in range(1000, count + 1, 1000)]


def test_whoever_is_killed_nothing_is_lost_or_counted_twice_and_the_others_stay(
    tmp_path: Path,
) -> None:
    outside = Outside(tmp_path / "outside")
    records = 4 * RECORDS
    job = counting(records, outside, f"sqlite:///{tmp_path}/state", slow=0.04).submit("killed")
    try:
        wait_until(lambda: taken(job, "sum/0") > 1000, 60)
        for victims in VICTIMS:
            kill_and_wait(job, victims)
        assert taken(job, "sum/0") + taken(job, "sum/1") < records, "killed too late to matter"
        assert job.wait(90)
    finally:
        job.stop()
    assert sorted(outside.ask("SELECT k, n FROM taken")) == expected(records)
    assert sorted(outside.ask("SELECT DISTINCT k, n FROM offered")) == expected(records)
    assert sum(row["in"] for row in job.status() if row["stage"] == "sum") == records
    assert sum(row["restarts"] for row in job.status()) == sum(map(len, VICTIMS))


def test_before_a_sink_that_lags_nothing_is_lost_either(tmp_path: Path) -> None:
    written = tmp_path / "written"

    def lagging(pair: tuple[int, int]) -> None:
        time.sleep(0.002)
        with written.open("a") as file:
            file.write(f"{pair[0]} {pair[1]}\n")

    records = RECORDS // 3
    # A store of one's own serves as well as ours.
    state = f"tests.support.streaming.folder_store.FolderStore:{tmp_path}"
    context = StreamingContext.Builder().option("state", state).build()
    pairs = context.from_values(*range(records)).map(lambda n: (n % KEYS, 1))
    sums = pairs.key_by(0).sum(1, name="sum").set_parallelism(2)
    sums.round_robin().sink(lagging, name="lagging").set_parallelism(1)
    job = context.submit("lagging")
    try:
        wait_until(lambda: taken(job, "lagging/0") > 500, 60)
        for victims in (["sum/0"], ["lagging/0"], ["sum/1", "values-0/0"]):
            kill_and_wait(job, victims)
        assert taken(job, "lagging/0") < records, "killed too late to matter"
        assert job.wait(100)
    finally:
        job.stop()
    lines = [line.split() for line in written.read_text().splitlines()]
    found = [(int(key), int(count)) for key, count in lines]
    for key in range(KEYS):
        # Again and again, perhaps, but in order: nothing is seen before what comes before it.
        firsts = list(dict.fromkeys(count for k, count in found if k == key))
        assert firsts == list(range(1, len(range(key, records, KEYS)) + 1))


VICTIMS = [["values-0/0"], ["map-2/0"], ["sum/0"], ["once/0"], ["each/0"], ["map-2/1", "sum/1"]]


def kill_and_wait(job: Job, victims: list[str]) -> None:
    before = pids(job)
    for victim in victims:
        os.kill(before[victim], signal.SIGKILL)
    wait_until(lambda: all(pids(job).get(v) not in (0, before[v]) for v in victims), 60)
    after = pids(job)
    assert {name for name in before if after[name] != before[name]} == set(victims)


def test_a_killed_driver_leaves_a_job_that_goes_on_when_it_is_submitted_again(
    tmp_path: Path,
) -> None:
    outside = Outside(tmp_path / "outside")
    script = f"""
import time
from pathlib import Path
from messaging.streaming.ray.local import local_cluster
from tests.integration.streaming.test_failover import Outside, counting, taken
with local_cluster():
    outside = Outside(Path({outside.path!r}))
    job = counting({RECORDS}, outside, "sqlite:///{tmp_path}/state", slow=0.02).submit("driven")
    while taken(job, "sum/0") < 1000:
        time.sleep(0.05)
    print("going", flush=True)
    time.sleep(60)
"""
    with subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as driver:
        assert driver.stdout is not None
        assert driver.stdout.readline() == "going\n"
        os.killpg(driver.pid, signal.SIGKILL)
    time.sleep(3)  # its raylet notices, and its workers go
    job = counting(RECORDS, outside, f"sqlite:///{tmp_path}/state").submit("driven")
    try:
        assert job.wait(60)
    finally:
        job.stop()
    assert sorted(outside.ask("SELECT k, n FROM taken")) == expected(RECORDS)


@pytest.mark.parametrize("parallelism", [1, 3])
def test_a_savepoint_starts_with_another_parallelism(parallelism: int, tmp_path: Path) -> None:
    first, second = Outside(tmp_path / "first"), Outside(tmp_path / "second")
    job = counting(RECORDS, first, f"sqlite:///{tmp_path}/a", slow=0.01).submit("saved")
    try:
        wait_until(lambda: taken(job, "sum/0") > 1000, 60)
        job.savepoint(tmp_path / "savepoint")
        saved = first.ask("SELECT k, n FROM taken")
    finally:
        job.stop()
    context = counting(RECORDS, second, f"sqlite:///{tmp_path}/b")
    (node,) = [n for n in context.logical_graph().nodes if n.stage.name == "sum"]
    context.change(node.id, parallelism=parallelism)
    job = context.submit("restored", savepoint=tmp_path / "savepoint")
    try:
        assert job.wait(60)
    finally:
        job.stop()
    both = saved + second.ask("SELECT k, n FROM taken")
    assert sorted(both) == expected(RECORDS)
