"""What the tables need of a network: its simulator on a real socket, and accounts there."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

from messaging.satellite.account import SatelliteAccount
from messaging.simulator.shared.faults import Faults
from messaging.sms.account import SmsAccount

AnyAccount = SatelliteAccount | SmsAccount

SECRET = "a-secret-that-nobody-may-see"
"""What a stand puts into every secret of its account's settings, as far as the network lets it choose."""

TEXT = "meet me at the old pier"
"""What messages say; no log may."""


@dataclass(frozen=True, kw_only=True)
class Stand:
    """One network, running. The account's time-outs are long, and a poll comes every moment.

    `unreachable` is an account where nobody listens, `refused` one with a wrong secret (None where there is none).
    `arrived` counts the messages that the network took from us; None on a network that carries nothing to devices.
    `uplink` lets a device or a phone send a text, once: it returns when the network has called us, or at once where we
    have to ask. `taken` counts the uplinks that we said yes to. `point_at` tells where the gateway is: the URL of its
    webhook, or host:port.
    """

    account: AnyAccount
    unreachable: AnyAccount
    refused: AnyAccount | None
    recipient: str
    faults: Callable[[Faults], None]
    arrived: Callable[[], int] | None
    uplink: Callable[[str], None]
    taken: Callable[[], int]
    point_at: Callable[[str], None] = lambda where: None


MakeStand = Callable[[], AbstractContextManager[Stand]]
