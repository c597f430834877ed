"""A whole gateway as an operator runs it: `satbridge up` and the simulators, each a process of its own."""

import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from base64 import b64decode
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Self, TypeVar

import httpx

from messaging.config.env import read
from messaging.config.settings import Settings
from messaging.satellite.codecs.protobuf import display_of
from messaging.simulator.mail.server import MailSink
from messaging.store.console.directory import add_device, add_subscriber
from messaging.store.db.connection import close_connection, migrate_store, open_store
from tests.support.eventually import wait_until
from tests.support.mail.dns_server import DnsServer, zone_of
from tests.support.ports import free_port as free_port

DOMAIN = "example.org"
NUMBER = "+15550001111"
ACCOUNT_SID = "AC" + "1" * 32
TOKEN = "a token that nobody may see"
HIVE_PASSWORD = "a password that nobody may see"
START_SECONDS = 330  # a busy machine takes long to start twenty processes

T = TypeVar("T")


class Process:
    """A command of ours, with what it printed."""

    def __init__(
        self,
        *arguments: str,
        environment: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        wrapper: Sequence[str] = (),
    ) -> None:
        self.lines: list[str] = []
        self._queue: queue.Queue[str] = queue.Queue()
        self.process = subprocess.Popen(
            [*wrapper, sys.executable, "-m", "messaging", *arguments],
            env={**os.environ, "PYTHONUNBUFFERED": "1", **(environment or {})},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=cwd,
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line)
            self._queue.put(line)

    def line_with(self, text: str, seconds: float = START_SECONDS) -> str:
        """Wait for a line that holds `text`."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            try:
                line = self._queue.get(timeout=0.2)
            except queue.Empty:
                assert self.process.poll() is None, "".join(self.lines)
                continue
            if text in line:
                return line.strip()
        raise AssertionError(f"no line with {text!r} in:\n{''.join(self.lines)}")

    def stop(self, seconds: float = 60) -> int:
        """SIGTERM, and the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(seconds)
        self._reader.join(5)
        if self.process.stdout:
            self.process.stdout.close()
        return code

    @property
    def output(self) -> str:
        return "".join(self.lines)


class RunningGateway:
    """The processes of one gateway and ways to look at what reached the outside."""

    def __init__(self, database_url: str, folder: Path, **settings: str) -> None:
        self.database_url = database_url
        self.folder = folder
        self.sink = MailSink()
        self.dns = DnsServer(zone_of(DOMAIN))
        self.devices = [1000 + n for n in range(21)]
        self._settings = settings
        self._exits = ExitStack()
        self.environment: dict[str, str] = {}

    def __enter__(self) -> Self:
        with ExitStack() as exits:
            exits.enter_context(self.sink)
            exits.enter_context(self.dns)
            devices = [f"--device={number}" for number in self.devices]
            login = ["--username=boss", f"--password={HIVE_PASSWORD}"]
            self.hive = self._simulator(exits, "hive", *devices, *login)
            self.twilio = self._simulator(
                exits, "twilio", f"--account-sid={ACCOUNT_SID}", f"--auth-token={TOKEN}"
            )
            http = free_port()
            self.http = f"http://127.0.0.1:{http}"
            self.environment = self._environment(http)
            self._people()
            exits.callback(lambda: self.up.stop())
            self.start()
            self._exits = exits.pop_all()
        return self

    def __exit__(self, *error: object) -> None:
        self._exits.close()

    def start(self) -> None:
        """Start the service; it may be called again after the service has ended."""
        self.up = Process("up", environment=self.environment)
        first, *_ = self.up.line_with("accepts mail").rpartition(" on ")[2].split(", ")
        self.smtp_port = int(first.rpartition(":")[2])

    def _simulator(self, exits: ExitStack, *arguments: str) -> str:
        process = Process("simulate", *arguments, "--port=0")
        exits.callback(process.stop)
        return process.line_with(" at http").rpartition(" ")[2].removesuffix("/hive")

    def _environment(self, http_port: int) -> dict[str, str]:
        values = {
            "DATABASE_URL": self.database_url,
            "STATE_DIR": str(self.folder),
            "MAIL_DOMAIN": DOMAIN,
            "DNS_SERVERS": self.dns.address,
            "SMTP_LISTEN": "127.0.0.1:0",
            "HTTP_LISTEN": f"127.0.0.1:{http_port}",
            "ADMIN_LISTEN": f"127.0.0.1:{free_port()}",
            "PUBLIC_URL": self.http,
            "RELAY_URL": self.sink.url,
            "HIVE_URL": f"{self.hive}/hive",
            "HIVE_USERNAME": "boss",
            "HIVE_PASSWORD": HIVE_PASSWORD,
            "HIVE_POLL_SECONDS": "0.5",
            "HIVE_TIMEOUT_SECONDS": "4",
            "TWILIO_ACCOUNT_SID": ACCOUNT_SID,
            "TWILIO_AUTH_TOKEN": TOKEN,
            "TWILIO_API_URL": self.twilio,
            "RELAY_TIMEOUT_SECONDS": "4",
            "TWILIO_TIMEOUT_SECONDS": "4",
            "LEASE_SECONDS": "10",
            "ACCEPT_SECONDS": "15",
            # Strangers write, and one author by the thousand.
            "SENDERS": "open",
            "MAX_HOURLY_PER_PAIR": "0",
            "BURST_HOURLY_PER_AUTHOR": "0",
            "BURST_HOURLY_PER_DEVICE": "0",
            "BURST_HOURLY_PER_DOMAIN": "0",
            "BURST_HOURLY_PER_CLIENT": "0",
            "BURST_HOURLY_IN_TOTAL": "0",
            "MAX_HOURLY_NOTICES": "0",
            "MAX_HOURLY_PER_DEVICE": "0",
            "MAX_DAILY_PER_DEVICE": "0",
            "MAX_DAILY_UNITS_PER_DEVICE": "0",
            **self._settings,
        }
        return {f"SATBRIDGE_{name}": value for name, value in values.items()}

    def _people(self) -> None:
        """boop with device 1000 and a number, and twenty more with a device each."""
        settings = read(Settings, database_url=self.database_url, state_dir=self.folder)
        open_store(settings)
        migrate_store()
        for number, device in enumerate(self.devices):
            name = "boop" if number == 0 else f"user{number}"
            add_subscriber(name, NUMBER if number == 0 else None)
            add_device(str(device), owner=name, network="hive", networks=["hive"])
        close_connection()

    # -- what people do

    def satbridge(self, *arguments: str, code: int = 0) -> str:
        done = Process(*arguments, environment=self.environment)
        assert done.process.wait(180) == code, done.output
        done.stop()
        return done.output

    def uplink(self, device: int, to: str, text: str) -> None:
        protocol = "email" if "@" in to else "sms"
        texts = [{"text": text, "to": to, "protocol": protocol}]
        content = {"device": device, "texts": texts}
        httpx.post(f"{self.hive}/sim/uplinks", json=content).raise_for_status()

    def text(self, sender: str, body: str) -> dict[str, Any]:
        content = {"from": sender, "to": NUMBER, "body": body}
        content["webhook_url"] = f"{self.http}/sms/twilio"
        answer = httpx.post(f"{self.twilio}/sim/inbound", json=content, timeout=30)
        answer.raise_for_status()
        found: dict[str, Any] = answer.json()
        return found

    # -- what people see

    def shown(self, after: int = 0) -> list[tuple[int, str, str]]:
        """(device, from, text) of every downlink, oldest first."""
        listed = httpx.get(f"{self.hive}/sim/downlinks", params={"after": after}, timeout=30).json()
        return [
            (packet["device"], sender, text)
            for packet in listed
            for sender, text in display_of(b64decode(packet["data"]))
        ]

    def texts(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = httpx.get(f"{self.twilio}/sim/messages", timeout=30).json()
        return [text for text in found if text["direction"] == "outbound-api"]

    def pid_of(self, worker: str) -> int:
        """Return the process of a worker, as soon as that one has answered."""
        return wait_until(lambda: self.workers().get(worker))

    def workers(self) -> dict[str, int]:
        """Return the process of each worker that answered in the last round."""
        running = json.loads((self.folder / "running.json").read_text())
        return {row["name"]: row["pid"] for row in running["workers"] if "pid" in row}

    def waiting(self) -> int:
        status = json.loads(self.satbridge("status", "--json"))
        return sum(row["states"].get("waiting", 0) for row in status["queues"])


@contextmanager
def running(database_url: str, folder: Path, **settings: str) -> Iterator[RunningGateway]:
    with RunningGateway(database_url, folder, **settings) as gateway:
        yield gateway
