"""A device that can only type: a contact by name, the answer, the answer to that, nonsense."""

import json
from dataclasses import dataclass
from email.message import EmailMessage
from typing import Any

import pytest

from tests.support.acceptance.all_networks import TYPING_IMEI, AllNetworks, request, send
from tests.support.acceptance.running_gateway import RunningGateway
from tests.support.eventually import wait_until

pytestmark = [pytest.mark.ray, pytest.mark.timeout(600)]

ALICE, DORA = "alice@typing.example", "dora@typing.example"


@dataclass(frozen=True)
class Stage:
    """tess's modem, whose codec is plain text, at a simulated RockBLOCK beside the gateway."""

    gateway: RunningGateway
    url: str

    def type(self, text: str, **more: Any) -> None:
        hook = f"{self.gateway.http}/satellite/rockblock/rockblock"
        content = {"imei": TYPING_IMEI, "data": text.encode().hex(), "webhook_url": hook, **more}
        assert request("POST", f"{self.url}/sim/uplinks", content)["taken"]

    def shown(self) -> list[str]:
        listed = request("GET", f"{self.url}/sim/downlinks")
        own = [one for one in listed if one["imei"] == TYPING_IMEI]
        return [bytes.fromhex(one["data"]).decode() for one in own]

    def mails(self, to: str) -> list[str]:
        """From whom and what, of every mail that arrived."""
        received = [mail for mail in self.gateway.sink.received if to in mail.recipients]
        return [f"{mail.message['From']}: {_body(mail.message)}" for mail in received]

    def mail(self, author: str, subject: str, text: str) -> None:
        send(self.gateway, "tess@example.org", subject, text, author)

    def listed(self, *filters: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(
            self.gateway.satbridge("messages", "list", "--json", *filters)
        )
        return found


def _body(mail: EmailMessage) -> str:
    return "\n".join(mail.get_content().split("\r\n")).strip()


@pytest.fixture(scope="module")
def stage(networks: AllNetworks) -> Stage:
    networks.add("tess", "+15550005555", TYPING_IMEI, "rockblock", "--codec=text")
    networks.gateway.satbridge("users", "contacts", "add", "tess", "alice", ALICE)
    return Stage(networks.gateway, networks.rockblock)


def test_a_conversation_from_a_device_that_can_only_type(stage: Stage) -> None:
    stage.type("@alice hello, all well")
    [first] = wait_until(lambda: stage.mails(ALICE))
    assert first.startswith("tess@example.org: hello, all well\nPosition 20")
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
    reasons = [one["reason"] for one in kept if "contact" in one["reason"]]
    assert reasons == ["no contact @alise"]


def test_what_is_typed_and_shown_is_in_no_log(stage: Stage) -> None:
    told = stage.gateway.up.output
    assert not any(said in told for said in ("all well", "reefing", "alise", "Sturm"))
