"""A simulated Bandwidth, and a gateway that it calls back."""

from collections.abc import Iterator

import pytest

from messaging.simulator.bandwidth.push import CallbackHabits
from messaging.simulator.bandwidth.server import BandwidthSimulator
from messaging.simulator.shared.faults import Faults
from messaging.simulator.shared.serving import Serving
from tests.conformance.bandwidth import account_at
from tests.conformance.stand import SECRET
from tests.support.sms.bandwidth.stage import ACCOUNT
from tests.support.sms.live import Live, live


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[BandwidthSimulator, str]]:
    habits = CallbackHabits(
        username="caller", password=f"{SECRET}-too", max_tries=20, retry_seconds=0.05
    )
    simulator = BandwidthSimulator(ACCOUNT, callbacks=habits)
    with Serving(simulator.app) as serving:
        yield simulator, serving.url


@pytest.fixture
def simulator(server: tuple[BandwidthSimulator, str]) -> Iterator[BandwidthSimulator]:
    simulator, _ = server
    yield simulator
    simulator.faults = Faults()
    simulator.texts.clear()


@pytest.fixture
def gateway(
    server: tuple[BandwidthSimulator, str], simulator: BandwidthSimulator
) -> Iterator[Live]:
    with live(account_at(server[1], timeout_seconds=20)) as found:
        simulator.callback_url = f"{found.url}/sms/bandwidth"
        yield found
        simulator.callback_url = None
