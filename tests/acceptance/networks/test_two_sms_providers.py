"""Twilio and Bandwidth side by side: texts both ways by the provider of each number, and their receipts."""

import asyncio
import json
from typing import Any

import httpx
import pytest

from messaging.simulator.bandwidth.server import BandwidthSimulator, InboundText
from tests.support.acceptance.all_networks import BANDWIDTH_NUMBER, PASSWORD, AllNetworks, send
from tests.support.acceptance.running_gateway import NUMBER, TOKEN, RunningGateway
from tests.support.eventually import wait_until

pytestmark = [pytest.mark.ray, pytest.mark.timeout(600)]

FRIEND = "+15551240000"


@pytest.fixture
def gateway(networks: AllNetworks) -> RunningGateway:
    return networks.gateway


@pytest.fixture
def bandwidth(networks: AllNetworks) -> BandwidthSimulator:
    return networks.bandwidth


def phone_says(simulator: BandwidthSimulator, text: str) -> bool:
    inbound = InboundText.model_validate({"from": FRIEND, "to": BANDWIDTH_NUMBER, "text": text})
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
    gateway: RunningGateway, bandwidth: BandwidthSimulator
) -> None:
    assert phone_says(bandwidth, "Bring fish 🐟")
    (found,) = wait_until(lambda: [x for x in gateway.shown() if "fish" in x[2]])
    assert found == (1001, FRIEND, "Bring fish 🐟")


def test_the_answer_leaves_by_bandwidth_and_is_delivered(
    gateway: RunningGateway, bandwidth: BandwidthSimulator
) -> None:
    gateway.uplink(1001, FRIEND, "Two of them, " + "⚓" * 70)
    (text,) = wait_until(lambda: [t for t in bandwidth.outgoing_texts() if "Two of them" in t.text])
    assert (text.sender, text.recipients) == (BANDWIDTH_NUMBER, (FRIEND,))
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
    gateway: RunningGateway, bandwidth: BandwidthSimulator
) -> None:
    to = "+15551239999"
    gateway.uplink(1000, to, "Back on Tuesday")
    (text,) = wait_until(lambda: [t for t in gateway.texts() if "Tuesday" in t["body"]])
    assert (text["from"], text["to"]) == (NUMBER, to)
    found = delivery_to(gateway, to, "delivered")
    assert (found["via"], found["network_id"], found["units"]) == ("twilio", text["sid"], 1)
    assert not [t for t in bandwidth.outgoing_texts() if "Tuesday" in t.text]


def test_mail_still_goes_both_ways(gateway: RunningGateway) -> None:
    send(gateway, "user1@example.org", "Wind", "North, 7")
    wait_until(lambda: [x for x in gateway.shown() if "North, 7" in x[2]])
    gateway.uplink(1001, "bea@example.net", "Thanks")
    (mail,) = wait_until(lambda: [m for m in gateway.sink.received if "bea@" in m.recipients[0]])
    assert mail.message["From"] == "user1@example.org"


def test_who_says_stop_gets_no_more_texts_by_that_number(
    gateway: RunningGateway, bandwidth: BandwidthSimulator
) -> None:
    assert phone_says(bandwidth, "STOP")
    gateway.uplink(1001, FRIEND, "One more thing")
    gateway.uplink(1000, FRIEND, "From somebody else")
    wait_until(lambda: [t for t in gateway.texts() if "somebody else" in t["body"]])
    listed = ("messages", "list", "--state=undeliverable", "--json")

    def refused() -> list[dict[str, Any]]:
        kept = json.loads(gateway.satbridge(*listed))
        return [one for one in kept if "asked not to get" in one["reason"]]

    assert len(wait_until(refused)) == 1
    assert not [t for t in bandwidth.outgoing_texts() if "One more thing" in t.text]
    assert not [x for x in gateway.shown() if x[2] == "STOP"]


def test_the_check_says_what_to_enter_at_both(
    gateway: RunningGateway, networks: AllNetworks
) -> None:
    found = networks.findings()
    assert found["twilio"]["ok"]
    assert f"{gateway.http}/sms/twilio#rc=3&rp=all" in found["twilio"]["said"]
    assert found["bandwidth"]["ok"]
    assert f"{gateway.http}/sms/bandwidth" in found["bandwidth"]["said"]


def test_who_is_not_bandwidth_is_asked_for_a_password(gateway: RunningGateway) -> None:
    forged = [{"type": "message-received", "to": BANDWIDTH_NUMBER, "message": {"id": "1"}}]
    answer = httpx.post(f"{gateway.http}/sms/bandwidth", json=forged)
    assert answer.status_code == 401
    assert PASSWORD not in gateway.up.output
    assert TOKEN not in gateway.up.output
