"""The handle of a job on Ray: its end, what stays readable after it, and two jobs beside each other."""

import tempfile
from pathlib import Path

import pytest
import ray

from messaging.streaming import JobName, StreamingContext, StreamingError
from messaging.streaming.stateful.launch import submit

pytestmark = [pytest.mark.ray, pytest.mark.usefixtures("ray_cluster")]


def halves(path: Path, *numbers: int) -> StreamingContext:
    """100 // n for each number, into a file; a zero is poison."""

    def write(half: int) -> None:
        with path.open("a") as file:
            file.write(f"{half}\n")

    context = StreamingContext()
    context.from_values(*numbers).map(lambda n: 100 // n, label="halve").key_by(
        lambda n: n % 2
    ).reduce(max).sink(write)
    return context


def actors_of(job: str) -> list[str]:
    found = ray.util.list_named_actors(all_namespaces=True)
    return [row["name"] for row in found if row["name"].startswith(f"{job}/")]


def test_two_jobs_end_by_themselves_and_leave_nothing_but_what_they_say(tmp_path: Path) -> None:
    before = {path.name for path in Path(tempfile.gettempdir()).glob("streaming-*")}
    first = halves(tmp_path / "first", 1, 0, 2).submit("first")
    second = halves(tmp_path / "second", 5).submit("second")
    assert first.wait(60)
    assert second.wait(60)
    assert (tmp_path / "first").read_text() == "100\n100\n"
    assert (tmp_path / "second").read_text() == "20\n"
    (aside,) = first.dead_letters()
    assert (aside.stage, aside.record) == ("map-1", 0)
    assert aside.error.startswith("ZeroDivisionError")
    rows = {row["name"]: row for row in first.status()}
    assert rows["values-0/0"]["set_aside"] == 1
    assert rows["values-0/0"]["last_error"] == "map-1: ZeroDivisionError"
    assert rows["reduce-2/0"]["in"] == 2
    assert 'label="reduce-2/0' in first.dot()
    assert ">reduce-2/0</text>" in first.picture()
    assert "  reduce-2/0: in 2 (" in str(first)
    assert actors_of("first") == actors_of("second") == []
    after = {path.name for path in Path(tempfile.gettempdir()).glob("streaming-*")}
    assert after <= before


def test_a_job_that_is_fed_from_outside_has_no_end() -> None:
    context = StreamingContext()
    context.inlet("in").key_by(str).reduce(max)
    job = submit(JobName("fed"), context.graph())
    try:
        with pytest.raises(StreamingError, match="fed from outside"):
            job.wait()
    finally:
        job.stop()
