import time

import httpx
import pytest

from messaging.simulator.hive.server import HiveSimulator
from messaging.simulator.shared.faults import Faults
from messaging.simulator.shared.serving import Serving
from tests.support.concurrent_requests import Crowd
from tests.support.eventually import wait_until
from tests.support.simulator.hive_client import downlink, log_in


@pytest.mark.parametrize(
    ("faults", "sends", "error"),
    [
        (Faults(refuse_rate=1), 0, httpx.TransportError),
        (Faults(hang_before_rate=1), 0, httpx.ReadTimeout),
        (Faults(hang_after_rate=1), 1, httpx.ReadTimeout),
        (Faults(hang_after_rate=1, hang_seconds=0.05), 1, httpx.TransportError),
    ],
)
def test_a_lost_answer_may_have_had_its_effect(
    hive: httpx.Client,
    hive_simulator: HiveSimulator,
    faults: Faults,
    sends: int,
    error: type[Exception],
) -> None:
    log_in(hive)
    hive_simulator.dice.faults = faults
    with pytest.raises(error):
        hive.post("/hive/api/v1/messages", json=downlink(), timeout=1.5)
    assert len(hive_simulator.state.downlinks()) == sends


def test_nonsense_is_answered_after_the_effect(
    hive: httpx.Client, hive_simulator: HiveSimulator
) -> None:
    log_in(hive)
    hive_simulator.dice.faults = Faults(garbage_rate=1)
    answer = hive.post("/hive/api/v1/messages", json=downlink())
    assert answer.status_code == 200
    assert "nonsense" in answer.text
    assert len(hive_simulator.state.downlinks()) == 1


def test_too_many_requests_are_told_to_wait(
    hive: httpx.Client, hive_simulator: HiveSimulator
) -> None:
    log_in(hive)
    hive_simulator.dice.now = lambda: 0.0
    hive_simulator.dice.faults = Faults(requests_per_second=3, retry_after_seconds=9)
    answers = [hive.get("/hive/api/v1/usercontext") for _ in range(5)]
    assert [answer.status_code for answer in answers].count(429) == 2
    assert answers[-1].headers["Retry-After"] == "9"


def test_a_slow_network_is_slow(hive: httpx.Client, hive_simulator: HiveSimulator) -> None:
    hive_simulator.dice.faults = Faults(latency_seconds=0.2)
    start = time.monotonic()
    log_in(hive)
    assert time.monotonic() - start >= 0.2


@pytest.mark.parametrize("fault", ["hang_before_rate", "hang_after_rate"])
def test_a_hanging_network_lets_go_when_its_caller_does(
    hive_simulator: HiveSimulator, fault: str
) -> None:
    hive_simulator.dice.faults = Faults.model_validate({fault: 1, "hang_seconds": 3600})
    crowd = Crowd(hive_simulator.app)
    with Serving(crowd) as server:
        with pytest.raises(httpx.ReadTimeout):
            httpx.get(f"{server.url}/hive/api/v1/usercontext", timeout=1.5)
        wait_until(lambda: crowd.most and not crowd.inside)
