"""inReach and SPOT devices, mails and texts at once: a gateway and five simulators, each a process of its own."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.support.acceptance.running_gateway import Process
from tests.support.acceptance.trackers import (
    API_KEY,
    FEED,
    FRIEND,
    IMEI,
    OPERATOR,
    SECRET,
    TOKEN,
    Stage,
    called,
    send,
    staged,
)
from tests.support.eventually import wait_until

pytestmark = [pytest.mark.ray, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with staged(tmp_path_factory.mktemp("trackers")) as stage:
        yield stage


@pytest.mark.parametrize("version", ["2.0", "3.0", "4.0"])
def test_an_inreach_writes_a_mail(stage: Stage, version: str) -> None:
    called("PUT", f"{stage.garmin}/sim/portal", {"version": version})
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
    assert stage.inreach(text="Back on Friday", to=[FRIEND])["taken"]
    (text,) = wait_until(lambda: stage.texts("Back on Friday"))
    assert (text["to"], text["from"]) == (FRIEND, "+15550002222")


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
        told = stage.gateway.satbridge("devices", "positions", IMEI, "--json")
        return [one for one in json.loads(told) if one["latitude"] == 45.125]

    assert wait_until(found)[0]["longitude"] == -1.5


def test_a_spot_writes_a_mail_and_a_text(stage: Stage) -> None:
    stage.tracker("All is well, says the SPOT")
    (mail,) = wait_until(lambda: stage.mails("mum@example.net", "All is well, says the SPOT"))
    assert mail.message["From"] == "sven@example.org"
    (text,) = wait_until(lambda: stage.texts("All is well, says the SPOT"))
    assert (text["to"], text["from"]) == (FRIEND, "+15550003333")


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
    calls = called("GET", f"{stage.spot}/sim/calls")
    assert calls[FEED] > 2
    assert calls.get("too soon", 0) == 0


def test_a_post_that_nothing_proves_is_refused(stage: Stage) -> None:
    url = f"{stage.gateway.http}/satellite/garmin/garmin"
    event = {"imei": IMEI, "messageCode": 3, "freeText": "Forged", "addresses": [FRIEND]}
    answer = httpx.post(url, json={"Events": [event]}, timeout=30)
    assert answer.status_code == 401
    assert "Forged" not in stage.gateway.satbridge("messages", "list", "--json")


def test_garmin_may_come_with_a_token_of_ours(stage: Stage) -> None:
    url = f"{stage.gateway.http}/satellite/garmin/garmin"
    oauth = {"oauth_client_id": "garmin", "oauth_client_secret": SECRET}
    portal = f"{stage.garmin}/sim/portal"
    called("PUT", portal, {"oauth_url": f"{url}/token", **oauth})
    assert stage.inreach(text="With a token", to=["bob@example.net"])["taken"]
    called("PUT", portal, {"oauth_url": ""})
    wait_until(lambda: stage.mails("bob@example.net", "With a token"))


def test_no_secret_is_in_any_output(stage: Stage) -> None:
    told = stage.gateway.up.output + stage.gateway.satbridge("status", "--json")
    for secret in (API_KEY, TOKEN, FEED, SECRET, "Sturm kommt", "Back on Friday", "on the ridge"):
        assert secret not in told


def test_the_check_probes_both_at_last(stage: Stage) -> None:
    # After everything else: asking SPOT beside the gateway may be too soon, as the page says.
    done = Process("check", "--json", environment=stage.gateway.environment)
    done.process.wait(60)
    done.stop()
    told = {finding["part"]: finding for finding in json.loads(done.output)}
    assert told["garmin"]["ok"] is True
    assert told["spot"]["ok"] is True or "too often" in told["spot"]["said"]
    for secret in (API_KEY, FEED):
        assert secret not in done.output
