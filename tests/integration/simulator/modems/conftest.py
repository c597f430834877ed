"""A simulated RockBLOCK, and the webhook that it calls."""

from collections.abc import Iterator

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Route

from messaging.simulator.rockblock.server import RockblockSimulator
from messaging.simulator.shared.modems import Modem
from messaging.simulator.shared.serving import Serving
from tests.support.simulator.modems.webhook import IMEI, Receiver


@pytest.fixture
def receiver() -> Receiver:
    return Receiver()


@pytest.fixture
def hook(receiver: Receiver) -> Iterator[str]:
    app = Starlette(routes=[Route("/hook", receiver.receive, methods=["POST"])])
    with Serving(app) as serving:
        yield f"{serving.url}/hook"


@pytest.fixture
def rockblock(hook: str) -> Iterator[tuple[RockblockSimulator, httpx.Client]]:
    simulator = RockblockSimulator(
        [Modem(IMEI)], webhook_url=hook, answer_seconds=2, waits_seconds=[0.05] * 3
    )
    with (
        Serving(simulator.app) as serving,
        httpx.Client(base_url=serving.url, timeout=30, trust_env=False) as client,
    ):
        yield simulator, client
