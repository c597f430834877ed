"""Mails, texts and modems on two real networks at once: a gateway and four simulators, each a process of its own."""

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
    NUMBER,
    Process,
    RunningGateway,
    running,
)
from tests.support.eventually import wait_until

pytestmark = [pytest.mark.ray, pytest.mark.timeout(600)]

FRIEND = "+15551230000"
IMEI = "300234010753370"
THING = "DgXeoxwVPMyrdOBJeEGlqKRJLbajQkzZ"
THING_IMEI = "300234010753371"
PASSWORD, TOKEN = "a password of the modems", "a token of the things"
SECRET = "s3cret-that-stands-in-the-path"


@dataclass(frozen=True)
class Network:
    """One simulated network beside the gateway: whose device is there, and where messages from it are posted."""

    url: str
    owner: str
    serial: str
    imei: str
    hook: str

    def uplink(self, to: str, text: str, **more: Any) -> dict[str, Any]:
        texts = [{"text": text, "to": to, "protocol": "email" if "@" in to else "sms"}]
        content = {"imei": self.imei, "texts": texts, "webhook_url": self.hook, **more}
        answer = httpx.post(f"{self.url}/sim/uplinks", json=content, timeout=30)
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
    rockblock: Network
    cloudloop: Network


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    folder: Path = tmp_path_factory.mktemp("modems")
    with ExitStack() as exits:

        def simulator(*arguments: str) -> tuple[Process, str]:
            process = Process("simulate", *arguments, "--port=0")
            exits.callback(process.stop)
            url = process.line_with(" at http").rpartition(" ")[2]
            return process, url.removesuffix("/rockblock")

        login = ["--username=boss", f"--password={PASSWORD}"]
        process, rockblock = simulator("rockblock", f"--modem={IMEI}", *login)
        key = process.line_with("SATBRIDGE_ROCKBLOCK_PUBLIC_KEY=").partition("=")[2]
        thing = f"--thing={THING_IMEI}={THING}"
        _, cloudloop = simulator("cloudloop", thing, f"--token={TOKEN}")
        settings = {
            "ROCKBLOCK_URL": f"{rockblock}/rockblock",
            "ROCKBLOCK_USERNAME": "boss",
            "ROCKBLOCK_PASSWORD": PASSWORD,
            "ROCKBLOCK_PUBLIC_KEY": key,
            "ROCKBLOCK_TIMEOUT_SECONDS": "4",
            "CLOUDLOOP_ACCOUNTS": "north",
            "CLOUDLOOP_NORTH_URL": cloudloop,
            "CLOUDLOOP_NORTH_TOKEN": TOKEN,
            "CLOUDLOOP_NORTH_WEBHOOK_SECRET": SECRET,
            "CLOUDLOOP_NORTH_TIMEOUT_SECONDS": "4",
            "CLOUDLOOP_NORTH_DELIVERED_STATUSES": "DELIVERED",
            "CLOUDLOOP_NORTH_TRACE_SECONDS": "0.5",
        }
        url = f"sqlite:///{folder}/store.sqlite3"
        gateway = exits.enter_context(running(url, folder, **settings))
        for owner, number, serial, network in (
            ("robin", "+15550002222", IMEI, "rockblock"),
            ("carla", "+15550003333", THING, "cloudloop-north"),
        ):
            gateway.satbridge("users", "add", owner, f"--number={number}")
            gateway.satbridge(
                "devices",
                "add",
                serial,
                f"--owner={owner}",
                f"--network={network}",
                "--codec=protobuf",
            )
        hooks = f"{gateway.http}/satellite"
        yield Stage(
            gateway,
            Network(rockblock, "robin", IMEI, IMEI, f"{hooks}/rockblock/rockblock"),
            Network(
                cloudloop,
                "carla",
                THING,
                THING_IMEI,
                f"{hooks}/cloudloop/cloudloop-north/{SECRET}",
            ),
        )


@pytest.fixture(params=["rockblock", "cloudloop"])
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
    bare = cloudloop.hook.removesuffix(SECRET)
    assert cloudloop.uplink("eve@example.net", "Forged", webhook_url=bare)["status"] == 403
    assert "Forged" not in stage.gateway.satbridge("messages", "list", "--json")


def test_the_check_probes_both(stage: Stage) -> None:
    found = json.loads(stage.gateway.satbridge("check", "--json"))
    told = {finding["part"]: finding["ok"] for finding in found}
    assert (told["rockblock"], told["cloudloop-north"]) == (True, True)


def test_no_secret_is_in_any_output(stage: Stage) -> None:
    told = stage.gateway.up.output + stage.gateway.satbridge("status", "--json")
    told += stage.gateway.satbridge("check", "--json")
    for secret in (PASSWORD, TOKEN, SECRET, "Sturm kommt", "Back on Friday"):
        assert secret not in told
