"""SPOT for the tables. A feed has no acknowledgements, so the account's client counts them itself."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from pydantic import PrivateAttr

from messaging.config.env import read
from messaging.satellite.providers.spot.account import SpotAccount
from messaging.satellite.providers.spot.client import Spot
from messaging.simulator.shared.faults import Faults
from messaging.simulator.spot.server import SpotFeed, SpotSimulator
from tests.conformance.stand import SECRET, Stand
from tests.support.closed_port import closed_port
from tests.support.satellite.spot_server import SERIAL, spot_account, spot_at


@dataclass
class Acknowledgements:
    """The acknowledgements; while `forgetful`, the client does not remember them, as after a restart."""

    taken: set[str] = field(default_factory=set)
    forgetful: bool = False


class CountingAccount(SpotAccount, prefix="SATBRIDGE_SPOT_"):
    _tally: Acknowledgements = PrivateAttr(default_factory=Acknowledgements)

    def connect(self) -> "CountingSpot":
        return CountingSpot(self)


class CountingSpot(Spot):
    def __init__(self, account: CountingAccount) -> None:
        super().__init__(account)
        self._tally = account._tally

    async def acknowledge(self, packet_id: str) -> None:
        if not self._tally.forgetful:
            await super().acknowledge(packet_id)
        self._tally.taken.add(packet_id)


@contextmanager
def spot() -> Iterator[Stand]:
    simulator = SpotSimulator([SpotFeed(SECRET)], least_seconds=0, between_seconds=0)
    with spot_at(simulator) as server, closed_port() as nowhere:
        settings = server.account(feeds=SECRET, timeout_seconds=15).model_dump()
        account = read(CountingAccount, **settings)

        def set_faults(faults: Faults) -> None:
            simulator.dice.faults = faults
            account._tally.forgetful = bool(faults.duplicate_rate)

        def uplink(text: str) -> None:
            # Without a position: the tables are about messages.
            server.send(text, feed=SECRET, latitude=-99999)

        yield Stand(
            account=account,
            unreachable=spot_account(nowhere, feeds=SECRET),
            refused=server.account(feeds=f"{SECRET}-but-wrong"),
            recipient=SERIAL,
            faults=set_faults,
            arrived=None,
            uplink=uplink,
            taken=lambda: len(account._tally.taken),
        )
