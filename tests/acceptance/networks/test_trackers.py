"""inReach and SPOT devices: messages, calls for help, positions, and mails and texts to and from them."""

import json
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from messaging.simulator.mail.session import ReceivedMail
from tests.support.acceptance.all_networks import (
    FRIEND,
    GARMIN_IMEI,
    GARMIN_KEY,
    GARMIN_SECRET,
    GARMIN_TOKEN,
    OPERATOR,
    SPOT_FEED,
    SPOT_MESSENGER,
    AllNetworks,
    mails,
    request,
    send,
)
from tests.support.acceptance.running_gateway import RunningGateway
from tests.support.eventually import wait_until

pytestmark = [pytest.mark.ray, pytest.mark.timeout(600)]


@dataclass(frozen=True)
class Stage:
    gateway: RunningGateway
    garmin: str
    spot: str
    calls: dict[str, int]
    """The calls that SPOT had before."""

    def inreach(self, *events: dict[str, Any], **event: Any) -> dict[str, Any]:
        """Let an inReach send; returns what came of the first post."""
        given = [{"imei": GARMIN_IMEI, **one} for one in events] or {"imei": GARMIN_IMEI, **event}
        found: dict[str, Any] = request("POST", f"{self.garmin}/sim/events", given)
        return found

    def shown(self, sender: str) -> list[str]:
        """The texts of one sender that the inReach got."""
        listed = request("GET", f"{self.garmin}/sim/downlinks")
        return [one["text"] for one in listed if one["from"] == sender]

    def tracker(self, content: str, **sent: Any) -> None:
        given = {"feed": SPOT_FEED, "content": content, "messenger": SPOT_MESSENGER, **sent}
        request("POST", f"{self.spot}/sim/messages", given)

    def mails(self, recipient: str, words: str) -> list[ReceivedMail]:
        return mails(self.gateway, recipient, words)

    def texts(self, words: str) -> list[dict[str, Any]]:
        return [text for text in self.gateway.texts() if words in text["body"]]


@pytest.fixture(scope="module")
def stage(networks: AllNetworks) -> Stage:
    networks.add("ines", "+15550007777", GARMIN_IMEI, "garmin")
    networks.add("sven", "+15550008888", SPOT_MESSENGER, "spot")
    calls = request("GET", f"{networks.spot}/sim/calls")
    return Stage(networks.gateway, networks.garmin, networks.spot, calls)


@pytest.mark.parametrize("version", ["2.0", "3.0", "4.0"])
def test_an_inreach_writes_a_mail(stage: Stage, version: str) -> None:
    request("PUT", f"{stage.garmin}/sim/portal", {"version": version})
    text = f"Anchored, by version {version}"
    assert stage.inreach(text=text, to=["bob@example.net"], latitude=47.5, longitude=-3, fix=2)[
        "taken"
    ]
    (mail,) = wait_until(lambda: stage.mails("bob@example.net", text))
    assert mail.message["From"] == "ines@example.org"


def test_a_mail_reaches_the_inreach_and_its_answer_comes_back(stage: Stage) -> None:
    send(stage.gateway, "ines@example.org", "Wetter", "Sturm kommt ⚓")
    (text,) = wait_until(lambda: stage.shown("alice@example.net"))
    assert text == "Wetter\nSturm kommt ⚓"
    assert stage.inreach(text="Danke, verstanden", to=["alice@example.net"])["taken"]
    wait_until(lambda: stage.mails("alice@example.net", "Danke, verstanden"))


def test_an_inreach_writes_a_text_and_the_answer_reaches_it(stage: Stage) -> None:
    assert stage.inreach(text="Home on Monday", to=[FRIEND])["taken"]
    (text,) = wait_until(lambda: stage.texts("Home on Monday"))
    assert (text["to"], text["from"]) == (FRIEND, "+15550007777")


def test_a_long_mail_arrives_in_parts_and_each_is_counted(stage: Stage) -> None:
    send(stage.gateway, "ines@example.org", "Forecast", "word " * 70)

    def parts() -> list[str] | None:
        found = [text for text in stage.shown("alice@example.net") if "word word" in text]
        return found if len(found) >= 3 else None

    assert all(len(text) <= 160 for text in wait_until(parts))

    def units() -> int | None:
        listed = json.loads(stage.gateway.satbridge("messages", "list", "--address=ines", "--json"))
        newest = next(one for one in listed if one["subject"] == "Forecast")
        told = stage.gateway.satbridge("messages", "show", str(newest["id"]), "--json")
        count: int | None = json.loads(told)["deliveries"][0]["units"]
        return count

    assert wait_until(units) == 3


def test_a_bad_event_keeps_back_no_other(stage: Stage) -> None:
    good = {"text": "Among bad ones", "to": ["bob@example.net"]}
    assert stage.inreach({"changes": {"messageCode": None}}, good, {"text": "For nobody"})["taken"]
    wait_until(lambda: stage.mails("bob@example.net", "Among bad ones"))
    assert "names no recipient" in stage.gateway.satbridge("messages", "list", "--json")


def test_an_sos_reaches_the_operator_with_its_place(stage: Stage) -> None:
    place = {"latitude": 46.25, "longitude": -2.5, "fix": 3}
    assert stage.inreach(code=4, text="Broken leg", low_battery=1, **place)["taken"]
    (mail,) = wait_until(lambda: stage.mails(OPERATOR, "Broken leg"))
    assert "SOS" in mail.message["Subject"]
    assert "46.25000, -2.50000" in mail.message.get_content()
    assert stage.inreach(code=7)["taken"]
    wait_until(lambda: stage.mails(OPERATOR, "cancelled"))


def test_positions_are_listed(stage: Stage) -> None:
    assert stage.inreach(code=0, latitude=45.125, longitude=-1.5, fix=2)["taken"]

    def found() -> list[Any]:
        told = stage.gateway.satbridge("devices", "positions", GARMIN_IMEI, "--json")
        return [one for one in json.loads(told) if one["latitude"] == 45.125]

    assert wait_until(found)[0]["longitude"] == -1.5


def test_a_spot_writes_a_mail_and_a_text(stage: Stage) -> None:
    stage.tracker("All is well, says the SPOT")
    (mail,) = wait_until(lambda: stage.mails("mum@example.net", "All is well, says the SPOT"))
    assert mail.message["From"] == "sven@example.org"
    (text,) = wait_until(lambda: stage.texts("All is well, says the SPOT"))
    assert (text["to"], text["from"]) == (FRIEND, "+15550008888")


def test_a_spot_calls_for_help(stage: Stage) -> None:
    stage.tracker("Stuck on the ridge", type="HELP", latitude=44.5, longitude=7.25)
    (mail,) = wait_until(lambda: stage.mails(OPERATOR, "Stuck on the ridge"))
    assert "44.50000, 7.25000" in mail.message.get_content()


def test_a_mail_to_a_spot_fails_with_a_reason(stage: Stage) -> None:
    send(stage.gateway, "sven@example.org", "Hello", "Can you read this?")

    def reason() -> str:
        listed = json.loads(stage.gateway.satbridge("messages", "list", "--address=sven", "--json"))
        newest = next((one for one in listed if one["subject"] == "Hello"), None)
        if newest is None or newest["state"] != "failed":
            return ""
        return stage.gateway.satbridge("messages", "show", str(newest["id"]), "--json")

    assert "cannot receive messages" in wait_until(reason)


def test_spot_is_never_asked_too_soon(stage: Stage) -> None:
    calls = request("GET", f"{stage.spot}/sim/calls")
    assert calls[SPOT_FEED] > stage.calls[SPOT_FEED] + 2
    # The command `check` may have asked before, beside the gateway.
    assert calls.get("too soon", 0) == stage.calls.get("too soon", 0)


def test_a_post_that_nothing_proves_is_refused(stage: Stage) -> None:
    url = f"{stage.gateway.http}/satellite/garmin/garmin"
    event = {"imei": GARMIN_IMEI, "messageCode": 3, "freeText": "Forged", "addresses": [FRIEND]}
    answer = httpx.post(url, json={"Events": [event]}, timeout=30)
    assert answer.status_code == 401
    assert "Forged" not in stage.gateway.satbridge("messages", "list", "--json")


def test_garmin_may_come_with_a_token_of_ours(stage: Stage) -> None:
    url = f"{stage.gateway.http}/satellite/garmin/garmin"
    oauth = {"oauth_client_id": "garmin", "oauth_client_secret": GARMIN_SECRET}
    portal = f"{stage.garmin}/sim/portal"
    request("PUT", portal, {"oauth_url": f"{url}/token", **oauth})
    assert stage.inreach(text="With a token", to=["bob@example.net"])["taken"]
    request("PUT", portal, {"oauth_url": ""})
    wait_until(lambda: stage.mails("bob@example.net", "With a token"))


def test_no_secret_is_in_any_output(stage: Stage) -> None:
    told = stage.gateway.up.output + stage.gateway.satbridge("status", "--json")
    for secret in (
        GARMIN_KEY,
        GARMIN_TOKEN,
        SPOT_FEED,
        GARMIN_SECRET,
        "Sturm kommt",
        "Home on Monday",
        "on the ridge",
    ):
        assert secret not in told


def test_the_check_probes_both_at_last(networks: AllNetworks, stage: Stage) -> None:
    # After everything else: asking SPOT beside the gateway may be too soon, as the page says.
    told = networks.findings()
    assert told["garmin"]["ok"] is True
    assert told["spot"]["ok"] is True or "too often" in told["spot"]["said"]
    for secret in (GARMIN_KEY, SPOT_FEED):
        assert secret not in json.dumps(told)
