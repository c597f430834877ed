"""A simulated Twilio, and a sender of texts there."""

from collections.abc import Iterator

import pytest

from messaging.simulator.shared.serving import Serving
from messaging.simulator.twilio.server import TwilioSimulator
from tests.support.sms.sending.stage import Stage
from tests.support.sms.sync_sender import SyncSender
from tests.support.sms.twilio_gateway import SID, TOKEN, account


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    stage = Stage()
    with Serving(stage) as served:
        stage.url = served.url
        yield stage


@pytest.fixture
def twilio(stage: Stage) -> TwilioSimulator:
    stage.simulator = TwilioSimulator(SID, TOKEN)
    return stage.simulator


@pytest.fixture
def api_url(stage: Stage, twilio: TwilioSimulator) -> str:
    return stage.url


@pytest.fixture
def sender(api_url: str) -> Iterator[SyncSender]:
    used = SyncSender(account(api_url=f"{api_url}/"))
    yield used
    used.close()
