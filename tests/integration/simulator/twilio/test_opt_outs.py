"""What a phone's STOP and START do at the simulated Twilio."""

import asyncio

import pytest

from messaging.simulator.twilio.server import InboundText, TwilioSimulator
from tests.support.simulator.twilio.stage import OURS, PHONE, SID, TOKEN, Client, Receiver


def test_stop_blocks_this_pair_until_start(client: Client, receiver: Receiver, hook: str) -> None:
    client.inbound(hook, body=" stop ")
    assert client.create().json()["code"] == 21610
    assert client.create(To="+15550003333").status_code == 201
    assert client.get("/sim/opt-outs") == [[PHONE, OURS]]
    client.inbound(hook, body="START")
    assert client.create().status_code == 201
    assert [form.get("OptOutType") for form in receiver.forms] == [None, None]


@pytest.mark.parametrize(
    ("body", "kind"), [("stop", "STOP"), ("yes", "START"), ("help", "HELP"), ("hello", None)]
)
def test_advanced_opt_out_says_what_it_is(
    receiver: Receiver, hook: str, body: str, kind: str | None
) -> None:
    simulator = TwilioSimulator(SID, TOKEN, webhook_url=hook, advanced_opt_out=True)
    asyncio.run(
        simulator.receive(InboundText.model_validate({"from": PHONE, "to": OURS, "body": body}))
    )
    assert receiver.forms[0].get("OptOutType") == kind
