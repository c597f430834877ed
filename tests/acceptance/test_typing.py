"""A device that can only type, on a running gateway: a contact by name, the answer, the answer to that, nonsense."""

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

from tests.support.acceptance.running_gateway import Process, RunningGateway, running
from tests.support.eventually import wait_until

pytestmark = [pytest.mark.ray, pytest.mark.timeout(600)]

IMEI = "300234010753370"
ALICE, DORA = "alice@example.net", "dora@example.net"


@dataclass(frozen=True)
class Stage:
    """robin's modem, whose codec is plain text, at a simulated RockBLOCK beside the gateway."""

    gateway: RunningGateway
    url: str

    def type(self, text: str, **more: Any) -> None:
        hook = f"{self.gateway.http}/satellite/rockblock/rockblock"
        content = {"imei": IMEI, "data": text.encode().hex(), "webhook_url": hook, **more}
        answer = httpx.post(f"{self.url}/sim/uplinks", json=content, timeout=30)
        assert answer.raise_for_status().json()["taken"]

    def shown(self) -> list[str]:
        listed = httpx.get(f"{self.url}/sim/downlinks", timeout=30).json()
        return [bytes.fromhex(one["data"]).decode() for one in listed]

    def mails(self, to: str) -> list[str]:
        """From whom and what, of every mail that arrived."""
        received = [mail for mail in self.gateway.sink.received if to in mail.recipients]
        return [f"{mail.message['From']}: {_body(mail.message)}" for mail in received]

    def mail(self, author: str, subject: str, text: str) -> None:
        message = EmailMessage()
        message["From"], message["To"], message["Subject"] = author, "robin@example.org", subject
        message.set_content(text)
        with smtplib.SMTP("127.0.0.1", self.gateway.smtp_port, timeout=30) as client:
            client.send_message(message)

    def listed(self, *filters: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(
            self.gateway.satbridge("messages", "list", "--json", *filters)
        )
        return found


def _body(mail: EmailMessage) -> str:
    return "\n".join(mail.get_content().split("\r\n")).strip()


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    folder: Path = tmp_path_factory.mktemp("typing")
    with ExitStack() as exits:
        process = Process("simulate", "rockblock", f"--modem={IMEI}", "--port=0")
        exits.callback(process.stop)
        url = process.line_with(" at http").rpartition(" ")[2]
        key = process.line_with("SATBRIDGE_ROCKBLOCK_PUBLIC_KEY=").partition("=")[2]
        settings = {
            "ROCKBLOCK_URL": url,
            "ROCKBLOCK_USERNAME": "demo",
            "ROCKBLOCK_PASSWORD": "demo",
            "ROCKBLOCK_PUBLIC_KEY": key,
            "ROCKBLOCK_TIMEOUT_SECONDS": "4",
        }
        database = f"sqlite:///{folder}/store.sqlite3"
        gateway = exits.enter_context(running(database, folder, **settings))
        gateway.satbridge("users", "add", "robin", "--number=+15550002222")
        gateway.satbridge("users", "contacts", "add", "robin", "alice", ALICE)
        device = (IMEI, "--owner=robin", "--network=rockblock", "--codec=text")
        gateway.satbridge("devices", "add", *device)
        yield Stage(gateway, url.removesuffix("/rockblock"))


def test_a_conversation_from_a_device_that_can_only_type(stage: Stage) -> None:
    stage.type("@alice hello, all well")
    [first] = wait_until(lambda: stage.mails(ALICE))
    assert first.startswith("robin@example.org: hello, all well\nPosition 20")
    assert first.endswith("https://www.openstreetmap.org/?mlat=50.89810&mlon=-1.19470")

    stage.mail(DORA, "", "Who is that?")
    stage.mail(ALICE, "Wetter", "Sturm kommt ⚓")
    wait_until(lambda: "@alice Wetter\nSturm kommt ⚓" in stage.shown())
    assert f"{DORA} Who is that?" in stage.shown()
    wait_until(lambda: stage.listed(f"--address={ALICE}")[0]["state"] == "sent")

    stage.type("Thanks, reefing")
    wait_until(lambda: "Thanks, reefing" in stage.mails(ALICE)[-1])
    assert stage.mails(DORA) == []


def test_nonsense_is_answered_in_a_few_words_once(stage: Stage) -> None:
    again = {"momsn": 999, "transmit_time": "26-01-02 03:04:05"}
    stage.type("@alise hello", **again)
    wait_until(lambda: "Not sent: no contact @alise" in stage.shown())
    stage.type("@alise hello", **again)
    stage.type("@alice after that")
    wait_until(lambda: "after that" in stage.mails(ALICE)[-1])
    assert stage.shown().count("Not sent: no contact @alise") == 1
    kept = stage.listed("--state=undeliverable")
    assert [one["reason"] for one in kept] == ["no contact @alise"]


def test_what_is_typed_and_shown_is_in_no_log(stage: Stage) -> None:
    told = stage.gateway.up.output
    assert not any(said in told for said in ("all well", "reefing", "alise", "Sturm"))
