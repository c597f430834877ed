"""A process of a running gateway is stopped for good, systemd watches it, and its settings are read again."""

import json
import os
import signal
import smtplib
from collections.abc import Iterator
from functools import partial
from itertools import count
from pathlib import Path

import pytest

from tests.support.acceptance.mail_client import mail
from tests.support.acceptance.running_gateway import RunningGateway
from tests.support.eventually import wait_until
from tests.support.notify_socket import NotifySocket

pytestmark = [pytest.mark.ray, pytest.mark.timeout(900)]

WAIT_SECONDS = 300.0
# Of each kind: before the store, after it, and to a network.
STOPPED = (("router/0",), ("due/0", "ledger/0", "hive-out/0"))


class SupervisedGateway(RunningGateway):
    """Runs as a unit of systemd does that has `Type=notify`."""

    def __init__(self, folder: Path, systemd: NotifySocket) -> None:
        super().__init__(f"sqlite:///{folder}/store.sqlite3", folder)
        self.systemd = systemd

    @property
    def level(self) -> Path:
        """The file with the log level."""
        return self.folder / "log-level"

    @property
    def hourly(self) -> Path:
        """The file with the number of mails that one author may write to one subscriber in an hour."""
        return self.folder / "hourly"

    def start(self) -> None:
        self.level.write_text("WARNING")
        self.hourly.write_text("0")
        del self.environment["SATBRIDGE_MAX_HOURLY_PER_PAIR"]
        self.environment["SATBRIDGE_MAX_HOURLY_PER_PAIR_FILE"] = str(self.hourly)
        self.environment["SATBRIDGE_LOG_LEVEL_FILE"] = str(self.level)
        self.environment["NOTIFY_SOCKET"] = self.systemd.address
        super().start()


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SupervisedGateway]:
    folder: Path = tmp_path_factory.mktemp("stopped")
    with NotifySocket(folder / "notify") as systemd, SupervisedGateway(folder, systemd) as gateway:
        yield gateway


def test_systemd_hears_that_it_is_ready_and_then_that_it_is_alive(
    gateway: SupervisedGateway,
) -> None:
    messages: list[dict[str, str]] = []

    def is_alive() -> bool:
        messages.extend(gateway.systemd.messages())
        return any("WATCHDOG" in message for message in messages)

    wait_until(is_alive, WAIT_SECONDS)
    assert messages[0]["READY"] == "1"
    assert messages[0]["STATUS"].startswith("running; mail on 127.0.0.1:")


def arrives(gateway: RunningGateway, number: int) -> bool:
    """Send a mail as a server does that comes again; return whether one of that number is at the device."""
    to = f"user{number}@example.org"
    try:
        with smtplib.SMTP("127.0.0.1", gateway.smtp_port, timeout=60) as client:
            client.sendmail("alice@example.net", [to], mail(number, to, "stopped"))
    except (smtplib.SMTPException, OSError):
        return False
    wait_until(lambda: 1000 + number in {device for device, *_ in gateway.shown()}, WAIT_SECONDS)
    return True


def is_replaced(gateway: RunningGateway, worker: str, pid: int) -> bool:
    return gateway.workers().get(worker, pid) != pid


@pytest.mark.parametrize("workers", STOPPED)
def test_stopped_processes_are_started_again_and_mail_arrives(
    gateway: RunningGateway, workers: tuple[str, ...]
) -> None:
    stopped = {worker: gateway.pid_of(worker) for worker in workers}
    for pid in stopped.values():
        os.kill(pid, signal.SIGSTOP)
    for worker, pid in stopped.items():
        wait_until(partial(is_replaced, gateway, worker, pid), WAIT_SECONDS)
        assert f"{worker} does not answer: it is started again" in gateway.up.output
        assert not Path(f"/proc/{pid}").exists()
    wait_until(lambda: arrives(gateway, 1 + STOPPED.index(workers)), WAIT_SECONDS)


def all_workers(gateway: RunningGateway) -> dict[str, int]:
    """Return the process of each worker; nothing while one does not answer."""
    rows = json.loads((gateway.folder / "running.json").read_text())["workers"]
    found = {row["name"]: row["pid"] for row in rows if "pid" in row}
    return found if len(found) == len(rows) else {}


def test_a_machine_that_was_suspended_starts_none_again(gateway: SupervisedGateway) -> None:
    before = wait_until(lambda: all_workers(gateway), WAIT_SECONDS)
    lines = len(gateway.up.lines)
    for pid in before.values():
        os.kill(pid, signal.SIGSTOP)
    os.kill(gateway.up.process.pid, signal.SIGSTOP)
    try:
        # Longer than an instance may be silent; nothing can be awaited on a machine that stands still.
        gateway.systemd.messages()
        with pytest.raises(AssertionError):
            wait_until(gateway.systemd.messages, 30)
    finally:
        for pid in (*before.values(), gateway.up.process.pid):
            os.kill(pid, signal.SIGCONT)
    wait_until(lambda: arrives(gateway, 10), WAIT_SECONDS)
    wait_until(lambda: gateway.workers() == before, WAIT_SECONDS)
    assert "does not answer" not in "".join(gateway.up.lines[lines:])


def test_another_log_level_reaches_every_process_and_a_wrong_one_none(
    gateway: SupervisedGateway,
) -> None:
    assert " INFO " not in gateway.up.output
    gateway.level.write_text("INFO")
    assert "the log level is INFO now" in gateway.satbridge("reload")
    wait_until(lambda: arrives(gateway, 11), WAIT_SECONDS)
    wait_until(lambda: " INFO " in gateway.up.output, WAIT_SECONDS)  # mail-in took it
    gateway.level.write_text("LOUD")
    assert "SATBRIDGE_LOG_LEVEL" in gateway.satbridge("reload", code=2)
    gateway.up.process.send_signal(signal.SIGHUP)
    refused = "nothing was reloaded: SATBRIDGE_LOG_LEVEL: "
    wait_until(lambda: refused in gateway.up.output, WAIT_SECONDS)
    gateway.level.write_text("INFO")


def test_another_limit_applies_without_a_restart_and_is_taken_back(
    gateway: SupervisedGateway,
) -> None:
    before = wait_until(lambda: all_workers(gateway), WAIT_SECONDS)
    numbers = count()

    def is_accepted() -> bool:
        """Send one more mail of the same author to the same subscriber."""
        with smtplib.SMTP("127.0.0.1", gateway.smtp_port, timeout=60) as client:
            to = "user12@example.org"
            try:
                client.sendmail("alice@example.net", [to], mail(next(numbers), to, "limited"))
            except smtplib.SMTPException:
                return False
        return True

    assert is_accepted()
    gateway.hourly.write_text("1")
    assert "applied: SATBRIDGE_MAX_HOURLY_PER_PAIR" in gateway.satbridge("reload")
    wait_until(lambda: not is_accepted(), WAIT_SECONDS)
    gateway.hourly.write_text("0")
    assert "applied: SATBRIDGE_MAX_HOURLY_PER_PAIR" in gateway.satbridge("reload")
    wait_until(is_accepted, WAIT_SECONDS)
    assert all_workers(gateway) == before


def test_systemd_hears_that_it_stops(gateway: SupervisedGateway) -> None:
    gateway.systemd.messages()
    assert gateway.up.stop() == 0
    assert gateway.systemd.messages()[-1]["STOPPING"] == "1"
