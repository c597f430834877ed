"""What the tests of the networks are given."""

from collections.abc import Iterator

import pytest

from messaging.simulator.garmin.server import GarminSimulator
from messaging.simulator.spot.server import SpotFeed, SpotSimulator
from tests.support.satellite.directip_gateway import DirectIpGateway, directip
from tests.support.satellite.fixtures import key as key
from tests.support.satellite.garmin_server import API_KEY, SOME_DEVICES, GarminServer, garmin_at
from tests.support.satellite.sbdmail_service import SbdMailService, sbdmail_service
from tests.support.satellite.spot_server import FEED, OTHER_FEED, PASSWORD, SpotServer, spot_at


@pytest.fixture
def garmin() -> Iterator[GarminServer]:
    with garmin_at(GarminSimulator(SOME_DEVICES, api_key=API_KEY)) as server:
        yield server


@pytest.fixture
def gateway() -> Iterator[DirectIpGateway]:
    """Iridium's, which speaks DirectIP."""
    with directip() as gateway:
        yield gateway


@pytest.fixture
def service() -> Iterator[SbdMailService]:
    """Iridium's, which speaks by e-mail."""
    with sbdmail_service() as service:
        yield service


@pytest.fixture
def spot() -> Iterator[SpotServer]:
    feeds = [SpotFeed(FEED), SpotFeed(OTHER_FEED, PASSWORD)]
    with spot_at(SpotSimulator(feeds, least_seconds=0, between_seconds=0)) as server:
        yield server
