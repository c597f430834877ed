"""Whoever stops a gateway that still starts reads one sentence, and nothing is left running."""

import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from messaging.service.exposure import listeners
from tests.acceptance.test_demo import alive, descendants
from tests.support.acceptance.running_gateway import Process
from tests.support.eventually import wait_until

pytestmark = [pytest.mark.ray, pytest.mark.timeout(600)]

SENTENCE = "satbridge: stopped at once, as asked; what is in work goes on at the next start"
MOMENTS = {
    "before Ray": ("", signal.SIGINT),
    "while Ray starts its first process": ("gcs_server", signal.SIGTERM),
    "while Ray has all its processes": ("DashboardAgent", signal.SIGINT),
    "while workers start": ("ray::Host", signal.SIGTERM),
}


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[[str], Process]]:
    started: list[Process] = []
    environment = {
        "SATBRIDGE_STATE_DIR": str(tmp_path),
        "SATBRIDGE_DATABASE_URL": f"sqlite:///{tmp_path}/store.sqlite3",
        "SATBRIDGE_SMTP_LISTEN": "127.0.0.1:0",
        "SATBRIDGE_HTTP_LISTEN": "127.0.0.1:0",
        "SATBRIDGE_ADMIN_LISTEN": "off",
        "PYTHONFAULTHANDLER": "1",  # shows where a process that does not end is
    }

    def start(command: str) -> Process:
        started.append(Process(command, environment=environment, cwd=tmp_path))
        return started[-1]

    yield start
    for process in started:
        process.process.kill()
        process.stop()


def runs(process: Process, name: str) -> bool:
    """Whether a process of this name came from it; without a name, whether it has begun to start."""
    if not name:
        return "tarting" in process.output
    for pid in descendants(process.process.pid):
        try:
            if name in Path(f"/proc/{pid}/cmdline").read_text():
                return True
        except OSError:
            continue
    return False


def code_of(process: Process) -> int:
    try:
        return process.process.wait(90)
    except subprocess.TimeoutExpired:
        process.process.send_signal(signal.SIGABRT)
        return process.stop()


def stop(process: Process, name: str, number: signal.Signals) -> None:
    wait_until(partial(runs, process, name), 120)
    children = descendants(process.process.pid)
    # As a terminal does it, and as a service manager.
    (os.killpg if number == signal.SIGINT else os.kill)(process.process.pid, number)
    children |= descendants(process.process.pid)
    assert code_of(process) == 1, process.output
    process.stop()
    # A thread that Ray still starts in may log afterwards.
    assert SENTENCE in [line.strip() for line in process.lines], process.output
    for trace in ("Traceback", "received", "Exception ignored"):
        assert trace not in process.output
    wait_until(lambda: not any(map(alive, children)))


@pytest.mark.parametrize(("name", "number"), MOMENTS.values(), ids=MOMENTS)
def test_a_start_that_is_stopped_says_so_and_leaves_nothing(
    start: Callable[[str], Process], name: str, number: signal.Signals
) -> None:
    stop(start("up"), name, number)


def test_ctrl_c_at_the_first_fork_of_ray_is_not_waited_for(start: Callable[[str], Process]) -> None:
    process = start("up")
    wait_until(partial(runs, process, ""), 120)
    while not descendants(process.process.pid):  # without a pause: the moment is short
        assert process.process.poll() is None
    os.killpg(process.process.pid, signal.SIGINT)
    assert code_of(process) == 1, process.output


def test_a_demo_that_is_stopped_while_it_starts_says_so_and_leaves_nothing(
    start: Callable[[str], Process],
) -> None:
    stop(start("demo"), "gcs_server", signal.SIGINT)


def test_a_closed_terminal_ends_nothing_and_any_other_signal_drains(
    start: Callable[[str], Process], tmp_path: Path
) -> None:
    process = start("up")
    for name in ("", "gcs_server", "DashboardAgent", "ray::Host"):
        wait_until(partial(runs, process, name), 120)
        os.killpg(process.process.pid, signal.SIGHUP)
    process.line_with("and webhooks on")
    assert listeners(process.process.pid) == []
    for path in (tmp_path, *tmp_path.iterdir()):
        assert path.stat().st_mode & 0o077 == 0, path
    os.killpg(process.process.pid, signal.SIGHUP)
    children = descendants(process.process.pid)
    os.kill(process.process.pid, signal.SIGUSR1)
    assert code_of(process) == 0, process.output
    process.stop()
    assert "Draining" in process.output
    assert "Traceback" not in process.output
    wait_until(lambda: not any(map(alive, children)))
