"""One server for the simulated Twilio of each test, and one for the webhook that it calls."""

from collections.abc import Iterator

import pytest

from messaging.simulator.shared.serving import Serving
from messaging.simulator.twilio.server import TwilioSimulator
from tests.support.simulator.twilio.stage import SID, TOKEN, Client, Receiver, Stage, client_of


@pytest.fixture(scope="module")
def api() -> Iterator[tuple[Stage, str]]:
    stage = Stage()
    with Serving(stage) as served:
        yield stage, served.url


@pytest.fixture(scope="module")
def web() -> Iterator[tuple[Stage, str]]:
    stage = Stage()
    with Serving(stage) as served:
        yield stage, served.url


@pytest.fixture
def client(api: tuple[Stage, str]) -> Iterator[Client]:
    client = client_of(*api, TwilioSimulator(SID, TOKEN))
    with client.http:
        yield client


@pytest.fixture
def receiver() -> Receiver:
    return Receiver()


@pytest.fixture
def hook(web: tuple[Stage, str], receiver: Receiver) -> str:
    stage, url = web
    stage.app = receiver.app()
    return f"{url}/sms/twilio?a=1"
