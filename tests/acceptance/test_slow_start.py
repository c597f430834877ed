"""A gateway that starts on a busy machine becomes ready; one that cannot start says so in one sentence."""

import os
import signal
import smtplib
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path
from threading import Event

import httpx
import pytest

from messaging.errors import Unavailable
from messaging.service.local import start_patiently
from messaging.streaming.api.errors import StreamingError
from tests.support.acceptance.mail_client import mail
from tests.support.acceptance.running_gateway import Process, RunningGateway
from tests.support.eventually import wait_until

# The kernel shares the processor out among sessions first, where it groups processes by them.
SESSIONS, LOOPS = 4, 5
READY_SECONDS = 600.0
WAIT_SECONDS = 300.0
BUSY = f"""
import os, time
ends = time.monotonic() + {READY_SECONDS + WAIT_SECONDS}
for _ in range({LOOPS - 1}):
    if not os.fork():
        break
while time.monotonic() < ends:
    pass
"""
# Runs in each Python process: Ray's agents need half a minute to start, as on a machine that is busy.
SLOW_AGENTS = """
import sys, time
if any(argument.endswith(("dashboard/agent.py", "agent/main.py")) for argument in sys.orig_argv):
    time.sleep(40)
"""


@contextmanager
def busy_machine() -> Iterator[None]:
    """Twenty processes that compute."""
    sessions = [
        subprocess.Popen([sys.executable, "-c", BUSY], start_new_session=True)
        for _ in range(SESSIONS)
    ]
    try:
        yield
    finally:
        for session in sessions:
            os.killpg(session.pid, signal.SIGKILL)
            session.wait()


class BusyGateway(RunningGateway):
    """Starts on a machine that was idle until then."""

    def __init__(self, folder: Path, load: ExitStack) -> None:
        super().__init__(f"sqlite:///{folder}/store.sqlite3", folder)
        self._load = load

    def start(self) -> None:
        self._load.enter_context(busy_machine())
        self.up = Process("up", environment=self.environment)
        line = self.up.line_with("accepts mail", READY_SECONDS)
        self.smtp_port = int(line.rpartition(":")[2])


def takes_mail(port: int) -> bool:
    """Send one mail, as a mail server does that comes again when it is put off."""
    to = "user1@example.org"
    try:
        with smtplib.SMTP("127.0.0.1", port, timeout=60) as client:
            client.sendmail("alice@example.net", [to], mail(1, to, "busy"))
    except (smtplib.SMTPException, OSError):
        return False
    return True


def answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/readyz", timeout=60).status_code == 200
    except httpx.HTTPError:
        return False


@pytest.mark.ray
@pytest.mark.timeout(1500)
def test_up_becomes_ready_beside_twenty_busy_processes(tmp_path: Path) -> None:
    with ExitStack() as load, BusyGateway(tmp_path, load) as gateway:
        wait_until(partial(takes_mail, gateway.smtp_port), WAIT_SECONDS)
        wait_until(partial(answers, gateway.http), WAIT_SECONDS)
        wait_until(gateway.shown, WAIT_SECONDS)
        load.close()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Process]]:
    started: list[Process] = []
    environment = {
        "SATBRIDGE_STATE_DIR": str(tmp_path),
        "SATBRIDGE_DATABASE_URL": f"sqlite:///{tmp_path}/store.sqlite3",
        "SATBRIDGE_SMTP_LISTEN": "127.0.0.1:0",
        "SATBRIDGE_HTTP_LISTEN": "127.0.0.1:0",
        "SATBRIDGE_ADMIN_LISTEN": "off",
    }

    def start(**more: str) -> Process:
        started.append(Process("up", environment={**environment, **more}, cwd=tmp_path))
        return started[-1]

    yield start
    for process in started:
        process.process.kill()
        process.stop()


@pytest.mark.ray
@pytest.mark.timeout(400)
def test_agents_of_ray_that_are_slow_to_start_do_not_end_its_node(
    start: Callable[..., Process], tmp_path: Path
) -> None:
    (tmp_path / "sitecustomize.py").write_text(SLOW_AGENTS)
    path = os.pathsep.join(filter(None, (str(tmp_path), os.environ.get("PYTHONPATH"))))
    process = start(PYTHONPATH=path)
    process.line_with("accepts mail")
    assert "Ray did not start" not in process.output


@pytest.mark.ray
@pytest.mark.timeout(400)
def test_a_gateway_whose_ray_cannot_start_says_so_in_one_sentence_and_leaves_nothing(
    start: Callable[..., Process], tmp_path: Path
) -> None:
    process = start(RAY_gcs_server_port_wait_time_s="0")
    assert process.process.wait(200) == 1, process.output
    process.stop()
    last = process.lines[-1]
    assert last.startswith("satbridge: the service cannot start: Ray did not start in 3 tries (")
    assert "try again when it has more processor time" in last
    assert "Traceback" not in process.output
    wait_until(lambda: not processes_with(str(tmp_path)))


def processes_with(value: str) -> list[Path]:
    """The processes that have this in their environment; they inherit it."""
    found = []
    for environment in Path("/proc").glob("[0-9]*/environ"):
        with suppress(OSError):
            if value in environment.read_text(errors="replace"):
                found.append(environment)
    return found


def slow(tries: int) -> tuple[Callable[[], None], list[int]]:
    """A start that fails so many times, and the calls of it."""
    calls: list[int] = []

    def start() -> None:
        calls.append(len(calls))
        if len(calls) <= tries:
            raise Unavailable("Ray Serve did not start in time (TimeoutError)")

    return start, calls


def test_a_web_server_that_is_slow_to_start_is_started_again() -> None:
    start, calls = slow(2)
    start_patiently(start, Event())
    assert len(calls) == 3


def test_a_web_server_that_never_starts_ends_in_one_sentence() -> None:
    start, calls = slow(100)
    with pytest.raises(Unavailable) as caught:
        start_patiently(start, Event(), seconds=1.5)
    assert 2 <= len(calls) <= 3
    assert caught.value.reason.startswith(
        "the service cannot start: Ray Serve did not start in time (TimeoutError)"
    )
    assert "start the gateway again when it has more processor time" in caught.value.reason


def test_a_start_that_is_given_up_is_not_tried_again() -> None:
    start, calls = slow(100)
    given_up = Event()
    given_up.set()
    with pytest.raises(Unavailable):
        start_patiently(start, given_up)
    assert len(calls) == 1


def test_a_web_application_that_is_wrong_is_not_tried_again() -> None:
    calls: list[int] = []

    def start() -> None:
        calls.append(len(calls))
        raise StreamingError("the web application cannot start; its log says why")

    with pytest.raises(StreamingError):
        start_patiently(start, Event())
    assert len(calls) == 1
