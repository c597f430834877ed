"""A simulated Hive and a client of it."""

from collections.abc import Iterator

import httpx
import pytest

from messaging.simulator.hive.server import HiveSimulator
from messaging.simulator.hive.state import HiveDevice
from messaging.simulator.shared.serving import Serving


@pytest.fixture
def hive_simulator() -> HiveSimulator:
    return HiveSimulator([HiveDevice(9, "boop"), HiveDevice(10, two_way=False)])


@pytest.fixture
def hive(hive_simulator: HiveSimulator) -> Iterator[httpx.Client]:
    with (
        Serving(hive_simulator.app) as server,
        httpx.Client(base_url=server.url, timeout=30) as client,
    ):
        yield client
