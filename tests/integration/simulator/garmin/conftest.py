"""The simulated Portal Connect, and the webhook that it posts to."""

from collections.abc import Iterator

import pytest
from starlette.applications import Starlette
from starlette.routing import Route

from messaging.simulator.garmin.portal import Portal
from messaging.simulator.garmin.server import GarminSimulator
from messaging.simulator.shared.serving import Serving
from tests.support.satellite.garmin_server import (
    API_KEY,
    SOME_DEVICES,
    TOKEN,
    GarminServer,
    garmin_at,
)
from tests.support.simulator.garmin.receiver import Receiver


@pytest.fixture
def receiver() -> Receiver:
    return Receiver()


@pytest.fixture
def garmin(receiver: Receiver) -> Iterator[GarminServer]:
    hook = Route("/hook", receiver.receive, methods=["POST"])
    app = Starlette(routes=[hook, Route("/token", receiver.token, methods=["POST"])])
    with Serving(app) as server:
        portal = Portal(url=f"{server.url}/hook", token=TOKEN)
        with garmin_at(GarminSimulator(SOME_DEVICES, api_key=API_KEY, portal=portal)) as garmin:
            yield garmin
