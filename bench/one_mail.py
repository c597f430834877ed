"""Sends one mail through a gateway on the inline runtime, to the simulated Hive in a process of its own."""

import asyncio
import smtplib
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from django.db import connection
from pydantic import SecretStr

from messaging.config.env import read
from messaging.config.settings import Settings
from messaging.gateway import Gateway
from messaging.mail.smtp.settings import SmtpSettings
from messaging.pipeline import MAIL_IN, declare
from messaging.satellite.providers.hive.account import HiveAccount
from messaging.store.console.directory import add_device, add_subscriber
from messaging.store.db.connection import migrate_store, open_store
from messaging.streaming import InlineJob

SECONDS = 30


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
        due_poll_seconds=3600,
    )
    open_store(settings)
    migrate_store()
    add_subscriber("boop", None)
    add_device("7", owner="boop", network="hive", networks=["hive"])
    hive = read(
        HiveAccount, url=url, username="demo", password=SecretStr("demo"), poll_seconds=3600
    )
    listen = read(SmtpSettings, listen="127.0.0.1:0")
    return Gateway(settings=settings, smtp=listen, satellites={"hive": hive})


async def send_one(gateway: Gateway, count: Callable[[bool], None]) -> None:
    """Send one mail and wait for its outcome; call `count` with true before, and with false after."""
    async with InlineJob(declare(gateway), patience_seconds=SECONDS) as job:
        await asyncio.to_thread(wait_for, lambda: bool(job.operator(MAIL_IN).addresses))
        await asyncio.sleep(1)  # The first polls are over.
        port = job.operator(MAIL_IN).addresses[0].port
        count(True)
        await asyncio.to_thread(send_mail, port)
        await asyncio.to_thread(wait_for, is_sent)
        count(False)
        job.operator("due").close()


def send_mail(port: int) -> None:
    """Speak SMTP as a mail server does."""
    with smtplib.SMTP("127.0.0.1", port, timeout=SECONDS) as client:
        message = b"From: alice@example.net\r\nSubject: Hello\r\n\r\nAll well here.\r\n"
        client.sendmail("alice@example.net", "boop@example.org", message)


def is_sent() -> bool:
    """Whether the delivery is sent; asks the store without entering the package."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM users_delivery WHERE state = 'sent'")
        (sent,) = cursor.fetchone()
    return bool(sent)
