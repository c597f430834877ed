"""DirectIP for the tables."""

from collections.abc import Iterator
from contextlib import contextmanager

from messaging.simulator.shared.faults import Faults
from messaging.simulator.shared.modems import Modem
from tests.conformance.stand import Stand
from tests.support.satellite.directip_gateway import IMEI, directip, directip_account

NOBODY_LISTENS = "127.0.0.1:1"


@contextmanager
def directip_stand() -> Iterator[Stand]:
    # The error is so large that no position is stored: the tables are about messages.
    with directip(Modem(IMEI, cep=1000)) as gateway:
        simulator = gateway.simulator
        # DirectIP has no Retry-After: a delivery that waits for the device waits for `hold_seconds`.
        quick = {"timeout_seconds": 15, "hold_seconds": 7}

        def uplink(text: str) -> None:
            gateway.uplink(texts=[{"text": text, "to": "a@example.com", "protocol": "email"}])

        def set_faults(faults: Faults) -> None:
            simulator.dice.faults = faults

        def point_at(where: str) -> None:
            simulator.listener = where

        yield Stand(
            account=gateway.account(**quick),
            unreachable=directip_account(gateway=NOBODY_LISTENS, **quick),
            refused=None,
            recipient=IMEI,
            faults=set_faults,
            arrived=lambda: len(simulator.modems.downlinks()),
            uplink=uplink,
            taken=lambda: sum(one.is_accepted for one in simulator.calls.tries),
            point_at=point_at,
        )
