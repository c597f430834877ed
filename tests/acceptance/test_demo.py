"""`satbridge demo` as a new operator meets it: it ends by itself, starts again and does what it tells people to try."""

import os
import re
import shlex
import signal
import subprocess
from functools import partial
from pathlib import Path

import pytest

from tests.support.acceptance.running_gateway import Process
from tests.support.eventually import wait_until

pytestmark = [pytest.mark.ray, pytest.mark.timeout(600)]


def descendants(pid: int) -> set[int]:
    """The processes that came from this one, however far down."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = entry.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        parents[int(entry.parent.name)] = int(fields[1])
    found, front = set[int](), {pid}
    while front:
        front = {child for child, parent in parents.items() if parent in front}
        found |= front
    return found


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def printed(demo: Process, text: str) -> bool:
    return text in demo.output


def run_for_a_second(folder: Path) -> None:
    demo = Process("demo", "--seconds=1", cwd=folder)
    assert demo.process.wait(180) == 0, demo.output
    demo.stop()
    assert "Traceback" not in demo.output
    assert "Stopping" in demo.output


def test_the_demo_ends_by_itself_and_started_again_does_what_it_tells_people_to_try(
    tmp_path: Path,
) -> None:
    run_for_a_second(tmp_path)
    demo = Process("demo", cwd=tmp_path)
    try:
        demo.line_with("What moves")
        for line in re.findall(r"^    (.+)$", demo.output, re.MULTILINE):
            if line.startswith("http"):
                continue
            done = subprocess.run(
                ["bash", "-c", f"cd {shlex.quote(str(tmp_path))}; {line}"],
                capture_output=True,
                text=True,
                timeout=60,
            )
            assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
        for shown in (
            "1001 shows, from alice@example.org: Hello / See you at the lighthouse.",
            "bob@example.net to boop@localhost: held: the author is no contact",
            "1001 shows, from bob@example.net: Hello / You do not know me yet.",
            "alice@example.org got, from boop@localhost: We are fine",
            "+15551230000 shows, from +15550001111: Back on Friday",
            "1001 shows, from +15551230000: Bring fish",
        ):
            # In whatever order: the Hive is polled, a phone's text comes at once.
            wait_until(partial(printed, demo, shown))
        children = descendants(demo.process.pid)
        assert len(children) > 5
        os.killpg(demo.process.pid, signal.SIGINT)
        assert demo.process.wait(60) == 0, demo.output
        assert "Traceback" not in demo.output
        wait_until(lambda: not any(map(alive, children)))
    finally:
        demo.stop()
