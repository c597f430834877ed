"""RockBLOCK and Cloudloop for the tables."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from messaging.simulator.cloudloop.server import CloudloopSimulator
from messaging.simulator.rockblock.server import RockblockSimulator
from messaging.simulator.shared.faults import Faults
from messaging.simulator.shared.modems import Modem
from tests.conformance.stand import SECRET, AnyAccount, Stand
from tests.support.closed_port import closed_port
from tests.support.satellite.ground_control import (
    IMEI,
    THING,
    CloudloopServer,
    RockblockServer,
    cloudloop_at,
    rockblock_at,
)

# The error is so large that no position is stored: the tables are about messages.
MODEM = Modem(IMEI, thing=THING, cep=1000)
NO_REPEATS: dict[str, Any] = {"waits_seconds": []}


@contextmanager
def rockblock() -> Iterator[Stand]:
    # The real one waits for 3 s, which a busy machine may need for twenty requests at once.
    patient: dict[str, Any] = {"answer_seconds": 20, **NO_REPEATS}
    simulator = RockblockSimulator([MODEM], username="boss", password=SECRET, **patient)
    with rockblock_at(simulator) as server, closed_port() as nowhere:
        quick = {"password": SECRET, "webhook_secret": SECRET, "timeout_seconds": 15}
        yield _stand(
            server,
            server.account_with_key(**quick),
            server.account(**quick, url=nowhere),
            server.account(**{**quick, "password": f"{SECRET}-but-wrong"}),
            IMEI,
            path=f"/{SECRET}",
        )


@contextmanager
def cloudloop() -> Iterator[Stand]:
    simulator = CloudloopSimulator([MODEM], token=SECRET, **NO_REPEATS)
    with cloudloop_at(simulator) as server, closed_port() as nowhere:
        quick = {"token": SECRET, "webhook_secret": SECRET, "timeout_seconds": 15}
        yield _stand(
            server,
            server.account(**quick),
            server.account(**quick, url=nowhere),
            server.account(**{**quick, "token": f"{SECRET}-but-wrong"}),
            THING,
            path=f"/{SECRET}",
        )


def _stand(
    server: RockblockServer | CloudloopServer,
    account: AnyAccount,
    unreachable: AnyAccount,
    refused: AnyAccount,
    recipient: str,
    path: str = "",
) -> Stand:
    simulator = server.simulator

    def set_faults(faults: Faults) -> None:
        simulator.dice.faults = faults

    def uplink(text: str) -> None:
        server.uplink(texts=[{"text": text, "to": "alice@example.com", "protocol": "email"}])

    def point_at(url: str) -> None:
        simulator.webhook_url = url + path

    return Stand(
        account=account,
        unreachable=unreachable,
        refused=refused,
        recipient=recipient,
        faults=set_faults,
        arrived=lambda: len(simulator.modems.downlinks()),
        uplink=uplink,
        taken=lambda: sum(one.is_accepted for one in simulator.pushes.tries),
        point_at=point_at,
    )
