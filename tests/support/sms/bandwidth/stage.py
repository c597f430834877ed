"""The account at the simulated Bandwidth, a phone there, and what the gateway heard."""

import asyncio

from messaging.model.message import Receipt
from messaging.simulator.bandwidth.api import Account
from messaging.simulator.bandwidth.server import BandwidthSimulator, InboundText
from tests.conformance.stand import SECRET
from tests.support.sms.live import Live
from tests.support.sms.twilio_gateway import OURS, PHONE

ACCOUNT = Account(account_id="9900000", application_id="demo", username="boop", password=SECRET)


def receipts(gateway: Live) -> list[Receipt]:
    return [one for one in gateway.router.all() if isinstance(one, Receipt)]


def phone_says(simulator: BandwidthSimulator, text: str) -> None:
    inbound = InboundText.model_validate({"from": PHONE, "to": OURS, "text": text})
    assert not asyncio.run(simulator.receive(inbound))[-1].failure
