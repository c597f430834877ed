"""Counts the files and functions under `messaging/` that one mail enters on its way from the socket to the satellite.

`python -m bench.walk [--list]` runs a gateway on the inline runtime, with the simulated Hive in a process of its own,
sends one mail and waits until the ledger has stored its outcome. The profiler is set before any thread starts, counts
from the first byte of the mail to the stored outcome, and counts what runs beside it too, such as polls.
"""

import asyncio
import smtplib
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

from pydantic import SecretStr

from messaging.config.env import read
from messaging.config.settings import Settings
from messaging.gateway import Gateway
from messaging.mail.smtp.settings import SmtpSettings
from messaging.pipeline import MAIL_IN, declare
from messaging.satellite.providers.hive.account import HiveAccount
from messaging.store.db.connection import migrate_store, open_store
from messaging.streaming import InlineJob

ROOT = Path(__file__).parents[1]
PACKAGE = str(ROOT / "messaging")
SECONDS = 30


class Walk:
    """The functions that are entered while `counting` is set."""

    def __init__(self) -> None:
        self.counting = False
        self.entered: set[tuple[str, int, str]] = set()

    def trace(self, frame: FrameType, event: str, _: Any) -> None:
        """Note a call of a function of the package; comprehensions and lambdas count as their function."""
        if event != "call" or not self.counting:
            return
        code = frame.f_code
        if code.co_filename.startswith(PACKAGE) and not code.co_name.startswith("<"):
            self.entered.add((code.co_filename, code.co_firstlineno, code.co_qualname))

    @property
    def files(self) -> set[str]:
        """The files of these functions."""
        return {file for file, _, _ in self.entered}


def main() -> None:
    """Print the counts, and with `--list` every function."""
    walk = Walk()
    threading.setprofile(walk.trace)
    sys.setprofile(walk.trace)
    with tempfile.TemporaryDirectory() as folder, simulated_hive() as url:
        asyncio.run(send_one(gateway(Path(folder), url), walk))
    threading.setprofile(None)
    sys.setprofile(None)
    if "--list" in sys.argv:
        for file, line, name in sorted(walk.entered):
            print(f"{Path(file).relative_to(ROOT)}:{line} {name}")
    print(f"one mail enters {len(walk.files)} files and {len(walk.entered)} functions")


@contextmanager
def simulated_hive() -> Iterator[str]:
    """Run the simulator of the Hive; yield its URL."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "messaging", "simulate", "hive", "--port", str(port)]
    process = subprocess.Popen([*command, "--device", "7"], stdout=subprocess.DEVNULL)
    try:
        wait_for(lambda: answers(port))
        yield f"http://127.0.0.1:{port}/hive"
    finally:
        process.terminate()
        process.wait()


def wait_for(condition: Callable[[], bool]) -> None:
    """Return when the condition holds. Raises TimeoutError after `SECONDS`."""
    deadline = time.monotonic() + SECONDS
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError
        time.sleep(0.05)


def answers(port: int) -> bool:
    """Whether a connection to the port is taken."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def gateway(folder: Path, url: str) -> Gateway:
    """Return a gateway with mail-in and the Hive, whose store has one subscriber with one device."""
    settings = read(
        Settings,
        database_url=SecretStr(f"sqlite:///{folder}/store.sqlite3"),
        state_dir=folder,
        mail_domain="example.org",
    )
    open_store(settings)
    migrate_store()
    from messaging.store.console.directory import add_device, add_subscriber

    add_subscriber("boop", None)
    add_device("7", owner="boop", network="hive", networks=["hive"])
    hive = read(
        HiveAccount, url=url, username="demo", password=SecretStr("demo"), poll_seconds=3600
    )
    listen = read(SmtpSettings, listen="127.0.0.1:0")
    return Gateway(settings=settings, smtp=listen, satellites={"hive": hive})


async def send_one(gateway: Gateway, walk: Walk) -> None:
    """Send one mail and wait for its outcome."""
    async with InlineJob(declare(gateway), patience_seconds=SECONDS) as job:
        await asyncio.to_thread(wait_for, lambda: bool(job.operator(MAIL_IN).addresses))
        await asyncio.sleep(1)  # The first polls are over.
        port = job.operator(MAIL_IN).addresses[0].port
        walk.counting = True
        await asyncio.to_thread(send_mail, port)
        await asyncio.to_thread(wait_for, is_sent)
        walk.counting = False
        job.operator("due").stop()


def send_mail(port: int) -> None:
    """Speak SMTP as a mail server does."""
    with smtplib.SMTP("127.0.0.1", port, timeout=SECONDS) as client:
        message = b"From: alice@example.net\r\nSubject: Hello\r\n\r\nAll well here.\r\n"
        client.sendmail("alice@example.net", "boop@example.org", message)


def is_sent() -> bool:
    """Whether the delivery is sent; asks the store without entering the package."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM users_delivery WHERE state = 'sent'")
        (sent,) = cursor.fetchone()
    return bool(sent)


if __name__ == "__main__":
    main()
