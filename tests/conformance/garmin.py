"""Garmin for the tables."""

from collections.abc import Iterator
from contextlib import contextmanager

from messaging.simulator.garmin.portal import Portal
from messaging.simulator.garmin.server import GarminSimulator
from messaging.simulator.shared.faults import Faults
from tests.conformance.stand import SECRET, Stand
from tests.support.closed_port import closed_port
from tests.support.satellite.garmin_server import (
    IMEI,
    OAUTH,
    SOME_DEVICES,
    garmin_account,
    garmin_at,
)


@contextmanager
def garmin() -> Iterator[Stand]:
    simulator = GarminSimulator(
        SOME_DEVICES, api_key=SECRET, portal=Portal(token=SECRET), waits_seconds=[0.1]
    )

    def uplink(text: str) -> None:
        server.event(text=text, to=["alice@example.com"])

    def set_faults(faults: Faults) -> None:
        simulator.dice.faults = faults

    def point_at(url: str) -> None:
        simulator.portal = simulator.portal.model_copy(update={"url": url})

    with garmin_at(simulator) as server, closed_port() as nowhere:
        quick = {"api_key": SECRET, "webhook_token": SECRET, "timeout_seconds": 15}
        secrets = {**quick, **OAUTH, "oauth_client_secret": SECRET * 2}
        yield Stand(
            account=server.account(**secrets),
            unreachable=garmin_account(nowhere, **quick),
            refused=server.account(**{**quick, "api_key": f"{SECRET}-but-wrong"}),
            recipient=IMEI,
            faults=set_faults,
            arrived=lambda: len(simulator.inbound.downlinks),
            uplink=uplink,
            taken=lambda: simulator.feed.taken,
            point_at=point_at,
        )
