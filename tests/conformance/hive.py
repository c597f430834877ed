"""The Hive for the tables."""

from collections.abc import Iterator
from contextlib import contextmanager

from messaging.simulator.hive.api import HiveHabits
from messaging.simulator.hive.server import HiveSimulator
from messaging.simulator.hive.state import HiveDevice
from messaging.simulator.shared.device_payload import device_payload
from messaging.simulator.shared.faults import Faults
from messaging.simulator.shared.serving import Serving
from tests.conformance.stand import SECRET, Stand
from tests.support.closed_port import closed_port
from tests.support.satellite.hive_server import account_at


@contextmanager
def hive() -> Iterator[Stand]:
    simulator = HiveSimulator([HiveDevice(9)], HiveHabits(username="boop", password=SECRET))

    def uplink(text: str) -> None:
        texts = [{"text": text, "to": "alice@example.com", "protocol": "email"}]
        simulator.state.put_uplink(9, device_payload(texts))

    def set_faults(faults: Faults) -> None:
        simulator.dice.faults = faults

    quick = {"password": SECRET, "timeout_seconds": 15}
    with Serving(simulator.app) as server, closed_port() as nowhere:
        url = server.url + "/hive"
        yield Stand(
            account=account_at(url, **quick),
            unreachable=account_at(nowhere, **quick),
            refused=account_at(url, **{**quick, "password": f"{SECRET}-but-wrong"}),
            recipient="9",
            faults=set_faults,
            arrived=lambda: len(simulator.state.downlinks()),
            uplink=uplink,
            taken=lambda: len(simulator.state.uplinks(acknowledged=True)),
        )
