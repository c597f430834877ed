"""One running gateway with Twilio and Bandwidth: texts both ways by the provider of each number, and their receipts."""

import asyncio
import json
import smtplib
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import httpx
import pytest

from messaging.simulator.bandwidth.api import Account
from messaging.simulator.bandwidth.push import CallbackHabits
from messaging.simulator.bandwidth.server import BandwidthSimulator, InboundText
from messaging.simulator.shared.serving import Serving
from tests.support.acceptance.running_gateway import NUMBER, TOKEN, RunningGateway, running
from tests.support.eventually import wait_until

pytestmark = [pytest.mark.ray, pytest.mark.timeout(600)]

FRIEND, BY_BANDWIDTH = "+15551230000", "+15550002222"
PASSWORD = "a password that nobody may see"


@pytest.fixture(scope="module")
def bandwidth() -> Iterator[tuple[BandwidthSimulator, str]]:
    account = Account(
        account_id="9900000",
        application_id="demo",
        username="boss",
        password=PASSWORD,
        numbers=frozenset([BY_BANDWIDTH]),
    )
    habits = CallbackHabits(username="caller", password=PASSWORD, max_tries=50, retry_seconds=0.5)
    simulator = BandwidthSimulator(account, callbacks=habits)
    with Serving(simulator.app) as server:
        yield simulator, server.url


@pytest.fixture(scope="module")
def gateway(
    bandwidth: tuple[BandwidthSimulator, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningGateway]:
    simulator, url = bandwidth
    folder: Path = tmp_path_factory.mktemp("two-sms-providers")
    settings = {
        "BANDWIDTH_ACCOUNT_ID": "9900000",
        "BANDWIDTH_APPLICATION_ID": "demo",
        "BANDWIDTH_USERNAME": "boss",
        "BANDWIDTH_PASSWORD": PASSWORD,
        "BANDWIDTH_CALLBACK_USERNAME": "caller",
        "BANDWIDTH_CALLBACK_PASSWORD": PASSWORD,
        "BANDWIDTH_API_URL": f"{url}/api/v2",
        "BANDWIDTH_TIMEOUT_SECONDS": "4",
        "SMS_CARRIERS": f"{BY_BANDWIDTH}=bandwidth,*=twilio",
    }
    with running(f"sqlite:///{folder}/store.sqlite3", folder, **settings) as gateway:
        gateway.satbridge("users", "change", "user1", "--number", BY_BANDWIDTH)
        simulator.callback_url = f"{gateway.http}/sms/bandwidth"
        yield gateway


def phone_says(simulator: BandwidthSimulator, text: str) -> bool:
    inbound = InboundText.model_validate({"from": FRIEND, "to": BY_BANDWIDTH, "text": text})
    return not asyncio.run(simulator.receive(inbound))[-1].failure


def delivery_to(gateway: RunningGateway, recipient: str, state: str) -> dict[str, Any]:
    """The delivery to this phone, once it has come to this state."""

    def look() -> dict[str, Any] | None:
        listed = json.loads(
            gateway.satbridge("messages", "list", f"--address={recipient}", "--json")
        )
        for row in listed:
            told = json.loads(gateway.satbridge("messages", "show", str(row["id"]), "--json"))
            for one in told["deliveries"]:
                if (one["recipient"], one["state"]) == (recipient, state):
                    found: dict[str, Any] = one
                    return found
        return None

    return wait_until(look, 60)


def test_a_text_to_a_number_of_bandwidth_reaches_the_device(
    gateway: RunningGateway, bandwidth: tuple[BandwidthSimulator, str]
) -> None:
    assert phone_says(bandwidth[0], "Bring fish 🐟")
    (found,) = wait_until(lambda: [x for x in gateway.shown() if "fish" in x[2]])
    assert found == (1001, FRIEND, "Bring fish 🐟")


def test_the_answer_leaves_by_bandwidth_and_is_delivered(
    gateway: RunningGateway, bandwidth: tuple[BandwidthSimulator, str]
) -> None:
    simulator, _ = bandwidth
    gateway.uplink(1001, FRIEND, "Two of them, " + "⚓" * 70)
    (text,) = wait_until(lambda: [t for t in simulator.outgoing_texts() if "Two of them" in t.text])
    assert (text.sender, text.recipients) == (BY_BANDWIDTH, (FRIEND,))
    found = delivery_to(gateway, FRIEND, "delivered")
    assert (found["via"], found["network_id"], found["units"]) == ("bandwidth", text.id, 2)
    assert not [t for t in gateway.texts() if "Two of them" in t["body"]]


def test_what_the_mobile_network_refuses_later_has_failed_with_the_reason(
    gateway: RunningGateway,
) -> None:
    gateway.uplink(1001, "+15005504721", "Is anybody there?")
    assert "no longer in service" in delivery_to(gateway, "+15005504721", "failed")["reason"]
    gateway.uplink(1000, "+15005530006", "And there?")
    found = delivery_to(gateway, "+15005530006", "failed")
    assert (found["via"], "landline" in found["reason"]) == ("twilio", True)


def test_another_number_leaves_by_twilio_and_is_delivered(
    gateway: RunningGateway, bandwidth: tuple[BandwidthSimulator, str]
) -> None:
    to = "+15551239999"
    gateway.uplink(1000, to, "Back on Friday")
    (text,) = wait_until(lambda: [t for t in gateway.texts() if "Friday" in t["body"]])
    assert (text["from"], text["to"]) == (NUMBER, to)
    found = delivery_to(gateway, to, "delivered")
    assert (found["via"], found["network_id"], found["units"]) == ("twilio", text["sid"], 1)
    assert not [t for t in bandwidth[0].outgoing_texts() if "Friday" in t.text]


def test_mail_still_goes_both_ways(gateway: RunningGateway) -> None:
    letter = EmailMessage()
    letter["From"], letter["To"], letter["Subject"] = "a@example.net", "user1@example.org", "Wind"
    letter.set_content("North, 7")
    with smtplib.SMTP("127.0.0.1", gateway.smtp_port, timeout=30) as client:
        client.send_message(letter)
    wait_until(lambda: [x for x in gateway.shown() if "North, 7" in x[2]])
    gateway.uplink(1001, "bob@example.net", "Thanks")
    (mail,) = wait_until(lambda: [m for m in gateway.sink.received if "bob@" in m.recipients[0]])
    assert mail.message["From"] == "user1@example.org"


def test_who_says_stop_gets_no_more_texts_by_that_number(
    gateway: RunningGateway, bandwidth: tuple[BandwidthSimulator, str]
) -> None:
    simulator, _ = bandwidth
    assert phone_says(simulator, "STOP")
    gateway.uplink(1001, FRIEND, "One more thing")
    gateway.uplink(1000, FRIEND, "From somebody else")
    wait_until(lambda: [t for t in gateway.texts() if "somebody else" in t["body"]])
    listed = ("messages", "list", "--state=undeliverable", "--json")
    (kept,) = wait_until(lambda: json.loads(gateway.satbridge(*listed)))
    assert "asked not to get" in kept["reason"]
    assert not [t for t in simulator.outgoing_texts() if "One more thing" in t.text]
    assert not [x for x in gateway.shown() if x[2] == "STOP"]


def test_the_check_says_what_to_enter_at_both(gateway: RunningGateway) -> None:
    found = {row["part"]: row for row in json.loads(gateway.satbridge("check", "--json"))}
    assert found["twilio"]["ok"]
    assert f"{gateway.http}/sms/twilio#rc=3&rp=all" in found["twilio"]["said"]
    assert found["bandwidth"]["ok"]
    assert f"{gateway.http}/sms/bandwidth" in found["bandwidth"]["said"]


def test_who_is_not_bandwidth_is_asked_for_a_password(gateway: RunningGateway) -> None:
    forged = [{"type": "message-received", "to": BY_BANDWIDTH, "message": {"id": "1"}}]
    answer = httpx.post(f"{gateway.http}/sms/bandwidth", json=forged)
    assert answer.status_code == 401
    assert PASSWORD not in gateway.up.output
    assert TOKEN not in gateway.up.output
