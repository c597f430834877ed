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

from messaging.satellite.payload import shown
from tests.acceptance.running_gateway import (
    NUMBER,
    Process,
    RunningGateway,
    eventually,
    free_port,
    running,
)

pytestmark = [pytest.mark.ray, pytest.mark.timeout(240)]

FRIEND = "+15551230000"
IMEI = "300434060000000"


@dataclass(frozen=True)
class Stage:
    gateway: RunningGateway
    url: str

    def uplink(self, to: str, text: str, **more: Any) -> dict[str, Any]:
        texts = [{"text": text, "to": to, "protocol": "email" if "@" in to else "sms"}]
        content = {"imei": IMEI, "texts": texts, **more}
        answer = httpx.post(f"{self.url}/sim/uplinks", json=content, timeout=40)
        answer.raise_for_status()
        found: dict[str, Any] = answer.json()
        return found

    def shown(self) -> list[tuple[str, str]]:
        """(from, text) of every message that the device got."""
        listed = httpx.get(f"{self.url}/sim/downlinks", timeout=30).json()
        arrived = [one for one in listed if one["state"] == "delivered"]
        return [line for one in arrived for line in shown(bytes.fromhex(one["data"]))]

    def mails(self, to: str, text: str) -> list[Any]:
        received = [m for m in self.gateway.sink.received if to in m.recipients]
        return [m for m in received if text in m.message.get_content()]

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
        listen = f"127.0.0.1:{free_port()}"
        options = [f"--modem={IMEI}", f"--listener={listen}", "--speed=10"]
        process = Process("simulate", "directip", *options, "--port=0", "--gateway-port=0")
        exits.callback(process.stop)
        url = process.line_with(" at http").rpartition(" ")[2]
        address = process.line_with("SATBRIDGE_DIRECTIP_GATEWAY=").partition("=")[2]
        settings = {
            "DIRECTIP_LISTEN": listen,
            "DIRECTIP_GATEWAY": address,
            "DIRECTIP_PEERS": "127.0.0.1",
            "DIRECTIP_TIMEOUT_SECONDS": "4",
            "DIRECTIP_CREDIT_BYTES": "30",
        }
        store = f"sqlite:///{folder}/store.sqlite3"
        gateway = exits.enter_context(running(store, folder, **settings))
        gateway.satbridge("users", "add", "robin", "--number=+15550002222")
        gateway.satbridge("devices", "add", IMEI, "--owner=robin", "--network=directip")
        yield Stage(gateway, url)


def send(gateway: RunningGateway, to: str, subject: str, text: str) -> None:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "alice@example.net", to, subject
    message.set_content(text)
    with smtplib.SMTP("127.0.0.1", gateway.smtp_port, timeout=30) as client:
        client.send_message(message)


def test_a_device_writes_a_mail(stage: Stage) -> None:
    stage.uplink("bob@example.net", "Anchored by socket")
    (mail,) = eventually(lambda: stage.mails("bob@example.net", "Anchored by socket"))
    assert mail.sender == "robin@example.org"


def test_a_mail_reaches_the_device_and_its_units_are_in_its_history(stage: Stage) -> None:
    send(stage.gateway, "robin@example.org", "Wetter", "Sturm kommt ⚓")
    (found,) = eventually(lambda: [line for line in stage.shown() if "Sturm" in line[1]])
    assert found == ("alice@example.net", "Wetter\nSturm kommt ⚓")
    eventually(lambda: stage.newest("robin")["state"] == "sent")
    assert stage.newest("robin")["units"] == 2


def test_a_device_writes_a_text(stage: Stage) -> None:
    stage.uplink(FRIEND, "Back on Friday")

    def arrived() -> list[dict[str, Any]]:
        return [text for text in stage.gateway.texts() if "Back on Friday" in text["body"]]

    (text,) = eventually(arrived)
    assert (text["to"], text["from"] == NUMBER) == (FRIEND, False)


def test_a_message_that_comes_twice_is_delivered_once(stage: Stage) -> None:
    again = {"momsn": 777, "transmit_time": "2026-01-02 03:04:05", "changes": {"reference": 9}}
    for _ in range(2):
        assert stage.uplink("dora@example.net", "Only once", **again)["taken"]
    stage.uplink("dora@example.net", "After that")
    eventually(lambda: stage.mails("dora@example.net", "After that"))
    assert len(stage.mails("dora@example.net", "Only once")) == 1


def test_where_the_device_was_is_known(stage: Stage) -> None:
    found = json.loads(stage.gateway.satbridge("devices", "positions", IMEI, "--json"))
    assert found[0]["latitude"] == pytest.approx(50.8981, abs=1e-3)


def test_the_check_probes_the_gateway(stage: Stage) -> None:
    found = json.loads(stage.gateway.satbridge("check", "--json"))
    assert {finding["part"]: finding["ok"] for finding in found}["directip"] is True


def test_no_text_is_in_any_output(stage: Stage) -> None:
    told = stage.gateway.up.output + stage.gateway.satbridge("status", "--json")
    for text in ("Sturm kommt", "Anchored by socket", "Back on Friday"):
        assert text not in told
