"""Mails, texts and modems on Iridium's own interfaces: a gateway and the simulators, each a process of its own."""

import json
import smtplib
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import httpx
import pytest

from messaging.satellite.codecs.protobuf import display_of
from tests.support.acceptance.running_gateway import (
    DOMAIN,
    NUMBER,
    Process,
    RunningGateway,
    free_port,
    running,
)
from tests.support.eventually import wait_until

pytestmark = [pytest.mark.ray, pytest.mark.timeout(600)]

FRIEND = "+15551230000"
SOCKET_IMEI, MAIL_IMEI = "300434060000000", "300434060000001"
MAILBOX = "sbd-7f3k2q"


@dataclass(frozen=True)
class Network:
    """One simulated network beside the gateway, and whose modem is there."""

    url: str
    owner: str
    imei: str

    def uplink(self, to: str, text: str, **more: Any) -> dict[str, Any]:
        texts = [{"text": text, "to": to, "protocol": "email" if "@" in to else "sms"}]
        content = {"imei": self.imei, "texts": texts, **more}
        answer = httpx.post(f"{self.url}/sim/uplinks", json=content, timeout=40)
        answer.raise_for_status()
        found: dict[str, Any] = answer.json()
        return found

    def shown(self) -> list[tuple[str, str]]:
        """(from, text) of every message that the device got."""
        listed = httpx.get(f"{self.url}/sim/downlinks", timeout=30).json()
        arrived = [one for one in listed if one["state"] == "delivered"]
        return [line for one in arrived for line in display_of(bytes.fromhex(one["data"]))]


@dataclass(frozen=True)
class Stage:
    gateway: RunningGateway
    directip: Network
    sbdmail: Network

    def mails(self, to: str, text: str) -> list[dict[str, Any]]:
        """What left by the relay, which is the service that takes mails to modems too."""
        listed = httpx.get(f"{self.sbdmail.url}/sim/mails", timeout=30).json()
        return [mail for mail in listed if to in mail["to"] and text in mail["text"]]

    def newest(self, address: str) -> dict[str, Any]:
        listed = self.gateway.satbridge("messages", "list", f"--address={address}", "--json")
        number = json.loads(listed)[0]["id"]
        told = self.gateway.satbridge("messages", "show", str(number), "--json")
        found: dict[str, Any] = json.loads(told)["deliveries"][0]
        return found


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    folder: Path = tmp_path_factory.mktemp("iridium")
    with ExitStack() as exits:

        def simulator(variable: str, *arguments: str) -> tuple[str, str]:
            process = Process("simulate", *arguments, "--port=0")
            exits.callback(process.stop)
            url = process.line_with(" at http").rpartition(" ")[2]
            return url, process.line_with(f"SATBRIDGE_{variable}=").partition("=")[2]

        listen, smtp = (f"127.0.0.1:{free_port()}" for _ in range(2))
        sockets = [f"--modem={SOCKET_IMEI}", f"--listener={listen}", "--speed=10"]
        directip, address = simulator("DIRECTIP_GATEWAY", "directip", *sockets, "--gateway-port=0")
        mails = [f"--modem={MAIL_IMEI}", f"--listener={smtp}", f"--mailbox={MAILBOX}@{DOMAIN}"]
        sbdmail, relay = simulator("RELAY_URL", "sbdmail", *mails, "--smtp-port=0")
        settings = {
            "SMTP_LISTEN": smtp,
            "RELAY_URL": relay,
            "DIRECTIP_LISTEN": listen,
            "DIRECTIP_GATEWAY": address,
            "DIRECTIP_PEERS": "127.0.0.1",
            "DIRECTIP_TIMEOUT_SECONDS": "4",
            "DIRECTIP_CREDIT_BYTES": "30",
            "SBDMAIL_MAILBOX": MAILBOX,
            "SBDMAIL_PEERS": "127.0.0.0/8",
            "SBDMAIL_TIMEOUT_SECONDS": "5",
            "SBDMAIL_CREDIT_BYTES": "30",
        }
        store = f"sqlite:///{folder}/store.sqlite3"
        gateway = exits.enter_context(running(store, folder, **settings))
        networks = {}
        for number, (name, url, imei) in enumerate(
            (("directip", directip, SOCKET_IMEI), ("sbdmail", sbdmail, MAIL_IMEI))
        ):
            owner = f"{name}-owner"
            gateway.satbridge("users", "add", owner, f"--number=+1555000222{number}")
            gateway.satbridge(
                "devices", "add", imei, f"--owner={owner}", f"--network={name}", "--codec=protobuf"
            )
            networks[name] = Network(url, owner, imei)
        yield Stage(gateway, **networks)


@pytest.fixture(params=["directip", "sbdmail"])
def network(stage: Stage, request: pytest.FixtureRequest) -> Network:
    found: Network = getattr(stage, request.param)
    return found


def send(gateway: RunningGateway, to: str, subject: str, text: str) -> None:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "alice@example.net", to, subject
    message.set_content(text)
    with smtplib.SMTP("127.0.0.1", gateway.smtp_port, timeout=30) as client:
        client.send_message(message)


def test_a_device_writes_a_mail(stage: Stage, network: Network) -> None:
    network.uplink("bob@example.net", f"Anchored, {network.owner}")
    (mail,) = wait_until(lambda: stage.mails("bob@example.net", f"Anchored, {network.owner}"))
    assert mail["from"].startswith(f"{network.owner}+b.")  # where a bounce of it goes


def test_a_mail_reaches_the_device_and_its_units_are_in_its_history(
    stage: Stage, network: Network
) -> None:
    send(stage.gateway, f"{network.owner}@{DOMAIN}", "Wetter", "Sturm kommt ⚓")
    (found,) = wait_until(lambda: [line for line in network.shown() if "Sturm" in line[1]])
    assert found == ("alice@example.net", "Wetter\nSturm kommt ⚓")
    wait_until(lambda: stage.newest(network.owner)["state"] == "sent")
    assert stage.newest(network.owner)["units"] == 2


def test_a_device_writes_a_text(stage: Stage, network: Network) -> None:
    network.uplink(FRIEND, f"Back on Friday, {network.owner}")

    def arrived() -> list[dict[str, Any]]:
        return [
            text for text in stage.gateway.texts() if f"Friday, {network.owner}" in text["body"]
        ]

    (text,) = wait_until(arrived)
    assert (text["to"], text["from"] == NUMBER) == (FRIEND, False)


def test_a_message_that_comes_twice_is_delivered_once(stage: Stage, network: Network) -> None:
    to = f"dora-{network.owner}@example.net"
    again: dict[str, Any] = {"momsn": 777, "transmit_time": "2026-01-02 03:04:05"}
    if network is stage.directip:
        again["changes"] = {"reference": 9}
    for _ in range(2):
        assert network.uplink(to, "Only once", **again)["taken"]
    network.uplink(to, "After that")
    wait_until(lambda: stage.mails(to, "After that"))
    assert len(stage.mails(to, "Only once")) == 1


def test_where_the_device_was_is_known(stage: Stage, network: Network) -> None:
    found = json.loads(stage.gateway.satbridge("devices", "positions", network.imei, "--json"))
    assert found[0]["latitude"] == pytest.approx(50.8981, abs=1e-3)


def test_a_message_that_the_service_does_not_queue_has_failed_and_its_author_knows(
    stage: Stage,
) -> None:
    unknown = "300434060000009"
    stage.gateway.satbridge("users", "add", "nell")
    stage.gateway.satbridge(
        "devices", "add", unknown, "--owner=nell", "--network=sbdmail", "--codec=protobuf"
    )
    send(stage.gateway, f"nell@{DOMAIN}", "Hello", "Are you there?")
    wait_until(lambda: stage.newest("nell")["state"] == "failed")
    assert "not provisioned" in stage.newest("nell")["reason"]
    wait_until(lambda: stage.mails("alice@example.net", "not provisioned"))


def test_the_check_probes_both(stage: Stage) -> None:
    found = json.loads(stage.gateway.satbridge("check", "--json"))
    told = {finding["part"]: finding["ok"] for finding in found}
    assert (told["directip"], told["sbdmail"]) == (True, True)


def test_no_text_is_in_any_output(stage: Stage) -> None:
    told = stage.gateway.up.output + stage.gateway.satbridge("status", "--json")
    for text in ("Sturm kommt", "Anchored, ", "Back on Friday"):
        assert text not in told
