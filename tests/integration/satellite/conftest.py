"""The simulated Hive that satellite tests talk to."""

from collections.abc import Iterator

import pytest
from starlette.types import ASGIApp, Receive, Scope, Send

from messaging.simulator.hive.api import HiveHabits
from messaging.simulator.hive.server import HiveSimulator
from messaging.simulator.hive.state import HiveDevice
from messaging.simulator.shared.serving import Serving
from tests.support.satellite.hive_server import PASSWORD, HiveServer


class Place:
    """One socket for all tests; each puts a Hive of its own behind it."""

    def __init__(self) -> None:
        self.app: ASGIApp | None = None
        self.url = ""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        assert self.app is not None
        await self.app(scope, receive, send)


@pytest.fixture(scope="session")
def place() -> Iterator[Place]:
    place = Place()
    with Serving(place) as server:
        place.url = server.url + "/hive"
        yield place


@pytest.fixture
def hive(place: Place) -> HiveServer:
    """A Hive with devices 7 to 9, and 10 that takes no messages."""
    devices = [HiveDevice(7), HiveDevice(8), HiveDevice(9), HiveDevice(10, two_way=False)]
    habits = HiveHabits(username="boop", password=PASSWORD)
    simulator = HiveSimulator(devices, habits)
    place.app = simulator.app
    return HiveServer(simulator, place.url)
