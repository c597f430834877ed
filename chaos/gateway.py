"""The gateway under test: the service and the simulators as processes, with their queries."""

import json
from contextlib import AbstractContextManager, suppress
from copy import copy
from pathlib import Path
from typing import Any

import httpx

from chaos.cluster import Cluster
from chaos.processes import kill_tree
from chaos.record import Direction, Offer
from messaging.config.env import read
from messaging.config.settings import Settings
from messaging.simulator.mail.session import MailFaults
from messaging.simulator.shared.faults import Faults
from messaging.store.db.connection import close_connection, migrate_store, open_store
from tests.support.acceptance.running_gateway import NUMBER, Process, RunningGateway, free_port

SHORT_WAITS = {
    "LEASE_SECONDS": "10",
    "ACCEPT_SECONDS": "15",
    "DUE_POLL_SECONDS": "0.5",
    "MAIL_RETRY_SECONDS": "1",
    "MAIL_LONGEST_RETRY_SECONDS": "2",
    "MAIL_MAX_ATTEMPTS": "1000",
    "SATELLITE_RETRY_SECONDS": "1",
    "SATELLITE_LONGEST_RETRY_SECONDS": "2",
    "SATELLITE_MAX_ATTEMPTS": "1000",
    "SMS_RETRY_SECONDS": "1",
    "SMS_LONGEST_RETRY_SECONDS": "2",
    "SMS_MAX_ATTEMPTS": "1000",
    "HIVE_RETRY_SECONDS": "1",
    "HIVE_LONGEST_RETRY_SECONDS": "2",
    "HIVE_LOGIN_PAUSE_SECONDS": "1",
    "MAX_WAITING_PER_SUBSCRIBER": "100000",
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
    "MIN_FREE_MB": "2",
}
"""Lease and retries are short, so that minutes show what takes hours in the field."""

PHONES = 50
START_SECONDS = 330.0  # a busy machine takes long to start twenty processes


class TargetGateway(RunningGateway):
    """A running gateway whose subscribers each have a device and a number."""

    def __init__(self, database_url: str, folder: Path, cluster: Cluster | None = None) -> None:
        # All nodes of the cluster are this machine, and share its ports.
        two = {"MAIL_RECEIVERS": "2", "HTTP_REPLICAS": "2"}
        joined = {"RAY_ADDRESS": cluster.address, **two} if cluster else {}
        own_port = {"SMTP_LISTEN": f"127.0.0.1:{free_port()}"}
        super().__init__(database_url, folder, **SHORT_WAITS, **own_port, **joined)
        self.cluster = cluster
        self.extra_environment: dict[str, str] = dict(cluster.environment) if cluster else {}

    def start(self) -> None:
        """Start the service, or restart it after its end."""
        self.up = Process("up", environment={**self.environment, **self.extra_environment})
        self.smtp_port = int(self.up.line_with("accepts mail", START_SECONDS).rpartition(":")[2])

    def start_elsewhere(self, cluster: Cluster, folder: Path) -> "TargetGateway":
        """Start the service on another cluster too, on the same store; return it as a gateway of its own.

        It shares people and networks with this one, and ends with the cluster.
        """
        other = copy(self)
        http = free_port()
        changed = {
            "RAY_ADDRESS": cluster.address,
            "STATE_DIR": str(folder),
            "SMTP_LISTEN": f"127.0.0.1:{free_port()}",
            "HTTP_LISTEN": f"127.0.0.1:{http}",
            "ADMIN_LISTEN": f"127.0.0.1:{free_port()}",
            # Twilio signs what it calls; behind a balancer that would be the same address.
            "PUBLIC_URL": f"http://127.0.0.1:{http}",
        }
        renamed = {f"SATBRIDGE_{name}": value for name, value in changed.items()}
        other.environment = {**self.environment, **renamed}
        other.extra_environment = dict(cluster.environment)
        other.cluster, other.folder, other.http = cluster, folder, f"http://127.0.0.1:{http}"
        other.start()
        return other

    def move_to(self, other: "TargetGateway") -> None:
        """Send new clients to the other gateway, as a switched balancer does."""
        self.smtp_port, self.http = other.smtp_port, other.http
        self.cluster, self.folder = other.cluster, other.folder
        self.environment, self.extra_environment = other.environment, other.extra_environment
        self.up = other.up

    def take_down(self) -> str:
        """Drain and end the service by command; return its output. Raises AssertionError if it failed."""
        down = Process("down", environment={**self.environment, **self.extra_environment})
        if code := down.process.wait(START_SECONDS):
            raise AssertionError(f"satbridge down: {code}: {down.output}")
        down.stop()
        return down.output

    def until_it_ends(self, context: AbstractContextManager[Any]) -> Any:
        """Enter a context that ends with this gateway."""
        return self._exits.enter_context(context)

    def kill_everything(self) -> int:
        """SIGKILL the service and all that it started, Ray included; return the number of processes."""
        killed = kill_tree(self.up.process.pid)
        self.up.stop()
        return killed

    def _people(self) -> None:
        settings = read(Settings, database_url=self.database_url, state_dir=self.folder)
        open_store(settings)
        migrate_store()
        from messaging.store.console.directory import add_device, add_subscriber

        for number, device in enumerate(self.devices):
            add_subscriber(f"user{number}", _number(number))
            add_device(str(device), owner=f"user{number}", network="hive", networks=["hive"])
        close_connection()

    # -- what people do

    def mailbox_of(self, number: int) -> str:
        """Return the mailbox of a subscriber, chosen by the number."""
        return f"user{number % len(self.devices)}@example.org"

    def device_of(self, number: int) -> str:
        """Return the device of the subscriber whom `mailbox_of` and `text_again` choose by the number."""
        return str(self.devices[number % len(self.devices)])

    def mailbox_of_device(self, serial: str) -> str:
        """Return the mailbox of the subscriber with this device; empty when there is none."""
        numbers = [number for number, device in enumerate(self.devices) if str(device) == serial]
        return self.mailbox_of(numbers[0]) if numbers else ""

    def text_again(self, number: int, body: str, sid: str) -> bool:
        """Send a text from a phone to a subscriber; return whether the gateway said yes."""
        content = {
            "from": _phone(number),
            "to": _number(number % len(self.devices)),
            "body": body,
            "sid": sid,
            "webhook_url": f"{self.http}/sms/twilio",
        }
        try:
            answer = httpx.post(f"{self.twilio}/sim/inbound", json=content, timeout=40)
            return bool(answer.json()["taken"])
        except (httpx.HTTPError, ValueError, KeyError):
            return False

    def uplink_of(self, number: int, offer: Offer) -> int:
        """Send a mail or a text from a device; return the number of its packet at the Hive."""
        letter = offer.way is Direction.LETTER
        to = f"friend{number % PHONES}@example.net" if letter else _phone(number)
        protocol = "email" if letter else "sms"
        offer.recipient = to
        texts = [{"text": offer.compose(), "to": to, "protocol": protocol}]
        device = self.devices[number % len(self.devices)]
        return self.packet_from(device, texts=texts)

    def packet_from(self, device: int, **content: Any) -> int:
        """Send texts from a device, or bytes (base64) as `data`; return the number of its packet."""
        answer = httpx.post(
            f"{self.hive}/sim/uplinks", json={"device": device, **content}, timeout=30
        )
        answer.raise_for_status()
        return int(answer.json()["packetId"])

    # -- what is done to the networks

    def set_faults(self, *networks: str, **faults: Any) -> None:
        """Replace all faults by these, by simulator ("hive", "twilio", "mail")."""
        urls = {"hive": self.hive, "twilio": self.twilio}
        for network in networks:
            if network == "mail":
                self.sink.faults = MailFaults(**faults)
            else:
                shared = {k: v for k, v in faults.items() if k in _SHARED}
                httpx.put(f"{urls[network]}/sim/faults", json=shared, timeout=30).raise_for_status()

    def expire_logins(self) -> None:
        """End every login session at the Hive."""
        httpx.post(f"{self.hive}/sim/sessions/expire", timeout=30).raise_for_status()

    # -- what can be seen

    def acknowledged(self) -> set[int]:
        """Return the packets that the gateway has acknowledged."""
        answer = httpx.get(f"{self.hive}/sim/uplinks", timeout=30).json()
        return set(answer["acknowledged"])

    def workers(self) -> dict[str, int]:
        """Return the process of each actor of the pipeline; 0 for one that does not answer now."""
        with suppress(OSError, ValueError):
            rows = json.loads((self.folder / "running.json").read_text())["workers"]
            return {row["name"]: row.get("pid", 0) for row in rows}
        return {}

    def is_ready(self) -> bool:
        """Whether the gateway reports that it takes mail and webhooks."""
        try:
            return httpx.get(f"{self.http}/readyz", timeout=10).status_code == 200
        except httpx.HTTPError:
            return False


_SHARED = frozenset(Faults.model_fields)


def _number(user: int) -> str:
    return f"+1{int(NUMBER[2:]) + user:010}"


def _phone(number: int) -> str:
    return f"+1555123{number % PHONES:04}"
