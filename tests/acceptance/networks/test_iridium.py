"""Mails, texts and modems on Iridium's own interfaces: DirectIP, and SBD by e-mail."""

import json
from dataclasses import dataclass
from typing import Any

import pytest

from messaging.satellite.codecs.protobuf import display_of
from messaging.simulator.mail.session import ReceivedMail
from tests.support.acceptance.all_networks import (
    DIRECTIP_IMEI,
    FRIEND,
    SBDMAIL_IMEI,
    AllNetworks,
    mails,
    request,
    send,
)
from tests.support.acceptance.running_gateway import DOMAIN, NUMBER, RunningGateway
from tests.support.eventually import wait_until

pytestmark = [pytest.mark.ray, pytest.mark.timeout(600)]


@dataclass(frozen=True)
class Network:
    """One simulated network beside the gateway, and whose modem is there."""

    url: str
    owner: str
    imei: str

    def uplink(self, to: str, text: str, **more: Any) -> dict[str, Any]:
        texts = [{"text": text, "to": to, "protocol": "email" if "@" in to else "sms"}]
        content = {"imei": self.imei, "texts": texts, **more}
        found: dict[str, Any] = request("POST", f"{self.url}/sim/uplinks", content)
        return found

    def shown(self) -> list[tuple[str, str]]:
        """(from, text) of every message that the device got."""
        listed = request("GET", f"{self.url}/sim/downlinks")
        arrived = [one for one in listed if one["state"] == "delivered"]
        return [line for one in arrived for line in display_of(bytes.fromhex(one["data"]))]


@dataclass(frozen=True)
class Stage:
    gateway: RunningGateway
    directip: Network
    sbdmail: Network

    def mails(self, to: str, text: str) -> list[ReceivedMail]:
        """The mails that left by the relay, which is the service that takes mails to modems too."""
        return mails(self.gateway, to, text)

    def newest(self, address: str, state: str) -> dict[str, Any]:
        """Return the delivery of the newest message, as soon as that is in this state."""

        def listed() -> dict[str, Any] | None:
            told = self.gateway.satbridge("messages", "list", f"--address={address}", "--json")
            message: dict[str, Any] = json.loads(told)[0]
            return message if message["state"] == state else None

        number = wait_until(listed)["id"]
        told = self.gateway.satbridge("messages", "show", str(number), "--json")
        found: dict[str, Any] = json.loads(told)["deliveries"][0]
        return found


@pytest.fixture(scope="module")
def stage(networks: AllNetworks) -> Stage:
    places = {"directip": networks.directip, "sbdmail": networks.sbdmail}
    imeis = {"directip": DIRECTIP_IMEI, "sbdmail": SBDMAIL_IMEI}
    for number, (name, imei) in enumerate(imeis.items()):
        owner = f"{name}-owner"
        networks.add(owner, f"+1555000666{number}", imei, name, "--codec=protobuf")
    found = {name: Network(url, f"{name}-owner", imeis[name]) for name, url in places.items()}
    return Stage(networks.gateway, **found)


@pytest.fixture(params=["directip", "sbdmail"])
def network(stage: Stage, request: pytest.FixtureRequest) -> Network:
    found: Network = getattr(stage, request.param)
    return found


def test_a_device_writes_a_mail(stage: Stage, network: Network) -> None:
    network.uplink("bob@example.net", f"Anchored, {network.owner}")
    (mail,) = wait_until(lambda: stage.mails("bob@example.net", f"Anchored, {network.owner}"))
    assert mail.sender.startswith(f"{network.owner}+b.")  # where a bounce of it goes


def test_a_mail_reaches_the_device_and_its_units_are_in_its_history(
    stage: Stage, network: Network
) -> None:
    send(stage.gateway, f"{network.owner}@{DOMAIN}", "Wetter", "Sturm kommt ⚓")
    (found,) = wait_until(lambda: [line for line in network.shown() if "Sturm" in line[1]])
    assert found == ("alice@example.net", "Wetter\nSturm kommt ⚓")
    assert stage.newest(network.owner, "sent")["units"] == 2


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
    wait_until(lambda: stage.mails("alice@example.net", "not provisioned"))
    assert "not provisioned" in stage.newest("nell", "failed")["reason"]


def test_the_check_probes_both(networks: AllNetworks, stage: Stage) -> None:
    found = networks.findings()
    assert (found["directip"]["ok"], found["sbdmail"]["ok"]) == (True, True)


def test_no_text_is_in_any_output(stage: Stage) -> None:
    told = stage.gateway.up.output + stage.gateway.satbridge("status", "--json")
    for text in ("Sturm kommt", "Anchored, ", "Back on Friday"):
        assert text not in told
