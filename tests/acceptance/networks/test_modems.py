"""Mails, texts and modems on two real networks at once, by webhooks and web services."""

import json
from dataclasses import dataclass
from typing import Any

import pytest

from messaging.satellite.codecs.protobuf import display_of
from tests.support.acceptance.all_networks import (
    CLOUDLOOP_IMEI,
    CLOUDLOOP_SECRET,
    CLOUDLOOP_THING,
    CLOUDLOOP_TOKEN,
    FRIEND,
    PASSWORD,
    ROCKBLOCK_IMEI,
    AllNetworks,
    request,
    send,
)
from tests.support.acceptance.running_gateway import NUMBER, RunningGateway
from tests.support.eventually import wait_until

pytestmark = [pytest.mark.ray, pytest.mark.timeout(600)]


@dataclass(frozen=True)
class Network:
    """One simulated network beside the gateway: whose device is there, and where messages from it are posted."""

    url: str
    owner: str
    imei: str
    hook: str

    def uplink(self, to: str, text: str, **more: Any) -> dict[str, Any]:
        texts = [{"text": text, "to": to, "protocol": "email" if "@" in to else "sms"}]
        content = {"imei": self.imei, "texts": texts, "webhook_url": self.hook, **more}
        found: dict[str, Any] = request("POST", f"{self.url}/sim/uplinks", content)
        return found

    def shown(self) -> list[tuple[str, str]]:
        """(from, text) of every message that the device got."""
        listed = request("GET", f"{self.url}/sim/downlinks")
        own = [one for one in listed if one["imei"] == self.imei]
        arrived = [one for one in own if one["state"] == "delivered"]
        return [line for one in arrived for line in display_of(bytes.fromhex(one["data"]))]


@dataclass(frozen=True)
class Stage:
    gateway: RunningGateway
    rockblock: Network
    cloudloop: Network


@pytest.fixture(scope="module")
def stage(networks: AllNetworks) -> Stage:
    networks.add("robin", "+15550003333", ROCKBLOCK_IMEI, "rockblock", "--codec=protobuf")
    networks.add("carla", "+15550004444", CLOUDLOOP_THING, "cloudloop-north", "--codec=protobuf")
    hooks = f"{networks.gateway.http}/satellite"
    cloudloop = f"{hooks}/cloudloop/cloudloop-north/{CLOUDLOOP_SECRET}"
    return Stage(
        networks.gateway,
        Network(networks.rockblock, "robin", ROCKBLOCK_IMEI, f"{hooks}/rockblock/rockblock"),
        Network(networks.cloudloop, "carla", CLOUDLOOP_IMEI, cloudloop),
    )


@pytest.fixture(params=["rockblock", "cloudloop"])
def network(stage: Stage, request: pytest.FixtureRequest) -> Network:
    found: Network = getattr(stage, request.param)
    return found


def test_a_device_writes_a_mail(stage: Stage, network: Network) -> None:
    assert network.uplink("bob@example.net", f"Anchored, {network.owner}")["taken"]

    def arrived() -> list[Any]:
        texts = [m for m in stage.gateway.sink.received if "bob@" in m.recipients[0]]
        return [m for m in texts if f"Anchored, {network.owner}" in m.message.get_content()]

    (mail,) = wait_until(arrived)
    assert mail.message["From"] == f"{network.owner}@example.org"


def test_a_mail_reaches_the_device(stage: Stage, network: Network) -> None:
    send(stage.gateway, f"{network.owner}@example.org", "Wetter", "Sturm kommt ⚓")
    (found,) = wait_until(lambda: [line for line in network.shown() if "Sturm" in line[1]])
    assert found == ("alice@example.net", "Wetter\nSturm kommt ⚓")


def test_a_device_writes_a_text(stage: Stage, network: Network) -> None:
    assert network.uplink(FRIEND, f"Back on Friday, {network.owner}")["taken"]

    def arrived() -> list[dict[str, Any]]:
        return [t for t in stage.gateway.texts() if f"Friday, {network.owner}" in t["body"]]

    (text,) = wait_until(arrived)
    assert (text["to"], text["from"] == NUMBER) == (FRIEND, False)


def test_a_long_mail_arrives_in_parts_and_its_credits_are_in_its_history(stage: Stage) -> None:
    send(stage.gateway, "robin@example.org", "Forecast", "word " * 110)

    def parts() -> list[tuple[str, str]] | None:
        found = [line for line in stage.rockblock.shown() if "word word" in line[1]]
        return found if len(found) >= 3 else None

    found = wait_until(parts)

    def units() -> int | None:
        listed = stage.gateway.satbridge("messages", "list", "--address=robin", "--json")
        newest = json.loads(listed)[0]["id"]
        told = json.loads(stage.gateway.satbridge("messages", "show", str(newest), "--json"))
        count: int | None = told["deliveries"][0]["units"]
        return count

    # 550 letters and the numbers of three parts, in blocks of 50 begun.
    assert len(found) == 3
    assert wait_until(units) in range(13, 17)


@pytest.mark.parametrize(("owner", "end"), [("carla", "delivered"), ("robin", "sent")])
def test_what_arrived_is_delivered_where_the_network_can_be_asked(
    stage: Stage, owner: str, end: str
) -> None:
    send(stage.gateway, f"{owner}@example.org", "Ahoy", f"Can you hear me, {owner}?")

    def state() -> str:
        told = stage.gateway.satbridge("messages", "list", f"--address={owner}", "--json")
        return str(json.loads(told)[0]["state"])

    wait_until(lambda: state() == end)


def test_a_message_that_comes_twice_is_delivered_once(stage: Stage, network: Network) -> None:
    changes = {"id": "twice"} if network.owner == "carla" else {}
    for _ in range(2):
        again = {"momsn": 777, "transmit_time": "26-01-02 03:04:05"}
        tried = network.uplink("dora@example.net", "Only once", changes=changes, **again)
        assert tried["taken"]
    network.uplink("dora@example.net", "After that")

    def texts() -> list[str]:
        mails = [m for m in stage.gateway.sink.received if "dora@" in m.recipients[0]]
        own = [m for m in mails if m.sender.startswith(network.owner)]
        return [m.message.get_content().strip() for m in own]

    wait_until(lambda: "After that" in " ".join(texts()))
    assert sum("Only once" in text for text in texts()) == 1


def test_what_nothing_proves_is_refused(stage: Stage) -> None:
    rockblock, cloudloop = stage.rockblock, stage.cloudloop
    forged = rockblock.uplink("eve@example.net", "Forged", token="wrong key")
    assert forged["status"] == 403
    bare = cloudloop.hook.removesuffix(CLOUDLOOP_SECRET)
    assert cloudloop.uplink("eve@example.net", "Forged", webhook_url=bare)["status"] == 403
    assert "Forged" not in stage.gateway.satbridge("messages", "list", "--json")


def test_the_check_probes_both_and_no_secret_is_in_any_output(
    networks: AllNetworks, stage: Stage
) -> None:
    found = networks.findings()
    assert (found["rockblock"]["ok"], found["cloudloop-north"]["ok"]) == (True, True)
    told = stage.gateway.up.output + stage.gateway.satbridge("status", "--json") + json.dumps(found)
    for secret in (PASSWORD, CLOUDLOOP_TOKEN, CLOUDLOOP_SECRET, "Sturm kommt", "Back on Friday"):
        assert secret not in told
