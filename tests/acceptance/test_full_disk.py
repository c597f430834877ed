"""The disks of a running gateway fill up: it goes on, says so, and takes mail again by itself when there is room."""

import json
import smtplib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
import pytest

from chaos.stores import fill, small_disk
from tests.support.acceptance.mail_client import mail
from tests.support.acceptance.running_gateway import Process, RunningGateway
from tests.support.eventually import wait_until
from tests.support.paths import ROOT

pytestmark = [pytest.mark.ray, pytest.mark.timeout(900)]

WAIT_SECONDS = 120.0
MARK_MB = "4"
TO = "user1@example.org"
# Gives the command a /tmp of its own, which no other process sees. A repository in the usual /tmp is mounted there too:
# a working folder that a mount hides can still be mounted by its relative name.
OWN_TMP = """
set -e
cd "$0"
mount -t tmpfs -o size=100m tmpfs /tmp
case "$0" in /tmp/*) mkdir -p "$0"; mount --no-canonicalize --bind . "$0"; cd "$0";; esac
exec "$@"
"""


def send(gateway: RunningGateway, number: int) -> int:
    """Send a mail as a server does that comes again; return the code of the answer."""
    try:
        with smtplib.SMTP("127.0.0.1", gateway.smtp_port, timeout=60) as client:
            client.sendmail("alice@example.net", [TO], mail(number, TO, "full"))
    except smtplib.SMTPRecipientsRefused as error:
        return error.recipients[TO][0]
    except smtplib.SMTPResponseException as error:
        return error.smtp_code
    return 250


def readiness(gateway: RunningGateway) -> tuple[int, str]:
    answer = httpx.get(f"{gateway.http}/readyz", timeout=60)
    return answer.status_code, answer.text


def finding(gateway: RunningGateway, part: str, code: int) -> str:
    found = json.loads(gateway.satbridge("check", "--json", code=code))
    return next(f"{one['ok']} {one['said']}" for one in found if one["part"] == part)


@contextmanager
def full(folder: Path) -> Iterator[None]:
    filler = fill(folder)
    try:
        yield
    finally:
        filler.unlink()


class OwnTmpGateway(RunningGateway):
    """Its service has a small disk of its own as /tmp, where Ray and Python keep their files."""

    def start(self) -> None:
        wrapper = ("unshare", "--mount", "sh", "-c", OWN_TMP, str(ROOT))
        self.up = Process("up", environment=self.environment, wrapper=wrapper)
        self.smtp_port = int(self.up.line_with("accepts mail").rpartition(":")[2])

    @property
    def temporary(self) -> Path:
        return Path(f"/proc/{self.up.process.pid}/root/tmp")


@pytest.fixture(scope="module")
def gateway() -> Iterator[OwnTmpGateway]:
    """A service with another small disk for its store and its state folder."""
    # Not in /tmp, which its own hides.
    with TemporaryDirectory(dir="/var/tmp") as folder:
        disk = Path(folder) / "disk"
        disk.mkdir()
        store = f"sqlite:///{disk}/store.sqlite3"
        with small_disk(disk, 40), OwnTmpGateway(store, disk, MIN_FREE_MB=MARK_MB) as gateway:
            yield gateway


def test_a_full_disk_of_the_store_and_the_state_folder_ends_nothing(
    gateway: OwnTmpGateway,
) -> None:
    before = len(gateway.shown())
    wait_until(lambda: send(gateway, 1) == 250, WAIT_SECONDS)
    with full(gateway.folder):
        wait_until(lambda: send(gateway, 2) == 452, WAIT_SECONDS)
        gateway.up.line_with("running.json cannot be written", WAIT_SECONDS)
        status, reason = readiness(gateway)
        assert (status, "no room" in reason) == (503, True), reason
        assert finding(gateway, "store", 1).startswith("False no room")
        assert finding(gateway, "room", 1).startswith("False no room: the disk of the state")
        assert gateway.up.process.poll() is None
    wait_until(lambda: send(gateway, 2) == 250, WAIT_SECONDS)
    wait_until(lambda: readiness(gateway)[0] == 200, WAIT_SECONDS)
    gateway.up.line_with("running.json is written again", WAIT_SECONDS)
    wait_until(lambda: len(gateway.shown()) >= before + 2, WAIT_SECONDS)
    assert finding(gateway, "store", 0).startswith("True can be written")
    assert "Traceback" not in gateway.up.output


def test_a_full_folder_of_temporary_files_ends_nothing(gateway: OwnTmpGateway) -> None:
    before = len(gateway.shown())
    wait_until(lambda: send(gateway, 3) == 250, WAIT_SECONDS)
    with full(gateway.temporary):
        wait_until(lambda: send(gateway, 4) == 250, WAIT_SECONDS)
        wait_until(partial(_problem, gateway), WAIT_SECONDS)
        assert gateway.up.process.poll() is None
    wait_until(lambda: not _problem(gateway), WAIT_SECONDS)
    wait_until(lambda: send(gateway, 5) == 250, WAIT_SECONDS)
    wait_until(lambda: len(gateway.shown()) >= before + 3, WAIT_SECONDS)


def _problem(gateway: RunningGateway) -> str:
    running = json.loads((gateway.folder / "running.json").read_text())
    problem: str = running["problem"]
    return problem if "temporary files" in problem else ""
